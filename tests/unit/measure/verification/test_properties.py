"""What must hold for any scores, ties and all; scikit-learn is the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.measure.verification.auc import auc
from medveil.measure.verification.calibration import NO_PRIVACY_BIT, min_cllr, zebra
from medveil.measure.verification.eer import eer
from medveil.measure.verification.linkability import linkability
from medveil.measure.verification.roc import roc, roc_points, tpr_at
from medveil.measure.verification.tally import tally_of

SCORES = st.lists(st.integers(-5, 5), min_size=1, max_size=30)
# A first call imports scikit-learn, so no deadline.
quick = settings(deadline=None, max_examples=60)


@quick
@given(SCORES, SCORES)
def test_auc_and_roc_are_those_of_scikit_learn(mated: list[int], non_mated: list[int]) -> None:
    from sklearn.metrics import roc_auc_score, roc_curve

    y = [1] * len(mated) + [0] * len(non_mated)
    s = mated + non_mated
    assert auc(mated, non_mated) == pytest.approx(roc_auc_score(y, s), abs=1e-12)
    fpr, tpr, _ = roc_curve(y, s, drop_intermediate=False)
    ours = roc(mated, non_mated)
    np.testing.assert_allclose(ours[0], fpr, atol=1e-12)
    np.testing.assert_allclose(ours[1], tpr, atol=1e-12)


@quick
@given(SCORES, SCORES)
def test_the_interpolated_eer_is_the_root_on_the_roc(mated: list[int], non_mated: list[int]) -> None:
    found = eer(mated, non_mated, "interpolated")
    fpr, tpr = roc(mated, non_mated)
    # The point (eer, 1 - eer) lies on a segment of the polyline.
    a = np.stack([fpr[:-1], tpr[:-1]], 1)
    b = np.stack([fpr[1:], tpr[1:]], 1)
    p = np.array([found, 1 - found])
    along = np.clip(((p - a) * (b - a)).sum(1) / np.maximum(((b - a) ** 2).sum(1), 1e-30), 0, 1)
    assert np.linalg.norm(a + along[:, None] * (b - a) - p, axis=1).min() < 1e-9


@quick
@given(SCORES, SCORES)
def test_the_rocch_eer_is_the_largest_smallest_cost_over_all_priors(
    mated: list[int], non_mated: list[int]
) -> None:
    fpr, tpr = roc(mated, non_mated)
    priors = np.linspace(0, 1, 4001)
    smallest = (priors[:, None] * (1 - tpr) + (1 - priors[:, None]) * fpr).min(axis=1)
    found = eer(mated, non_mated)
    assert found == pytest.approx(smallest.max(), abs=5e-4)
    assert found <= 0.5 + 1e-12
    assert found <= eer(mated, non_mated, "interpolated") + 1e-12


@quick
@given(SCORES, SCORES)
def test_only_the_order_of_scores_matters(mated: list[int], non_mated: list[int]) -> None:
    def bend(s: list[int]) -> np.ndarray:
        return np.exp(np.array(s) / 3.0) * 7 - 2

    for metric in (auc, eer, min_cllr, lambda m, n: eer(m, n, "step"), lambda m, n: zebra(m, n)[:2]):
        assert metric(bend(mated), bend(non_mated)) == pytest.approx(metric(mated, non_mated))


@quick
@given(SCORES, SCORES)
def test_turning_the_scores_over_turns_the_auc_over(mated: list[int], non_mated: list[int]) -> None:
    assert auc([-m for m in mated], [-n for n in non_mated]) == pytest.approx(1 - auc(mated, non_mated))


@quick
@given(SCORES, SCORES)
def test_everything_stays_within_its_bounds(mated: list[int], non_mated: list[int]) -> None:
    population, individual, _ = zebra(mated, non_mated)
    assert 0 <= population <= NO_PRIVACY_BIT + 1e-12
    assert individual >= 0
    assert -1e-12 <= min_cllr(mated, non_mated) <= 1 + 1e-12
    for how in ({}, {"method": "pav"}, {"compat": "voiceprivacy2022"}, {"omega": 0.1}, {"bins": 1}):
        assert -1e-12 <= linkability(mated, non_mated, **how) <= 1 + 1e-12


@quick
@given(SCORES, SCORES)
def test_merging_rungs_changes_nothing(mated: list[int], non_mated: list[int]) -> None:
    t = tally_of(mated, non_mated)
    merged = t.merged()
    assert merged.mated.sum() == t.mated.sum()
    assert merged.non_mated.sum() == t.non_mated.sum()
    fpr = np.linspace(0, 1, 23)
    np.testing.assert_allclose(tpr_at(t, fpr), np.interp(fpr, *roc_points(t)), atol=1e-12)


@quick
@given(SCORES, SCORES)
def test_counting_each_pair_thrice_changes_nothing_but_the_strongest_evidence(
    mated: list[int], non_mated: list[int]
) -> None:
    for metric in (auc, eer, min_cllr, lambda m, n: zebra(m, n)[0], lambda m, n: linkability(m, n, bins=4)):
        assert metric(mated * 3, non_mated * 3) == pytest.approx(metric(mated, non_mated), abs=1e-9)
