"""Rank-1 by size of the gallery, and the open set made from a closed one."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from medveil.core.scores import Scores
from medveil.core.seeds import Seeds
from medveil.measure.summary import summarise
from medveil.measure.verification.gallery import gallery_sizes, rank_1_chances
from medveil.measure.verification.identification import Rankings, rank_k
from medveil.measure.verification.open_set import OpenSet, Searches, dir_left_out


def square(score: np.ndarray) -> Scores:
    n = len(score)
    row, column = (x.ravel() for x in np.indices(score.shape))
    return Scores(score.ravel().astype(float), row, column, row, n)


def test_four_people_by_hand() -> None:
    # Rank 2 of 4: one person ahead. With one other drawn, 2 of 3 times not that one; with two, 1 of 3 times.
    got = rank_1_chances(np.array([1, 2, 4]), np.array([4, 4, 4]), np.array([2, 3, 4]))
    np.testing.assert_allclose(got, [[1, 1, 1], [2 / 3, 1 / 3, 0], [0, 0, 0]])


@pytest.mark.parametrize("tied", [False, True])
def test_the_formula_is_the_mean_over_all_galleries(tied: bool) -> None:
    rng = np.random.default_rng(4)
    score = rng.normal(size=(7, 7)) + np.eye(7)
    score = score.round(0) if tied else score
    ranks = Rankings.of(square(score)).ranks()
    for size in range(2, 8):
        hits = []
        for i in range(7):
            for others in combinations([j for j in range(7) if j != i], size - 1):
                hits.append(all(score[i, i] > score[i, j] for j in others))
        got = rank_1_chances(ranks, np.full(7, 7), np.array([size])).mean()
        assert got == pytest.approx(np.mean(hits))


def test_large_galleries_keep_their_digits_and_agree_with_drawn_ones() -> None:
    rng = np.random.default_rng(0)
    rank, n, g = np.array([1, 2, 40, 99_991]), 100_000, 2_000
    got = rank_1_chances(rank, np.full(4, n), np.array([g]))[:, 0]
    drawn = [np.mean(rng.hypergeometric(r - 1, n - r, g - 1, 200_000) == 0) if r > 1 else 1.0 for r in rank]
    np.testing.assert_allclose(got, drawn, atol=0.004)
    whole = rank_1_chances(rank, np.full(4, n), np.array([n]))[:, 0]
    np.testing.assert_allclose(whole, [1, 0, 0, 0], atol=1e-9)


def test_a_guesser_has_one_in_g(everyone) -> None:
    condition = summarise(everyone(40, 0.0, scans=5), None, seeds=Seeds(1), rounds=60, null_rounds=10)
    curves = condition.curves
    assert curves.gallery_sizes == [2, 5, 10, 20, 40]
    for size, value, low, high in zip(
        curves.gallery_sizes, curves.rank1_by_size, curves.rank1_low, curves.rank1_high, strict=True
    ):
        assert low <= value <= high
        assert low <= 1 / size <= high
    assert curves.rank1_by_size == sorted(curves.rank1_by_size, reverse=True)
    assert curves.rank1_by_size[-1] == pytest.approx(condition.estimates["rank_1"].value)
    assert condition.estimates["rank_1_of_10"].value == pytest.approx(curves.rank1_by_size[2])
    assert condition.estimates["rank_1_of_10"].chance == 0.1


def test_a_gallery_of_fewer_than_ten_has_no_rank_1_of_ten(everyone) -> None:
    condition = summarise(everyone(9, 2.0), None, seeds=Seeds(1), rounds=20, null_rounds=10)
    assert condition.estimates["rank_1_of_10"].value is None
    assert "needs a gallery of 10" in condition.estimates["rank_1_of_10"].note
    assert condition.curves.gallery_sizes == [2, 5, 9]


def test_sizes_end_at_the_gallery() -> None:
    assert gallery_sizes(100).tolist() == [2, 5, 10, 20, 50, 100]
    assert gallery_sizes(2).tolist() == [2]
    assert gallery_sizes(0).tolist() == []


def test_everybody_left_out_in_turn_by_hand() -> None:
    # 100 people. Rivals score 0.01 .. 1.00; the mates of the first 60 are on top with 2, the others' last with 0.
    n = 100
    score = np.full((n, n), -1.0)
    score[np.arange(n), (np.arange(n) + 1) % n] = np.arange(1, n + 1) / 100
    score[np.diag_indices(n)] = np.where(np.arange(n) < 60, 2.0, 0.0)
    e = dir_left_out(square(score), 0.1)
    assert (e.name, e.n) == ("dir_left_out_fpir_10", n)
    assert e.value == pytest.approx(0.6)
    assert e.chance == pytest.approx(0.1 / n)
    assert "made from a closed one" in e.note
    # FPIR .1 lets rivals above 0.90 alarm: a mate on top with 0.905 is found, one with 0.90 is not.
    score[0, 0], score[1, 1] = 0.905, 0.90
    assert dir_left_out(square(score), 0.1).value == pytest.approx(0.59)
    assert dir_left_out(square(score), 0.01).value is None
    assert "needs 1000 probes" in dir_left_out(square(score), 0.01).note


def test_left_out_is_what_one_gets_by_removing_columns() -> None:
    rng = np.random.default_rng(2)
    score = (rng.normal(size=(120, 120)) + 2.5 * np.eye(120)).round(1)
    searches = Searches.of(Rankings.of(square(score)))
    for i in range(120):
        assert searches.rival[i] == np.delete(score[i], i).max()
        assert searches.mate[i] == score[i, i]
    rivals = np.sort(searches.rival)[::-1]
    for t in np.unique(score):
        if (rivals >= t).mean() <= 0.1:
            break
    expected = np.mean([(score[i, i] >= t) and score[i, i] > searches.rival[i] for i in range(120)])
    assert dir_left_out(square(score), 0.1).value == pytest.approx(expected)


def test_left_out_intervals_are_over_persons(everyone) -> None:
    claims = everyone(60, 4.0, scans=2)
    e = summarise(claims, None, seeds=Seeds(1), rounds=100, null_rounds=10).estimates["dir_left_out_fpir_10"]
    assert e.n == 60
    assert e.low < e.value < e.high
    assert "subject bootstrap" in e.note


def test_doubling_everybody_changes_no_rate() -> None:
    rng = np.random.default_rng(5)
    searches = Searches.of(Rankings.of(square(rng.normal(size=(150, 150)) + 3 * np.eye(150))))
    open_set = OpenSet.left_out(searches, 0.1)
    assert open_set.rate(np.full(150, 2.0)) == open_set.rate(np.ones(150)) > 0.2
    assert np.isnan(open_set.rate(np.zeros(150)))


def test_rank_1_of_the_whole_gallery_is_rank_1() -> None:
    scores = square(np.random.default_rng(6).normal(size=(30, 30)) + 1.5 * np.eye(30))
    ranks = Rankings.of(scores).ranks()
    assert rank_1_chances(ranks, np.full(30, 30), np.array([30])).mean() == pytest.approx(rank_k(scores))
