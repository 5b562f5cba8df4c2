"""Decoys: on the complement only, distributed as true components are, the same on every machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.share.base import SparseLevel, Statistics
from medveil.share.codec import decoys
from medveil.share.codec.decoys import Stream, add_decoys, pick
from medveil.share.codec.entropy import frequencies, symbols

from .sparse import made, same

KEY = bytes(range(32))


def without(level: SparseLevel, places: np.ndarray) -> SparseLevel:
    """The decoys alone."""
    decoy = np.ones(level.support.shape, bool)
    np.put_along_axis(decoy, places.astype(int), False, axis=1)
    shape = (level.sites, -1)
    return SparseLevel(level.support[decoy].reshape(shape), level.values[decoy].reshape(shape), level.atoms)


def chi_square(counted: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """The statistic over cells that expect 5 or more, and the bound that chance passes once in some 10^6 times."""
    cells = expected >= 5
    statistic = ((counted - expected)[cells] ** 2 / expected[cells]).sum()
    free = cells.sum()
    return float(statistic), float(free + 5 * np.sqrt(2 * free) + 10)


@pytest.mark.parametrize("count", [0, 1, 5, 59])
def test_true_components_stay_and_decoys_stand_elsewhere(count: int) -> None:
    case = made(3000, 5)  # more than are done at a time
    level = case.levels[0]
    published, places = add_decoys(level, case.statistics, 0, count, KEY)
    assert published.support.shape == (3000, 5 + count)
    assert (np.diff(published.support.astype(int), axis=1) > 0).all()
    assert published.support.max() < 64
    assert published.values.all()
    assert abs(published.values).max() <= 7
    assert same(pick(published, places), level)
    assert (np.diff(places.astype(int), axis=1) > 0).all()


def test_a_key_gives_its_decoys_and_no_other() -> None:
    case = made(200, 5)
    one, places = add_decoys(case.levels[0], case.statistics, 0, 6, KEY)
    again, _ = add_decoys(case.levels[0], case.statistics, 0, 6, KEY)
    other, _ = add_decoys(case.levels[0], case.statistics, 0, 6, KEY[::-1])
    assert same(one, again)
    assert not np.array_equal(one.support, other.support)
    assert not np.array_equal(without(one, places).values[:, 0], without(one, places).values[0, 0])


def test_more_decoys_are_the_same_ones_and_others() -> None:
    """So what releases with different numbers share is the smaller one and not the true components."""
    case = made(100, 5)
    few, _ = add_decoys(case.levels[0], case.statistics, 0, 4, KEY)
    many, _ = add_decoys(case.levels[0], case.statistics, 0, 20, KEY)
    for one, other in zip(few.support, many.support, strict=True):
        assert set(one.tolist()) < set(other.tolist())


def test_values_are_distributed_as_those_of_true_components() -> None:
    case = made(8000, 8, counted=4000)
    published, places = add_decoys(case.levels[0], case.statistics, 0, 8, KEY)
    decoy = without(published, places)
    counted = np.zeros((64, 14))
    np.add.at(counted, (decoy.support, symbols(decoy.values, 7)), 1)
    shares = frequencies(case.statistics.values[0], 1 << 16) / 2**16
    statistic, bound = chi_square(counted, counted.sum(axis=1, keepdims=True) * shares)
    assert statistic < bound
    # The test can fail: the histogram of all components does not fit each of them.
    pooled = case.statistics.values[0].sum(axis=0) / case.statistics.values[0].sum()
    statistic, bound = chi_square(counted, counted.sum(axis=1, keepdims=True) * pooled)
    assert statistic > 3 * bound


def test_the_first_decoy_comes_by_the_rates_of_what_is_left() -> None:
    sites, atoms = 20000, 12
    chosen = np.array([1900, 5, 400, 900, 0, 1000, 50, 20, 700, 1300, 2000, 600])
    statistics = Statistics(chosen[None], np.ones((1, atoms, 4), np.int64), 2000)
    support = np.tile(np.array([[0, 5, 10]], np.uint16), (sites, 1))
    level = SparseLevel(support, np.ones((sites, 3), np.int16), atoms)
    published, places = add_decoys(level, statistics, 0, 1, KEY)
    counted = np.bincount(without(published, places).support.ravel(), minlength=atoms)
    rates = -np.log((2000 - chosen + 0.5) / 2001)
    rates[[0, 5, 10]] = 0
    statistic, bound = chi_square(counted, sites * rates / rates.sum())
    assert statistic < bound
    assert counted[[0, 5, 10]].sum() == 0


def test_decoys_follow_the_frequencies_of_true_components() -> None:
    """Given everything is free, component m is a decoy about as often as it is true."""
    case = made(6000, 8, counted=6000)
    fresh = SparseLevel(np.empty((6000, 0), np.uint16), np.empty((6000, 0), np.int16), 64)
    published, _ = add_decoys(fresh, case.statistics, 0, 8, KEY)
    share = np.bincount(published.support.ravel(), minlength=64) / 6000
    assert abs(share - case.statistics.chosen[0] / 6000).max() < 0.05


def test_logarithms_are_right() -> None:
    numbers = np.array([1, 2, 3, 7, 65535, 131071, (1 << 45) + 12345, 1 << 52], np.uint64)
    assert np.allclose(decoys._log2(numbers, 30) / 2**30, np.log2(numbers.astype(float)), rtol=0, atol=4e-9)


def test_the_stream_is_chacha20_of_rfc_8439() -> None:
    """Its first test vector: a key of zeros, a counter and a nonce of zeros."""
    expected = "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
    stream = Stream(bytes(32))
    assert (stream.octets(5).tobytes() + stream.octets(27).tobytes()).hex() == expected
    assert Stream(bytes(32), 1).octets(8).tobytes().hex() != expected[:16]
    assert Stream(bytes(32)).words(2).tolist() == [0xB876, 0xADE0]


def test_decoys_stay_what_they_are(tmp_path: Path) -> None:
    """Here and in another process with other threads. A change here would release images anew, in another way."""
    sites = np.arange(300)
    support = np.stack([sites % 3, 3 + sites * sites % 7, 10 + sites % 2], axis=1).astype(np.uint16)
    level = SparseLevel(support, (1 + support % 3).astype(np.int16), 20)
    statistics = Statistics(np.arange(20)[None] * 50, np.arange(120).reshape(1, 20, 6), 1000)
    published, _ = add_decoys(level, statistics, 0, 5, KEY)
    data = published.support.astype("<u2").tobytes() + published.values.astype("<i2").tobytes()
    assert (
        hashlib.sha256(data).hexdigest() == "44b031dd4bf767f531c4967db4b433bc3b5d0090f0ded6b522192add90011cfb"
    )
    np.savez(tmp_path / "case.npz", support=level.support, values=level.values)
    program = (
        "import sys, hashlib, numpy as np\n"
        "from medveil.share.base import SparseLevel, Statistics\n"
        "from medveil.share.codec.decoys import add_decoys\n"
        "case = np.load(sys.argv[1])\n"
        "statistics = Statistics(np.arange(20)[None] * 50, np.arange(120).reshape(1, 20, 6), 1000)\n"
        "level = SparseLevel(case['support'], case['values'], 20)\n"
        "published, _ = add_decoys(level, statistics, 0, 5, bytes(range(32)))\n"
        "data = published.support.astype('<u2').tobytes() + published.values.astype('<i2').tobytes()\n"
        "print(hashlib.sha256(data).hexdigest())\n"
    )
    for threads, features in [("1", ""), ("2", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 AVX512_SKX")]:
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "case.npz")],
            env={"OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads, "NPY_DISABLE_CPU_FEATURES": features},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("count", [-1, 60])
def test_more_decoys_than_there_is_room_for(count: int) -> None:
    case = made(3, 5)
    with pytest.raises(UsageError, match="expected 0 to 59"):
        add_decoys(case.levels[0], case.statistics, 0, count, KEY)
