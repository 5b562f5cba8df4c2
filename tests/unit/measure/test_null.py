"""Chance is what a guesser gets."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from medveil.core.scores import Scores, join
from medveil.measure.null import derangements, exchangeable, permutation_p, random_derangement
from medveil.measure.verification.auc import auc
from medveil.measure.verification.eer import eer


@pytest.mark.parametrize("n", [2, 3, 5, 40])
def test_nobody_stays_in_place(n: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        d = random_derangement(n, rng)
        assert sorted(d) == list(range(n))
        assert not (d == np.arange(n)).any()


def test_all_nine_derangements_of_four_are_equally_likely() -> None:
    rng = np.random.default_rng(1)
    seen = Counter(tuple(random_derangement(4, rng)) for _ in range(9000))
    assert len(seen) == 9
    # chi-squared with 8 degrees of freedom: 26 is exceeded once in a thousand
    assert sum((c - 1000) ** 2 / 1000 for c in seen.values()) < 26


def test_a_round_matches_everyone_with_another_and_leaves_true_pairs_out(everyone) -> None:
    scores = join(everyone(3, 50.0, scans=2))  # true pairs would be seen from afar
    null = derangements(scores, np.random.default_rng(0), 30)
    expected = []
    for d in (np.array([1, 2, 0]), np.array([2, 0, 1])):
        claimed = d[scores.probe] == scores.gallery
        m, n = scores.score[claimed], scores.score[~claimed & ~scores.is_mated]
        expected.append((auc(m, n), eer(m, n)))
    found = set(zip(null.values["auc"].round(9), null.values["eer"].round(9), strict=True))
    assert found == {(round(a, 9), round(e, 9)) for a, e in expected}


def test_the_mean_is_chance_even_for_a_perfect_attack(everyone) -> None:
    scores = join(everyone(40, 50.0))
    null = derangements(scores, np.random.default_rng(0), 200)
    assert null.mean("auc") == pytest.approx(0.5, abs=0.01)
    assert null.mean("eer_interpolated") == pytest.approx(0.5, abs=0.01)
    assert null.mean("rank_1") == pytest.approx(1 / 39, abs=0.005)
    low, high = null.range("auc")
    assert 0.35 < low < 0.5 < high < 0.65


def test_the_spread_is_that_of_the_mann_whitney_statistic() -> None:
    """1 / sqrt(12 N) for independent scores; less for distances, in which a person's luck is on both sides."""
    rng = np.random.default_rng(5)
    n = 49
    who = np.repeat(np.arange(n), n), np.tile(np.arange(n), n), np.repeat(np.arange(n), n)
    independent = Scores(rng.normal(size=n * n), *who, n)
    a, b = rng.normal(size=(2, n, 10))
    distances = Scores(-np.linalg.norm(a[:, None] - b[None], axis=2).ravel(), *who, n)
    spread = [derangements(s, rng, 300).values["auc"].std() for s in (independent, distances)]
    assert spread[0] == pytest.approx(1 / np.sqrt(12 * n), rel=0.15)
    assert spread[1] == pytest.approx(0.22 / np.sqrt(n), rel=0.2)


@pytest.mark.parametrize("persons", [1, 2])
def test_one_or_two_persons_have_no_null(everyone, persons: int) -> None:
    null = derangements(join(everyone(persons, 1.0)), np.random.default_rng(0), 10)
    assert null.mean("auc") is None
    assert null.range("auc") is None


def test_only_persons_on_both_sides_are_deranged(table) -> None:
    claims = table(
        [(p, "1", g, "1", float(i)) for i, (p, g) in enumerate((p, g) for p in "abcx" for g in "abcyz")]
    )
    null = derangements(join(claims), np.random.default_rng(0), 5)
    assert np.isfinite(null.values["auc"]).all()


def test_p_is_small_for_an_attack_that_works_and_not_for_a_guess(everyone) -> None:
    works = permutation_p(join(everyone(20, 3.0)), np.random.default_rng(0), 500)
    assert works.auc == pytest.approx(1 / 501)
    assert works.rank_1 == pytest.approx(1 / 501)
    guess = permutation_p(join(everyone(20, 0.0)), np.random.default_rng(0), 500)
    assert guess.auc > 0.05
    assert permutation_p(join(everyone(20, -3.0)), np.random.default_rng(0), 500).auc > 0.99


def test_scores_that_never_vary_have_p_one() -> None:
    n = 6
    scores = Scores(
        np.zeros(n * n),
        np.repeat(np.arange(n), n),
        np.tile(np.arange(n), n),
        np.repeat(np.arange(n), n),
        n,
    )
    p = permutation_p(scores, np.random.default_rng(0), 50)
    assert (p.auc, p.rank_1) == (1.0, 1.0)


def test_three_persons_cannot_prove_anything(everyone) -> None:
    assert permutation_p(join(everyone(3, 50.0)), np.random.default_rng(0), 2000).auc == pytest.approx(
        1 / 6, abs=0.04
    )
    assert permutation_p(join(everyone(1, 1.0)), np.random.default_rng(0), 10).auc is None


def test_p_counts_as_a_slow_recount_does(everyone) -> None:
    """Same permutations, AUC computed from the pairs themselves."""
    scores = join(everyone(6, 0.6, scans=2, photos=2))
    observed = auc(scores.mated, scores.non_mated)
    rng = np.random.default_rng(9)
    reached = 0
    for _ in range(300):
        mate = rng.permutation(6)
        claimed = mate[scores.probe] == scores.gallery
        reached += auc(scores.score[claimed], scores.score[~claimed]) >= observed - 1e-12
    assert permutation_p(scores, np.random.default_rng(9), 300).auc == (1 + reached) / 301


@pytest.mark.slow
def test_p_is_uniform_under_chance(everyone) -> None:
    p = [
        permutation_p(join(everyone(12, 0.0, seed=s)), np.random.default_rng(s), 100).auc for s in range(200)
    ]
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.045)
    assert np.mean(np.array(p) < 0.5) == pytest.approx(0.5, abs=0.1)


def test_a_table_of_hand_picked_impostors_cannot_be_permuted(table) -> None:
    """Mated pairs and one impostor each: a permuted pair hardly ever has a score."""
    rng = np.random.default_rng(0)
    rows = [(f"p{i}", "1", f"p{j}", "1", rng.normal()) for i in range(30) for j in (i, (i + 1) % 30)]
    scores = join(table(rows))
    assert not exchangeable(scores)
    assert permutation_p(scores, rng, 50).auc is None
    assert derangements(scores, rng, 50).mean("auc") is None


def test_a_few_missing_comparisons_do_no_harm(everyone) -> None:
    scores = join(everyone(12, 3.0))
    kept = np.ones(144, dtype=bool)
    kept[[5, 50, 100]] = False
    part = Scores(scores.score[kept], scores.probe[kept], scores.gallery[kept], scores.probe_image[kept], 12)
    assert exchangeable(part)
    assert permutation_p(part, np.random.default_rng(0), 200).auc < 0.02
