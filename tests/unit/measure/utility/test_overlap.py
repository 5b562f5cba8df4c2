"""Overlap and surface distances by hand, and against SimpleITK and MONAI."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.measure.utility.overlap import border, overlap, surface_distances


def box(first: int, last: int, side: int = 8) -> np.ndarray:
    mask = np.zeros((side, side), dtype=bool)
    mask[2:5, first:last] = True
    return mask


def test_overlap_by_hand() -> None:
    # 3 x 3 against 3 x 3, one column to the right: TP 6, FP 3, FN 3, TN 52
    found = overlap(box(1, 4), box(2, 5))
    assert found["dice"] == pytest.approx(12 / 18)
    assert found["jaccard"] == pytest.approx(6 / 12)
    assert found["fnr"] == pytest.approx(3 / 9)
    assert found["fpr"] == pytest.approx(3 / 55)
    # Borders: the 8 outer pixels of each. From the left one: the left column is 1 away from the other's; of the rest
    # only the middle (row 3) pixel of column 3 has none on its own place (column 3 is inside the other's), 1 away;
    # likewise the other way round: per mask 3 + 1 of 8 at distance 1.
    assert sorted(surface_distances(box(1, 4), box(2, 5))) == [0] * 8 + [1] * 8
    assert (found["surface_mean"], found["surface_sd"], found["hausdorff"]) == (0.5, 0.5, 1.0)


def test_distances_follow_the_spacing() -> None:
    found = overlap(box(1, 4), box(2, 5), spacing=(9.0, 0.5))
    assert found["hausdorff"] == pytest.approx(0.5)


def test_the_same_mask_is_perfect() -> None:
    found = overlap(box(1, 4), box(1, 4))
    assert list(found.values()) == [1, 1, 0, 0, 0, 0, 0]


def test_an_empty_prediction_is_the_worst_and_not_left_out() -> None:
    found = overlap(box(1, 4), np.zeros((8, 8), dtype=bool))
    assert (found["dice"], found["fnr"]) == (0, 1)
    assert found["hausdorff"] == found["surface_mean"] == pytest.approx(np.sqrt(128))
    assert np.isnan(found["surface_sd"])


@pytest.mark.parametrize("truth", [np.zeros((8, 8), dtype=bool), np.ones((8, 8), dtype=bool), box(1, 4, 9)])
def test_what_cannot_be_measured_is_refused(truth: np.ndarray) -> None:
    with pytest.raises(UsageError, match="overlap"):
        overlap(truth, box(1, 4))


def test_the_end_of_the_image_is_a_border() -> None:
    assert border(np.ones((3, 3), dtype=bool)).sum() == 8


def blobs(seed: int) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    out: np.ndarray = gaussian_filter(np.random.default_rng(seed).normal(size=(40, 40)), 4) > 0.02
    return out


def test_overlap_is_that_of_simpleitk() -> None:
    import SimpleITK as sitk

    a, b = blobs(0), blobs(1)
    found = overlap(a, b)
    images = [sitk.GetImageFromArray(m.astype(np.uint8)) for m in (a, b)]
    areas, far = sitk.LabelOverlapMeasuresImageFilter(), sitk.HausdorffDistanceImageFilter()
    areas.Execute(*images)
    assert found["dice"] == pytest.approx(areas.GetDiceCoefficient())
    assert found["jaccard"] == pytest.approx(areas.GetJaccardCoefficient())
    edges = [sitk.GetImageFromArray(border(m).astype(np.uint8)) for m in (a, b)]
    far.Execute(*edges)
    assert found["hausdorff"] == pytest.approx(far.GetHausdorffDistance())


@pytest.mark.slow
def test_distances_are_those_of_monai() -> None:
    metrics = pytest.importorskip("monai.metrics", reason="MONAI is not installed")
    import torch

    a, b = blobs(0), blobs(1)
    both = [torch.from_numpy(m[None, None].astype(np.float32)) for m in (a, b)]
    found = overlap(a, b)
    mean = metrics.compute_average_surface_distance(*both, include_background=True, symmetric=True)
    assert found["surface_mean"] == pytest.approx(float(mean))
    assert found["hausdorff"] == pytest.approx(
        float(metrics.compute_hausdorff_distance(*both, include_background=True))
    )
