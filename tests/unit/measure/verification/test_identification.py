"""Ranks by hand: three persons, ties, several images, and probes that nobody knows."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.scores import Scores, join
from medveil.measure.verification.identification import (
    Rankings,
    cmc,
    expected_rank_k,
    rank_k,
)
from medveil.measure.verification.open_set import dir_at_fpir


def matrix(score: list[list[float]], probes: list[int] | None = None) -> Scores:
    """Scores of probe images (rows) against gallery persons 0..G-1 (columns)."""
    s = np.array(score, dtype=np.float64)
    images, persons = s.shape
    shown = np.arange(images) if probes is None else np.array(probes)
    return Scores(
        score=s.ravel(),
        probe=np.repeat(shown, persons),
        gallery=np.tile(np.arange(persons), images),
        probe_image=np.repeat(np.arange(images), persons),
        persons=int(max(persons, shown.max() + 1)),
    )


def test_three_persons_by_hand() -> None:
    scores = matrix([[9, 1, 2], [5, 4, 3], [3, 2, 1]])  # ranks 1, 2, 3
    assert rank_k(scores, 1) == pytest.approx(1 / 3)
    assert rank_k(scores, 2) == pytest.approx(2 / 3)
    np.testing.assert_allclose(cmc(scores), [1 / 3, 2 / 3, 1])


def test_ties_take_the_worst_rank() -> None:
    assert rank_k(matrix([[1, 1, 1]] * 3), 1) == 0.0
    assert rank_k(matrix([[1, 1, 1]] * 3), 3) == 1.0
    assert Rankings.of(matrix([[5, 5, 1], [0, 5, 5], [1, 2, 3]])).ranks().tolist() == [2, 2, 1]


def test_a_person_counts_with_the_best_of_several_gallery_images(table) -> None:
    claims = table(
        [
            ("a", "scan", "a", "front", 0.1),
            ("a", "scan", "a", "side", 0.9),
            ("a", "scan", "b", "front", 0.5),
            ("a", "scan", "b", "side", 0.6),
        ]
    )
    assert rank_k(join(claims), 1) == 1.0


def test_each_probe_image_is_ranked_on_its_own() -> None:
    scores = matrix([[9, 1], [1, 9], [1, 9]], probes=[0, 0, 1])
    assert rank_k(scores, 1) == pytest.approx(2 / 3)


def test_galleries_of_different_sizes_have_their_own_chance(table) -> None:
    claims = table([("a", "1", g, "1", 0.0) for g in "abcd"] + [("b", "1", g, "1", 0.0) for g in "ab"])
    assert expected_rank_k(Rankings.of(join(claims)), 1) == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert expected_rank_k(Rankings.of(join(claims)), 3) == pytest.approx((3 / 4 + 1) / 2)


def test_a_probe_without_a_mate_has_no_rank() -> None:
    scores = matrix([[9, 1], [1, 9], [5, 5]], probes=[0, 1, 2])
    assert Rankings.of(scores).ranks().tolist() == [1, 1, 0]
    assert rank_k(scores, 1) == 1.0
    assert np.isnan(rank_k(matrix([[1, 2]], probes=[2]), 1))


def test_ranks_of_a_deranged_mate_leave_the_true_person_out() -> None:
    scores = matrix([[9, 5, 2], [1, 9, 5], [5, 1, 9]])
    mate = np.array([1, 2, 0])
    rankings = Rankings.of(scores)
    assert rankings.ranks(mate).tolist() == [2, 2, 2]
    assert rankings.ranks(mate, drop_true=True).tolist() == [1, 1, 1]


def test_open_set_by_hand() -> None:
    # 100 strangers whose best scores are 0.01 .. 1.00; FPIR .1 is reached by scores above .90.
    strangers = [[0.0, (i + 1) / 100] for i in range(100)]
    known = [[0.95, 0.1], [0.1, 0.85]]
    scores = matrix(known + strangers, probes=[0, 1, *range(2, 102)])
    e = dir_at_fpir(scores, 0.1)
    assert e.name == "dir_at_fpir_10"
    assert e.value == pytest.approx(0.5)
    assert e.n == 2
    few = dir_at_fpir(scores, 0.01)
    assert few.value is None
    assert "needs 1000 probes" in few.note


def test_open_set_needs_both_kinds_of_probes() -> None:
    assert dir_at_fpir(matrix([[1, 0], [0, 1]]), 0.1).value is None
    nobody = matrix([[0.0, 1.0]] * 100, probes=list(range(2, 102)))
    assert dir_at_fpir(nobody, 0.1).value is None
    constant = matrix([[1, 1], [1, 1]] + [[1, 1]] * 100, probes=list(range(102)))
    assert dir_at_fpir(constant, 0.1).value == 0.0
