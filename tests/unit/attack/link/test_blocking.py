"""Blocking: order within blocks is kept, everybody excluded comes last."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.link.blocking import blocked
from medveil.attack.link.table import CLASH_BITS
from medveil.core.claims import PairClaims
from medveil.core.errors import UsageError


def claims(score: list[list[float]], attack: str = "reidentify.embedding", images: int = 1) -> PairClaims:
    values = np.array(score, dtype=np.float64)
    n, g = values.shape
    who = np.repeat([f"p{i // images}" for i in range(n)], g)
    return PairClaims(
        who, np.repeat([f"i{i}" for i in range(n)], g), np.tile([f"g{j}" for j in range(g)], n), np.full(n * g, "x"),
        values.ravel(), attack, "release", {"probe_detected": 1.0},
    )  # fmt: skip


FACE = claims([[0.31, 0.12, 0.48], [0.1, 0.2, 0.3]])
TABLE = claims([[3.0, 0.0, -CLASH_BITS], [-CLASH_BITS, -2 * CLASH_BITS + 3, -CLASH_BITS]], "link.table")


def test_the_excluded_fall_under_everybody_and_keep_their_order() -> None:
    score = blocked(FACE, TABLE).score.reshape(2, 3)
    assert score[0].tolist() == pytest.approx([0.31, 0.12, 0.48 - 1.38])
    assert score[0, 2] < score[0, :2].min()
    assert np.argsort(score[1]).tolist() == [0, 1, 2]
    assert np.isfinite(score).all()


def test_excluded_pairs_lie_below_possible_ones_of_all_other_probes() -> None:
    score = blocked(FACE, TABLE).score
    possible = TABLE.score > -CLASH_BITS / 2
    assert score[possible].min() > score[~possible].max()


def test_the_gain_is_told_in_notes_beside_the_attacks_own() -> None:
    out = blocked(FACE, TABLE)
    assert out.attack == "reidentify.embedding + table"
    assert out.condition == "release"
    assert out.notes == {
        "probe_detected": 1.0,
        "block_share": pytest.approx((2 / 3 + 0) / 2),
        "block_mean": 1.0,
        "block_chance": 0.25,  # a half for one probe, nothing for the one whose block is empty
        "block_of_one": 0.0,
        "block_empty": 0.5,
    }
    assert "block_mean" not in FACE.notes


def test_a_table_that_excludes_nobody_changes_no_score() -> None:
    free = claims([[0.0] * 3] * 2, "link.table")
    assert blocked(FACE, free).score.tolist() == FACE.score.tolist()


def test_several_images_of_a_person_share_the_tables_word() -> None:
    two = claims([[0.1, 0.9], [0.2, 0.8]], images=2)
    one = claims([[1.0, -CLASH_BITS]], "link.table")
    assert (blocked(two, one).score.reshape(2, 2).argmax(axis=1) == 0).all()


def test_pairs_of_one_candidates_several_images_count_him_once() -> None:
    twice = PairClaims(*(np.tile(c, 2) for c in (FACE.probe_subject, FACE.probe_image, FACE.gallery_subject,
                       FACE.gallery_image)), np.tile(FACE.score, 2), FACE.attack, FACE.condition, {})  # fmt: skip
    assert blocked(twice, TABLE).notes["block_mean"] == 1.0


def test_a_constant_attack_is_blocked_all_the_same() -> None:
    score = blocked(claims([[0.5] * 3] * 2), TABLE).score.reshape(2, 3)
    assert score[0].tolist() == [0.5, 0.5, -0.5]


def test_a_pair_of_which_the_table_says_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing of 3 of 6 pairs"):
        blocked(FACE, claims([[0.0] * 3], "link.table"))
