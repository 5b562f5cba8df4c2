"""Codes to attack with what they hide, the positive control, and one attack measured on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from medveil.attack.decode.by_magnitude import ByMagnitude
from medveil.attack.decode.by_value import ByValue
from medveil.attack.decode.naive import Naive
from medveil.attack.decode.random_support import RandomSupport
from medveil.carry.decoding import (
    Bench,
    authorised,
    flagged,
    pair_of,
    pairs_of,
    threat_of,
    true_of,
    unprotected,
)
from medveil.core.errors import UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair, SparseLevel
from medveil.share.codec.primis import Primis
from medveil.share.keys import LevelKeys

torch = pytest.importorskip("torch", reason="learned codes need the extra `learn`")


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def codec() -> Primis:
    return Primis("films-4")


def film(seed: int) -> Image:
    y, x = np.mgrid[:96, :112] / 64
    a, b = np.random.default_rng(seed).uniform(1, 3, 2)
    picture = 0.5 + 0.3 * np.sin(a * x + b * y**2) + 0.15 * (np.sin(9 * x) > 0.6)
    return Image(np.round(picture.clip(0, 1) * 255).astype(np.uint8), np.eye(4), "film")


@pytest.fixture(scope="module")
def pairs(codec: Primis) -> list[CodePair]:
    return [pair_of(codec, film(n), LevelKeys.new(4), decoys=12, group=f"p{n}") for n in range(2)]


def test_a_pair_holds_the_code_and_what_it_hides(codec: Primis, pairs: list[CodePair]) -> None:
    for n, pair in enumerate(pairs):
        assert (pair.code.nonzeros, pair.code.decoys) == (4, 12)
        for true, level in zip(codec.sparse(film(n)), true_of(pair), strict=True):
            assert (true.support == level.support).all()
            assert (true.values == level.values).all()
        opened = authorised([pair], threat_of(codec))[0]
        assert float(np.square(opened - pair.picture).mean()) < 0.002


def test_a_volume_is_a_pair_a_slice(codec: Primis) -> None:
    volume = Image(np.stack([film(n).data for n in range(3)], axis=2), np.diag([1.0, 1.0, 3.0, 1.0]))
    levels = codec.sparse(volume)
    found = pairs_of(levels, levels, [film(n).data / np.float32(255) for n in range(3)], "v")
    assert [p.code.levels[0].sites for p in found] == [7 * 8] * 3
    assert (found[1].code.levels[2].support == codec.sparse(film(1))[2].support).mean() > 0.8


def test_what_is_not_published_cannot_be_true(pairs: list[CodePair]) -> None:
    both, true = pairs[0].code.levels[0], true_of(pairs[0])[0]
    assert int(flagged(both, true).sum()) == true.support.size
    with pytest.raises(VerificationFailed, match="does not hold"):
        flagged(SparseLevel(both.support[::-1].copy(), both.values, both.atoms), true)


def test_unprotected_codes_hide_nothing(codec: Primis, pairs: list[CodePair]) -> None:
    draw = np.random.default_rng(0)
    loud = unprotected(pairs[0], codec.statistics, draw, decoys=True)
    bare = unprotected(pairs[0], codec.statistics, draw, decoys=False)
    assert (loud.code.decoys, bare.code.decoys) == (12, 0)
    for code in (loud, bare):
        for a, b in zip(true_of(code), true_of(pairs[0]), strict=True):
            assert (a.support == b.support).all()
            assert (a.values == b.values).all()
    bench = Bench([loud], threat_of(codec), Seeds(0))
    assert (bench.attacked(ByValue()).estimates["auc"].value or 0) > 0.85


def test_an_attack_that_proves_nothing_is_tried_on_an_unprotected_code(
    codec: Primis, pairs: list[CodePair]
) -> None:
    """Here truth is drawn by lot from what is published, so nobody can know."""
    draw = np.random.default_rng(1)
    lots = [replace(p, true=tuple(draw.permuted(t, axis=1) for t in p.true)) for p in pairs]
    bench = Bench(lots, threat_of(codec), Seeds(0))
    found = bench.attacked(ByMagnitude(), attacks=1)
    assert found.p_value is not None
    assert found.p_value > 0.001
    assert found.control
    assert found.control_p is not None
    assert not Bench(lots, threat_of(codec), Seeds(0), control=False).attacked(ByMagnitude()).control
    assert bench.attacked(RandomSupport()).p_value is None
    assert bench.attacked(Naive()).p_value is None  # a picture, and too few people


def test_an_attack_that_learns_needs_others(codec: Primis, pairs: list[CodePair]) -> None:
    class Hungry(Naive):
        learns = True

    with pytest.raises(UsageError, match="learns from films of other people"):
        Bench(pairs, threat_of(codec), Seeds(0)).attacked(Hungry())
