"""Floors and statistics: they find decoys that stand out, and nothing where nothing stands out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from medveil.attack.decode.base import CodeThreat, DecodeAttack
from medveil.attack.decode.by_frequency import ByFrequency
from medveil.attack.decode.by_magnitude import ByMagnitude
from medveil.attack.decode.by_neighbours import ByNeighbours
from medveil.attack.decode.by_value import ByValue, places, ratio
from medveil.attack.decode.mean_image import MeanImage, fitted
from medveil.attack.decode.naive import Naive
from medveil.attack.decode.random_support import RandomSupport
from medveil.attack.decode.two_releases import TwoReleases
from medveil.core.errors import UsageError
from medveil.core.sparse import CodePair, PublicCode, SparseLevel

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from .codes_to_learn import auc, decibel, pair, threat  # noqa: E402 - needs torch

ALL: list[DecodeAttack] = [
    MeanImage(), RandomSupport(), Naive(), ByMagnitude(), ByValue(), ByFrequency(), ByNeighbours(), TwoReleases(),
]  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def told() -> CodeThreat:
    return threat(told=True, count=8)


@pytest.fixture(scope="module")
def hidden() -> CodeThreat:
    return threat(told=False, count=8)


def mean_auc(attack: DecodeAttack, codes: list[CodePair], holds: CodeThreat) -> float:
    claims = attack.run([c.code for c in codes], holds, condition="public")
    return float(
        np.mean(
            [
                auc(s, t)
                for claim, code in zip(claims, codes, strict=True)
                for s, t in zip(claim.scores or (), code.true, strict=True)
            ]
        )
    )


@pytest.mark.parametrize("attack", ALL, ids=lambda a: a.name)
def test_each_claims_something_of_every_code_and_the_same_each_time(
    attack: DecodeAttack, told: CodeThreat
) -> None:
    codes = [pair(told.net, seed, True, *size) for seed, size in ((100, (64, 64)), (101, (64, 80)))]
    assert isinstance(attack, DecodeAttack)
    one, two = (attack.run([c.code for c in codes], told, condition="public") for _ in range(2))
    for a, b, code in zip(one, two, codes, strict=True):
        assert (a.attack, a.condition) == (attack.name, "public")
        assert a.scores is not None or a.picture is not None
        if a.picture is not None:
            assert a.picture.shape == (code.code.height, code.code.width)
            assert (a.picture == b.picture).all()
        for s, t in zip(a.scores or (), code.true, strict=bool(a.scores)):
            assert s.shape == t.shape


@pytest.mark.parametrize("attack", ALL[2:], ids=lambda a: a.name)
def test_a_code_of_another_network_is_refused(attack: DecodeAttack, told: CodeThreat) -> None:
    level = SparseLevel(np.array([[1, 2]], np.uint16), np.array([[1, 2]], np.int16), 99)
    with pytest.raises(UsageError, match="not of the attacker's network"):
        attack.run([PublicCode((level,), 1, 16, 16)], told, condition="public")


@pytest.mark.parametrize("attack", [ByValue(), ByFrequency(), ByNeighbours()], ids=lambda a: a.name)
def test_positive_control_and_null(attack: DecodeAttack, told: CodeThreat, hidden: CodeThreat) -> None:
    loud = [pair(told.net, seed, True) for seed in (100, 101, 102)]
    alike = [pair(hidden.net, seed, False) for seed in (100, 101, 102)]
    least = 0.97 if attack.name == "decode.by_value" else 0.7  # neighbours look at no value
    assert mean_auc(attack, loud, told) > least
    assert abs(mean_auc(attack, alike, hidden) - 0.5) < 0.06


def test_magnitude_is_turned_round_by_loud_decoys_and_value_is_not(told: CodeThreat) -> None:
    loud = [pair(told.net, 100, True)]
    assert mean_auc(ByMagnitude(), loud, told) < 0.05
    assert mean_auc(RandomSupport(), loud, told) == pytest.approx(0.5, abs=0.05)


def test_neighbours_need_no_pairs_but_gain_by_them(told: CodeThreat) -> None:
    codes = [pair(told.net, seed, True) for seed in (100, 101)]
    alone = mean_auc(ByNeighbours(), codes, replace(told, pairs=()))
    assert 0.5 < alone < mean_auc(ByNeighbours(), codes, told)


def test_two_releases_of_one_image_give_it_away(told: CodeThreat) -> None:
    first, stranger = pair(told.net, 100, True), pair(told.net, 101, True)
    second = reobfuscated(first)
    attack = TwoReleases()
    claims = attack.run([c.code for c in (first, stranger, second)], told, condition="public")
    assert [c.notes["releases"] for c in claims] == [1, 0, 1]
    assert auc((claims[0].scores or ())[0], first.true[0]) > 0.95
    assert claims[0].picture is not None
    assert claims[1].picture is None
    assert not any(s.any() for s in claims[1].scores or ())


def test_the_naive_picture_is_worse_than_that_of_the_true_components(told: CodeThreat) -> None:
    code = pair(told.net, 100, True)
    naive = Naive().run([code.code], told, condition="public")[0].picture
    right = ByValue().run([code.code], told, condition="public")[0].picture
    assert naive is not None
    assert right is not None
    assert decibel(naive, code.picture) < decibel(right, code.picture)


def test_the_mean_is_that_of_others_or_grey(told: CodeThreat) -> None:
    codes = [pair(told.net, 100, True).code]
    mean = MeanImage().run(codes, told, condition="public")[0].picture
    assert mean == pytest.approx(np.mean([p.picture for p in told.pairs], axis=0), abs=1e-6)
    grey = MeanImage().run(codes, replace(told, pairs=()), condition="public")[0].picture
    assert grey is not None
    assert (grey == 0.5).all()


def test_a_picture_of_another_shape_is_cut_in_the_middle_and_not_stretched() -> None:
    wide = np.tile(np.linspace(0, 1, 40, dtype=np.float32), (20, 1))
    square = fitted(wide, 20, 20)
    assert square == pytest.approx(wide[:, 10:30], abs=1e-6)


def test_values_stand_in_a_histogram_by_sign_and_step() -> None:
    assert places(np.array([-2, -1, 1, 2], np.int16), 4).tolist() == [0, 1, 2, 3]
    told = ratio(np.array([0, 8, 0, 8]), np.array([4, 4, 4, 4]), weight=0.0 + 1e-9)
    assert told[1] == pytest.approx(np.log(2))
    assert told[0] < -10


def reobfuscated(code: CodePair) -> CodePair:
    """The same true components among other decoys."""
    draw = np.random.default_rng(9)
    levels, flags = [], []
    for level, true in zip(code.code.levels, code.true, strict=True):
        k, count = code.code.nonzeros, level.nonzeros - code.code.nonzeros
        support = level.support[true].reshape(-1, k).astype(int)
        order = draw.random((level.sites, level.atoms))
        np.put_along_axis(order, support, 2.0, axis=1)
        both = np.concatenate([support, np.argsort(order, axis=1)[:, :count]], axis=1)
        values = np.concatenate(
            [level.values[true].reshape(-1, k), draw.integers(50, 99, (level.sites, count))], axis=1
        )
        by = np.argsort(both, axis=1)
        levels.append(
            SparseLevel(
                np.take_along_axis(both, by, 1).astype(np.uint16),
                np.take_along_axis(values, by, 1).astype(np.int16),
                level.atoms,
            )
        )
        flags.append(np.take_along_axis(np.arange(both.shape[1])[None] < k, by, 1))
    return replace(code, code=replace(code.code, levels=tuple(levels)), true=tuple(flags))
