"""ICC, its classes and relative errors by hand; AUC within folds; means of people."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.measure.utility.agreement import icc, icc_class, relative_error
from medveil.measure.utility.before_after import mean_of_people
from medveil.measure.utility.classification import auc_within

# Shrout & Fleiss 1979, table 2: six people, of four judges the first and the second.
FIRST = np.array([9.0, 6.0, 8.0, 7.0, 10.0, 6.0])
SECOND = np.array([2.0, 1.0, 4.0, 1.0, 5.0, 2.0])


def test_icc_by_hand() -> None:
    # Row means 5.5 3.5 6 4 7.5 4, of all 5.08333; squares of their deviations sum to 11.70833: MSR = 2 * 11.70833 / 5.
    # Column means 7.66667 and 2.5, each 2.58333 away: MSC = 6 * 2 * 6.67361.
    # Differences 7 5 4 6 5 4; squares of their deviations sum to 6.83333: MSE = 6.83333 / 2 / 5.
    msr, msc, mse = 4.683333, 80.083333, 0.683333
    assert icc(FIRST, SECOND, form=3)[0] == pytest.approx((msr - mse) / (msr + mse))
    assert icc(FIRST, SECOND)[0] == pytest.approx((msr - mse) / (msr + mse + 2 * (msc - mse) / 6))


def test_a_shift_costs_agreement_and_not_consistency() -> None:
    x = np.array([1.0, 2.0, 4.0])
    assert icc(x, x)[0] == pytest.approx(1)
    assert icc(x, x + 5, form=3)[0] == pytest.approx(1)
    assert icc(x, x + 5)[0] < 0.3
    assert icc(1e9 * x, 1e9 * x)[0] == pytest.approx(1)


def test_weights_of_icc_are_repetitions() -> None:
    w = np.array([[2.0, 0, 1, 1, 0, 2]])
    again = np.repeat(np.arange(6), w[0].astype(int))
    assert icc(FIRST, SECOND, w) == pytest.approx(icc(FIRST[again], SECOND[again]))


def test_icc_of_what_does_not_vary_is_undefined() -> None:
    assert np.isnan(icc(np.ones(3), np.ones(3))[0])
    with pytest.raises(UsageError):
        icc(np.ones(3), np.ones(2))


def test_classes_of_koo_and_li() -> None:
    at = [-0.2, 0.49, 0.5, 0.74, 0.75, 0.89, 0.9, 1.0]
    assert [icc_class(v)[0] for v in at] == list("ppmmggee")


def test_relative_errors_by_hand() -> None:
    found = relative_error(np.array([2.0, -4.0, 0.0]), np.array([1.0, -3.0, 1.0]))
    assert found[:2] == pytest.approx([-50, 25])
    assert np.isnan(found[2])


def test_auc_counts_pairs_of_one_fold_only() -> None:
    # fold 0: 2 > 1; fold 1: 10 against 20 and 10, a loss and a tie. Right: 1 + 0.5 of 3.
    scores = np.array([2.0, 1.0, 10.0, 20.0, 10.0])
    positive = np.array([True, False, True, False, False])
    fold = np.array([0, 0, 1, 1, 1])
    weights = np.array([[1.0, 1, 1, 1, 1], [1, 1, 2, 0, 1], [0, 1, 0, 1, 1]])
    found = auc_within(scores, positive, fold, weights)
    assert found[0] == pytest.approx(1.5 / 3)
    assert found[1] == pytest.approx((1 + 2 * 0.5) / (1 + 2))
    assert np.isnan(found[2])


def test_a_person_of_many_images_counts_once() -> None:
    rows = np.array([[1.0, np.nan], [3.0, 4.0], [8.0, np.nan]])
    person = np.array([0, 0, 1])
    found = mean_of_people(rows, person, np.array([[1.0, 1.0], [0.0, 2.0]]))
    assert found[0] == pytest.approx([5, 4])
    assert found[1, 0] == pytest.approx(8)
    assert np.isnan(found[1, 1])
