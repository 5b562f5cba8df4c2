"""Scores against truth: cases counted by hand, chance, certainty, and what is left in between."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.measure.decoding.ambiguity import bits_left, calibrated, count_bits, log_sum, residual
from medveil.measure.decoding.joined import Joined
from medveil.measure.decoding.separation import area, separation
from medveil.measure.decoding.support import better_than_lots, chosen, found_and_solved

from .made import AMONG, K, joined, pair

SEEDS = Seeds(0)


def test_the_area_is_that_of_all_pairs() -> None:
    draw = np.random.default_rng(0)
    scores, true = draw.integers(0, 6, (9, 5)).astype(float), draw.random((9, 5)) < 0.4
    pairs = list(itertools.product(scores[true], scores[~true]))
    assert area(scores, true) == pytest.approx(np.mean([(a > b) + (a == b) / 2 for a, b in pairs]))
    assert area(scores, np.ones_like(true)) is None


def test_ties_are_worth_what_a_lot_among_them_finds() -> None:
    scores = np.array([[9.0, 7, 7, 7, 2], [5, 4, 3, 2, 1], [1, 1, 1, 1, 1]])
    true = np.array([[1, 0, 1, 0, 0], [1, 1, 0, 0, 0], [0, 0, 0, 1, 1]], bool)
    got = chosen(scores, true)
    assert got.found == pytest.approx([1 + 1 / 3, 2, 2 * 2 / 5])
    assert got.solved == pytest.approx([1 / 3, 1, 1 / math.comb(5, 2)])


def test_a_wrong_best_one_solves_nothing() -> None:
    got = chosen(np.array([[3.0, 2, 1]]), np.array([[False, True, False]]))
    assert (got.found[0], got.solved[0]) == (0, 0)


@pytest.mark.parametrize(("strength", "auc"), [(0.0, 0.5), (1.0, 0.76), (50.0, 1.0)])
def test_estimates_follow_what_scores_know(strength: float, auc: float) -> None:
    one = joined(strength)
    told = separation(one, SEEDS) | found_and_solved(one, SEEDS)
    assert told["auc"].value == pytest.approx(auc, abs=0.03)
    assert told["auc"].n == 6
    assert told["auc"].low is not None
    assert told["found"].chance == K / AMONG
    assert set(told) >= {"auc_level_1", "auc_level_2", "found_level_2", "solved"}
    if strength == 50:
        assert told["solved"].value == told["found"].value == 1
    p = better_than_lots(one)
    assert p < 1e-10 if strength else p > 0.01


def test_films_of_one_person_count_once() -> None:
    one = joined(1.0, count=6)
    pairs = [pair(n, group="same") for n in range(6)]
    assert separation(Joined(one.claims, pairs), SEEDS)["auc"].n == 1


def test_one_code_gets_no_interval_but_a_test() -> None:
    one = joined(0.5, count=1)
    told = separation(one, SEEDS)["auc"]
    assert told.value is not None
    assert told.low is None
    assert better_than_lots(one) < 0.001


def test_claims_of_other_codes_are_refused() -> None:
    one = joined(0.0, count=2)
    with pytest.raises(UsageError, match="2 claims of 1"):
        Joined(one.claims, one.pairs[:1])
    short = Decoded((np.zeros((3, 3), np.float32),) * 2, None, "decode.made", "public", {})
    with pytest.raises(UsageError, match="another shape"):
        Joined([short], one.pairs[:1])
    small = Decoded(None, np.zeros((3, 3), np.float32), "decode.made", "public", {})
    with pytest.raises(UsageError, match="another size"):
        Joined([small], one.pairs[:1])


def test_the_sum_over_supports_is_that_of_all_of_them() -> None:
    log_w = np.random.default_rng(1).normal(size=(3, 6))
    total, mean = log_sum(log_w, 2)
    for row, t, m in zip(log_w, total, mean, strict=True):
        weights = [math.exp(row[i] + row[j]) for i, j in itertools.combinations(range(6), 2)]
        logs = [row[i] + row[j] for i, j in itertools.combinations(range(6), 2)]
        assert t == pytest.approx(math.log(sum(weights)))
        assert m == pytest.approx(np.dot(weights, logs) / sum(weights))


def test_bits_left_without_and_with_knowledge() -> None:
    true = np.array([[True, True, False, False, False]])
    entropy, told = bits_left(np.zeros((1, 5)), true)
    assert entropy[0] == told[0] == pytest.approx(math.log2(10)) == count_bits(5, 2)
    sure, right = bits_left(np.where(true, 40.0, -40.0), true)
    assert sure[0] == pytest.approx(0, abs=1e-6)
    assert right[0] == pytest.approx(0, abs=1e-6)
    _, wrong = bits_left(np.where(true, -40.0, 40.0), true)
    assert wrong[0] > 100  # whoever is sure and wrong pays: the bound notices what the entropy does not


def test_calibration_gives_the_odds_of_a_score() -> None:
    draw = np.random.default_rng(2)
    true = draw.random(40_000) < 0.3
    scores = draw.normal(size=40_000) + 2 * true
    odds = calibrated(scores, true)(np.array([-0.5, 1.0, 2.5]))
    exact = 2 * np.array([-0.5, 1.0, 2.5]) - 2 + math.log(0.3 / 0.7)
    assert odds == pytest.approx(exact, abs=0.35)


def test_the_bound_falls_from_the_count_to_nothing() -> None:
    found = [residual(joined(s), SEEDS) for s in (0.0, 1.0, 50.0)]
    bits = [f["residual_bits_bound"].value or 0.0 for f in found]
    assert bits[0] == pytest.approx(count_bits(AMONG, K), abs=0.35)
    assert bits[0] > bits[1] > bits[2]
    assert bits[2] < 0.2
    assert found[1]["residual_bits"].value == pytest.approx(bits[1], rel=0.1)


def test_calibration_takes_other_people() -> None:
    alone = joined(1.0, count=1)
    assert residual(alone, SEEDS)["residual_bits_bound"].value is None
    others = joined(1.0, count=6, first=50)
    assert residual(alone, SEEDS, others)["residual_bits_bound"].value == pytest.approx(
        residual(joined(1.0), SEEDS)["residual_bits_bound"].value, rel=0.15
    )


def test_the_test_holds_its_level_and_sees_ranks_where_the_best_are_wrong() -> None:
    p = [better_than_lots(joined(0.0, count=1, first=n)) for n in range(200)]
    assert np.mean(np.array(p) < 0.05) < 0.09
    one = joined(0.0, count=1)
    order = np.random.default_rng(5).random((len(one.pairs[0].true[0]), AMONG))
    order[:, :2] += 2  # two decoys beyond all; of the others the true ones are above
    true = order.argsort(axis=1).argsort(axis=1)
    flags = (true >= AMONG - 2 - K) & (true < AMONG - 2)
    pair_ = replace(one.pairs[0], true=(flags,) * 2)
    best_wrong = Joined([Decoded((order.astype(np.float32),) * 2, None, "d", "p", {})], [pair_])
    assert better_than_lots(best_wrong) < 1e-10
    nothing = Decoded((np.zeros(order.shape, np.float32),) * 2, None, "d", "p", {})
    assert better_than_lots(Joined([nothing], [pair_])) == 1
