"""Ranking: exact against whole numbers of Python, exactly as many bits as there must be."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from medveil.core.errors import UsageError, VerificationFailed
from medveil.share.codec import ranking

SHAPES = [
    (5, 0),
    (5, 5),
    (1, 1),
    (5, 2),
    (9, 3),
    (32, 16),
    (256, 16),
    (256, 32),
    (256, 128),
    (256, 240),
    (1024, 512),
]


def supports(sites: int, k: int, atoms: int, seed: int = 0) -> np.ndarray:
    order = np.random.default_rng(seed).random((sites, atoms)).argsort(axis=1)
    return np.sort(order[:, :k], axis=1).astype(np.uint16)


def whole(numbers: ranking.Numbers) -> list[int]:
    return [sum(int(limb) << (ranking.LIMB * place) for place, limb in enumerate(site)) for site in numbers.T]


def from_whole(values: list[int], count: int) -> ranking.Numbers:
    return np.array([ranking.split(value, count) for value in values], np.int64).T.reshape(count, len(values))


def test_the_example_of_the_docstring() -> None:
    assert whole(ranking.ranks(np.array([[1, 3, 4]], np.uint16), 5)) == [8]
    assert ranking.rank(np.array([[1, 3, 4], [0, 1, 2]], np.uint16), 5) == bytes([8])
    assert ranking.bits(5, 3) == 4


@pytest.mark.parametrize(
    ("atoms", "k", "bits"), [(256, 32, 136), (256, 128, 252), (256, 16, 84), (32, 16, 30), (4, 4, 0)]
)
def test_bits_are_the_least_that_do(atoms: int, k: int, bits: int) -> None:
    assert ranking.bits(atoms, k) == bits == math.ceil(math.log2(math.comb(atoms, k)))
    assert len(ranking.rank(supports(8, k, atoms), atoms)) == bits


def test_all_supports_of_a_small_case_have_all_numbers_once() -> None:
    every = np.array(sorted(itertools.combinations(range(9), 4), key=lambda each: each[::-1]), np.uint16)
    assert whole(ranking.ranks(every, 9)) == list(range(math.comb(9, 4)))
    assert np.array_equal(ranking.supports(ranking.ranks(every, 9), 4, 9), every)


@pytest.mark.parametrize(("atoms", "k"), SHAPES)
def test_numbers_are_those_of_whole_number_arithmetic(atoms: int, k: int) -> None:
    support = supports(13, k, atoms)
    expected = [sum(math.comb(int(c), j + 1) for j, c in enumerate(site)) for site in support]
    assert whole(ranking.ranks(support, atoms)) == expected
    assert np.array_equal(ranking.unrank(ranking.rank(support, atoms), 13, k, atoms), support)


@pytest.mark.parametrize(("atoms", "k"), SHAPES)
def test_the_first_and_the_last_number(atoms: int, k: int) -> None:
    total = math.comb(atoms, k)
    ends = from_whole([0, total - 1], ranking.limbs(ranking.bits(atoms, k)))
    expected = np.array([range(k), range(atoms - k, atoms)], np.uint16).reshape(2, k)
    assert np.array_equal(ranking.supports(ends, k, atoms), expected)


@given(data=some.data(), atoms=some.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_any_number_is_some_support_and_back(data: some.DataObject, atoms: int) -> None:
    k = data.draw(some.integers(0, atoms))
    total = math.comb(atoms, k)
    # Right beside a term, where a float alone would choose wrongly.
    near = [
        term + step
        for j in range(k)
        for term in [math.comb(data.draw(some.integers(j, atoms - 1)), j + 1)]
        for step in (-1, 0, 1)
    ][:90]
    values = [v for v in [*near, data.draw(some.integers(0, total - 1))] if 0 <= v < total]
    numbers = from_whole(values, ranking.limbs(ranking.bits(atoms, k)))
    found = ranking.supports(numbers, k, atoms)
    assert [sum(math.comb(int(c), j + 1) for j, c in enumerate(site)) for site in found] == values
    width = ranking.bits(atoms, k)
    assert np.array_equal(ranking.unpack(ranking.pack(numbers, width), slice(0, len(values)), width), numbers)


def test_more_sites_than_are_done_at_a_time() -> None:
    support = supports(2 * 8192 + 3, 3, 7)
    assert np.array_equal(ranking.unrank(ranking.rank(support, 7), len(support), 3, 7), support)


def test_no_site() -> None:
    assert ranking.rank(supports(0, 3, 7), 7) == b""
    assert ranking.unrank(b"", 0, 3, 7).shape == (0, 3)


@pytest.mark.parametrize(("atoms", "k"), [(9, 3), (256, 32), (256, 128)])
def test_a_number_that_is_no_support_is_refused(atoms: int, k: int) -> None:
    width, total = ranking.bits(atoms, k), math.comb(atoms, k)
    for value in (total, (1 << width) - 1):
        data = ranking.pack(from_whole([0, value], ranking.limbs(width)), width)
        with pytest.raises(VerificationFailed, match="stands for no support"):
            ranking.unrank(data, 2, k, atoms)


def test_other_lengths_and_a_filled_tail_are_refused() -> None:
    data = ranking.rank(supports(3, 3, 9), 9)  # 3 sites of 7 bits: 21 of 24 bits
    for wrong in (data[:-1], data + b"\0", data[:-1] + bytes([data[-1] | 0x80])):
        with pytest.raises(VerificationFailed, match="3 sites"):
            ranking.unrank(wrong, 3, 3, 9)


@pytest.mark.parametrize("wrong", [[[1, 1]], [[2, 1]], [[0, 9]]])
def test_what_is_no_support_has_no_rank(wrong: list[list[int]]) -> None:
    with pytest.raises(UsageError, match="ascending components below 9"):
        ranking.rank(np.array(wrong, np.uint16), 9)


@pytest.mark.parametrize(("atoms", "k"), [(4, 5), (4, -1), (1025, 1)])
def test_a_number_of_components_that_cannot_be(atoms: int, k: int) -> None:
    with pytest.raises(UsageError, match="expected at most all"):
        ranking.bits(atoms, k)


@given(
    data=some.data(),
    bound=some.one_of(some.integers(1, 1 << 200), some.sampled_from([1, 2, 1 << 48, 1 << 96])),
)
@settings(max_examples=60, deadline=None)
def test_sums_and_differences_modulo_a_bound(data: some.DataObject, bound: int) -> None:
    a, b = (data.draw(some.integers(0, bound - 1)) for _ in range(2))
    count = ranking.limbs((bound - 1).bit_length())
    one, other = from_whole([a, b, 0], count), from_whole([b, a, bound - 1], count)
    assert whole(ranking.add(one, other, bound)) == [(a + b) % bound, (a + b) % bound, bound - 1]
    assert whole(ranking.subtract(one, other, bound)) == [(a - b) % bound, (b - a) % bound, 1 % bound]
    assert list(ranking.below(one, max(a, 1))) == [a < max(a, 1), b < max(a, 1), True]
