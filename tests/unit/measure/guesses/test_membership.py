"""Membership: true positives at few false ones, and no rate that so few people cannot show."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.guesses.membership import membership_estimates

from .rows import guesses, truth

SEEDS = Seeds(4)


def measured(members: np.ndarray, others: np.ndarray, rounds: int = 50) -> dict:
    evidence = np.concatenate([members, others])
    person = [f"p{i:05d}" for i in range(len(evidence))]
    said = guesses(
        person, ["yes" if e > 0 else "no" for e in evidence], list(np.abs(evidence)), attribute="member"
    )
    known = truth(person, ["yes"] * len(members) + ["no"] * len(others), "member")
    return membership_estimates(said, known, seeds=SEEDS, rounds=rounds)


def test_rates_by_hand() -> None:
    """1000 non-members at 0.001 .. 1: ten reach .991, so members above .990 count: 30 of 100."""
    others = np.arange(1, 1001) / 1000
    members = np.concatenate([np.full(30, 2.0), np.full(20, 0.990), np.full(50, -1.0)])
    e = measured(members, others)["tpr_at_fpr_01"]
    assert e.value == pytest.approx(0.3)
    assert e.chance == 0.01
    assert e.low < 0.3 < e.high


def test_evidence_is_read_back_from_guess_and_score() -> None:
    e = measured(np.array([3.0, 1.0, -1.0]), np.array([-3.0, 2.0, -2.0]))
    assert e["auc"].value == pytest.approx((3 + 2 + 2) / 9)


def test_a_rate_of_one_in_a_thousand_needs_ten_thousand_held_out() -> None:
    e = measured(np.ones(50), -np.ones(1000))
    assert e["tpr_at_fpr_01"].value == 1.0
    assert e["tpr_at_fpr_001"].value is None
    assert "10000" in e["tpr_at_fpr_001"].note
    assert "1000 " in measured(np.ones(50), -np.ones(999))["tpr_at_fpr_01"].note


def test_scores_that_say_nothing_give_the_rate_of_chance() -> None:
    rng = np.random.default_rng(0)
    e = measured(rng.normal(size=2000), rng.normal(size=2000), rounds=200)
    assert e["tpr_at_fpr_01"].low <= 0.01 <= e["tpr_at_fpr_01"].high
    assert e["auc"].low < 0.5 < e["auc"].high
    assert e["auc"].p_value > 0.01


def test_ties_at_the_threshold_count_against_the_attacker() -> None:
    e = measured(np.full(20, 5.0), np.full(1000, 5.0))
    assert e["tpr_at_fpr_01"].value == 0.0
    assert e["auc"].value == 0.5


@pytest.mark.parametrize("value", ["yes", "no", "n/a"])
def test_without_people_on_both_sides_nothing_is_measured(value: str) -> None:
    said = guesses(["a", "b"], ["yes", "no"], attribute="member")
    with pytest.raises(UsageError, match=r"held out|none of these"):
        membership_estimates(said, truth(["a", "b"], [value] * 2, "member"), seeds=SEEDS)
    with pytest.raises(UsageError):
        membership_estimates(said, Truth(), seeds=SEEDS)
