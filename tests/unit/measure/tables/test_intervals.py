"""Intervals: closed forms against leaving rows out by hand, and against drawing many samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medveil.measure.tables.classes import Classes
from medveil.measure.tables.intervals import (
    Z95,
    below_interval,
    mean_risk_interval,
    uniques_interval,
    variance,
)
from medveil.measure.verification.bootstrap import wilson


def column(*values: int, missing: str = "own") -> Classes:
    return Classes.of(np.array(values, dtype=np.int64)[:, None], missing)


PAIRS = [*range(10), *[x for x in range(10, 15) for _ in range(2)]]  # ten unique rows, five pairs


def test_uniques_and_pairs_worth_fewer_rows_than_there_are() -> None:
    # variance 10 - 2 * 5 * e^0 - 0 = 0 for ten uniques and five pairs, so never below Wilson's own
    assert uniques_interval(column(*PAIRS)) == pytest.approx(wilson(0.5, 20))
    # 30 unique, 4 pairs, 1 triple: 30 - 8 e^(-3/4) - 22^2 / 41
    values = [*range(30), *[x for x in range(40, 44) for _ in range(2)], 50, 50, 50]
    s = 30 / 41
    worth = 41 / ((30 - 8 * math.exp(-0.75) - 22**2 / 41) / (41 * s * (1 - s)))
    assert uniques_interval(column(*values)) == pytest.approx(wilson(s, round(worth)))
    assert worth < 36


def test_the_ends_all_unique_and_none() -> None:
    assert uniques_interval(column(*range(30))) == pytest.approx(wilson(1.0, 15))
    assert uniques_interval(column(*[0] * 15, *[1] * 15)) == pytest.approx(wilson(0.0, 30))


def test_the_jackknife_is_the_one_computed_by_hand() -> None:
    # Without a unique row 9 of 19 are left, without one of a pair 11.
    values = np.array([9 / 19] * 10 + [11 / 19] * 10)
    half = Z95 * (19 / 20 * ((values - 10 / 19) ** 2).sum()) ** 0.5
    low, high = below_interval(column(*PAIRS), 2)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))
    assert low < wilson(0.5, 20)[0]
    assert uniques_interval(column(*PAIRS, missing="any")) == (low, high)


def test_mean_risk_agrees_with_leaving_rows_out() -> None:
    values = [0, 0, 0, 1, 1, 2, 3, 4]
    left_out = [len(set(values[:i] + values[i + 1 :])) / 7 for i in range(8)]
    half = Z95 * variance(np.array(left_out)) ** 0.5
    assert mean_risk_interval(column(*values)) == pytest.approx((5 / 8 - half, min(1.0, 5 / 8 + half)))


def test_two_rows_have_no_jackknife() -> None:
    assert below_interval(column(0, 1), 2) == pytest.approx(wilson(1.0, 2))
    assert mean_risk_interval(column(0, 1)) is None
    low, high = uniques_interval(column(0))
    assert 0 <= low < high <= 1


@pytest.mark.parametrize("kinds", [30, 60, 400])
def test_intervals_hold_the_share_other_samples_would_have(kinds: int) -> None:
    """60 of many people of so many equally common kinds: the expected share of uniques is (1 - 1/kinds)^59."""
    rng = np.random.default_rng(0)
    truth = (1 - 1 / kinds) ** 59
    ends = [uniques_interval(column(*rng.integers(0, kinds, 60))) for _ in range(400)]
    held = np.mean([low <= truth <= high for low, high in ends])
    assert 0.93 < held <= 1


def test_sizes_above_two_are_held_as_well() -> None:
    rng = np.random.default_rng(1)
    draws = [column(*rng.integers(0, 20, 80)) for _ in range(400)]
    truth = np.mean([(c.matches < 5).mean() for c in draws])
    assert np.mean([low <= truth <= high for low, high in (below_interval(c, 5) for c in draws)]) > 0.93
