"""The entropy coder: exact, near what the model says it can reach, and never silent about damage."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from medveil.core.errors import UsageError, VerificationFailed
from medveil.share.base import SparseLevel, Statistics
from medveil.share.codec import entropy, ranking
from medveil.share.codec.entropy import decode_level, encode_level, frequencies

from .sparse import made, same


@pytest.mark.parametrize(
    ("sites", "k", "atoms"),
    [(0, 3, 9), (1, 1, 2), (7, 9, 9), (300, 4, 64), (500, 16, 256), (40, 60, 64), (9, 200, 512)],
)
def test_a_level_comes_back_exactly(sites: int, k: int, atoms: int) -> None:
    case = made(sites, k, atoms, counted=100)
    data = encode_level(case.levels[0], case.statistics, 0)
    assert same(decode_level(data, case.statistics, 0, sites=sites, nonzeros=k), case.levels[0])


@given(seed=some.integers(0, 1000), sites=some.integers(1, 30), k=some.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_any_level_comes_back_also_one_unlike_the_training_images(seed: int, sites: int, k: int) -> None:
    other = made(sites, k, 8, seed=seed, steps=3).levels[0]
    statistics = made(1, 2, 8, seed=seed + 1, steps=3, counted=3).statistics
    data = encode_level(other, statistics, 0)
    assert same(decode_level(data, statistics, 0, sites=sites, nonzeros=k), other)


def test_nothing_was_counted() -> None:
    empty = Statistics(np.zeros((1, 64), np.int64), np.zeros((1, 64, 14), np.int64), 0)
    level = made(50, 5).levels[0]
    data = encode_level(level, empty, 0)
    assert same(decode_level(data, empty, 0, sites=50, nonzeros=5), level)
    assert len(data) * 8 < 50 * (ranking.bits(64, 5) + 5 * math.log2(14)) + 200


def test_the_bytes_stay_what_they_are() -> None:
    """A change here means that codes of older versions can no longer be read."""
    sites = np.arange(40)
    support = np.stack([sites % 3 == 0, 2 + sites % 2, 4 + sites * sites % 5, np.full(40, 9)], axis=1)
    values = np.stack([sites % 2 * 2 - 1, 1 + sites % 3, -1 - sites % 2, np.full(40, 2)], axis=1)
    level = SparseLevel(support.astype(np.uint16), values.astype(np.int16), 12)
    counts = np.outer(np.arange(12) % 5, [1, 2, 3, 4, 5, 6])
    chosen = np.bincount(support.ravel(), minlength=12)
    liked, unliked = (Statistics(each[None], counts[None], 40) for each in (chosen, 40 - chosen))
    for statistics, kind, expected in [
        (
            liked,
            1,
            (
                "011c000000e48cf85e757261b5e3362931449e80b3661e9ff50dedd1a430b92ed4a0515c8c3ed872"
                "514860c4fdc23a0dbfdb9a881f07957a6213474599dd7580b200972cea710a60cd9408920927c4f6"
                "e80dfd724eccfead99"
            ),
        ),
        (
            unliked,
            0,
            (
                "002d00000010998f708416ddd295a890a25cb7180d5a842b5722438972e15a3488d1ad5c8a0a25d2"
                "756b11a145b774252aa428d72d463ed872514860c4fdc23a0dbfdb9a881f07957a6213474599dd75"
                "80b200972cea710a60cd9408920927c4f6e80dfd724eccfead99"
            ),
        ),
    ]:
        data = encode_level(level, statistics, 0)
        assert data[0] == kind
        assert data.hex() == expected


def test_values_cost_what_their_model_says() -> None:
    case = made(3000, 6)
    level, counts = case.levels[0], case.statistics.values[0]
    shares = frequencies(counts, 1 << 24) / 2**24
    ideal = -np.log2(shares[level.support, entropy.symbols(level.values, 7)]).sum()
    spent = len(entropy._encode_values(level, counts)) * 8
    assert ideal <= spent <= ideal + 64


def test_supports_cost_what_their_model_says() -> None:
    """The model is a distribution over k-subsets: compared with one counted out over all of them."""
    chosen, k = np.array([9, 1, 5, 3, 7, 0]), 3
    odds = [max(1, ((int(each) + 1) << 16) // (10 - int(each) + 1)) for each in chosen]
    every = list(itertools.combinations(range(6), k))
    weights = [math.prod(odds[each] for each in one) for one in every]
    random = np.random.default_rng(0)
    drawn = random.choice(len(every), 4000, p=np.array(weights) / sum(weights))
    ideal = -sum(math.log2(weights[each] / sum(weights)) for each in drawn)
    spent = len(entropy._encode_supports(np.array(every, np.uint16)[drawn], chosen, 10)) * 8
    assert ideal - 1 <= spent <= ideal + 64


def test_the_shorter_way_is_taken_for_supports() -> None:
    case = made(400, 6)
    level = case.levels[0]
    assert encode_level(level, case.statistics, 0)[0] == 1
    contrary = dataclasses.replace(case.statistics, chosen=2000 - case.statistics.chosen)
    data = encode_level(level, contrary, 0)
    assert data[0] == 0
    assert int.from_bytes(data[1:5], "little") == 400 * ranking.bits(64, 6) // 8
    assert same(decode_level(data, contrary, 0, sites=400, nonzeros=6), level)


@pytest.mark.parametrize("total", [1 << 16, 1 << 24])
def test_frequencies_sum_up_and_none_is_zero(total: int) -> None:
    counts = np.array([[0, 0, 0, 0], [1 << 40, 0, 1, 3], [5, 5, 5, 5]])
    shares = frequencies(counts, total)
    assert shares.dtype == np.int64
    assert (shares.sum(axis=1) == total).all()
    assert shares.min() >= 1
    assert shares[0, 0] > 0.99 * total  # never seen: as all are
    assert abs(shares[2, 1] / total - 5 / 36) < 0.01  # 20 values of its own, 16 of all


@pytest.mark.parametrize(("sites", "k", "atoms"), [(60, 4, 32), (60, 5, 8), (60, 16, 256)])
def test_damage_is_always_noticed(sites: int, k: int, atoms: int) -> None:
    case = made(sites, k, atoms)
    good = encode_level(case.levels[0], case.statistics, 0)
    random = np.random.default_rng(5)
    said: Counter[str] = Counter()
    for turn in range(200):
        bad = bytearray(good)
        at = int(random.integers(len(bad)))
        if turn % 4 == 0:
            bad[at] ^= 1 << int(random.integers(8))
        elif turn % 4 == 1:
            del bad[at:]
        elif turn % 4 == 2:
            bad += random.bytes(int(random.integers(1, 9)))
        else:
            bad[at : at + 8] = bytes(each ^ 0x5A for each in bad[at : at + 8])
        with pytest.raises(VerificationFailed) as error:
            decode_level(bytes(bad), case.statistics, 0, sites=sites, nonzeros=k)
        said[error.value.message] += 1
    assert said.total() == 200


def test_other_statistics_and_other_sizes_are_noticed() -> None:
    case, other = made(60, 4), made(60, 4, seed=2)
    data = encode_level(case.levels[0], case.statistics, 0)
    for statistics, sites, nonzeros in [
        (other.statistics, 60, 4),
        (case.statistics, 61, 4),
        (case.statistics, 60, 5),
    ]:
        with pytest.raises(VerificationFailed):
            decode_level(data, statistics, 0, sites=sites, nonzeros=nonzeros)


def test_few_bytes_do_not_stand_for_a_memory_full() -> None:
    case = made(60, 4)
    with pytest.raises(UsageError, match="are asked for"):
        decode_level(b"\1" + bytes(8), case.statistics, 0, sites=1 << 27, nonzeros=4)


@pytest.mark.parametrize(
    ("support", "values", "match"),
    [
        ([[0, 1]], [[1, 0]], "never 0"),
        ([[0, 1]], [[1, 8]], "1 to 7 steps"),
        ([[0, 1]], [[1, -8]], "1 to 7 steps"),
        ([[1, 0]], [[1, 1]], "ascending"),
        ([[0, 64]], [[1, 1]], "below 64"),
        ([[0, 1]], [[1]], "do not agree"),
    ],
)
def test_what_is_no_level_is_not_encoded(
    support: list[list[int]], values: list[list[int]], match: str
) -> None:
    level = SparseLevel(np.array(support, np.uint16), np.array(values, np.int16), 64)
    with pytest.raises(UsageError, match=match):
        encode_level(level, made(1, 2).statistics, 0)


def test_statistics_that_cannot_be() -> None:
    case = made(3, 2)
    chosen, values, sites = case.statistics.chosen, case.statistics.values, case.statistics.sites
    for wrong, index in [
        (case.statistics, 1),
        (case.statistics, -1),
        (Statistics(chosen, values[:, :, 1:], sites), 0),
        (Statistics(chosen, values[:, 1:], sites), 0),
        (Statistics(chosen, values, 1), 0),
        (Statistics(chosen, -values, sites), 0),
    ]:
        with pytest.raises(UsageError, match="statistics"):
            encode_level(case.levels[0], wrong, index)
