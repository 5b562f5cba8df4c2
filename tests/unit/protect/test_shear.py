"""One plane against the brain takes the middle of the face, and says what it leaves."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.core.release import Given
from medveil.protect.deface.parts import in_parts
from medveil.protect.deface.shear import Shear, best_plane, beyond

from .posed import known, posed


@pytest.mark.parametrize("index", [0, 2])
def test_nose_and_mouth_go_and_no_voxel_of_the_brain_changes(
    index: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    truth = known(posed(index), monkeypatch)
    out = Shear().apply(truth.image)
    assert out.altered is not None
    assert not (out.altered & truth.brain_mask).any()
    np.testing.assert_array_equal(out.image.data[~out.altered], truth.image.data[~out.altered])
    assert out.proofs == {"named parts covered": True}
    assert all(out.measured[f"covered_{part}"] >= 0.995 for part in ("nose", "mouth"))
    assert all(0.5 < out.measured[f"covered_{part}"] < 1.0 for part in ("eyes", "cheeks"))
    assert out.measured["covered_chin"] > 0.9
    assert out.measured["covered_ears"] < 0.1  # measured, not promised


def test_the_plane_is_the_one_that_has_the_whole_face_beyond_it() -> None:
    # Three corners of a brain on a line that falls by 45 degrees, and skin a little before its two ends.
    hull = np.array([[0.0, 10, 10], [0, 0, 0], [0, -10, -10], [0, -40, 20]])
    brow, chin = np.array([[0.0, 10.05, 10]]), np.array([[0.0, -9.95, -10]])
    normal, limit = best_plane(hull, [brow, chin, np.empty((0, 3))])
    np.testing.assert_allclose(normal, [0, 0.5**0.5, -(0.5**0.5)], atol=1e-9)
    assert limit == pytest.approx(0.0, abs=1e-9)
    to_mni = np.diag([1.0, 1, 1, 1])
    to_mni[:3, 3] = [0, -2, -2]
    taken = beyond(normal, limit + 1e-6, (1, 5, 5), to_mni)  # voxel (0, j, k) lies at y = j - 2, z = k - 2
    np.testing.assert_array_equal(taken[0], np.arange(5)[:, None] > np.arange(5)[None, :])


def test_a_stray_voxel_of_a_brain_mask_does_not_hold_the_plane_back(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    nose = in_parts(
        ("nose",), truth.brain_mask.shape, np.linalg.inv(posed().place.affine) @ truth.image.affine
    )
    tip = np.argwhere(nose["nose"] & (truth.labels > 0)).max(axis=0)
    stray = truth.brain_mask.copy()
    stray[tuple(tip)] = True
    clean = Shear(margin_mm=4.0).apply(truth.image, Given(brain=truth.brain_mask))
    out = Shear(margin_mm=4.0).apply(truth.image, Given(brain=stray))
    assert clean.altered is not None
    assert out.altered is not None
    differ = clean.altered ^ out.altered
    assert differ[tuple(tip)]
    assert differ.sum() == 7  # the voxel itself and its neighbours at 3 mm


def test_what_is_to_be_kept_is_kept_and_does_not_move_the_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    plain = Shear().apply(truth.image)
    assert plain.altered is not None
    keep = np.zeros_like(plain.altered)
    i, j, k = np.argwhere(plain.altered & (truth.labels > 0)).mean(axis=0).astype(int)
    keep[i - 3 : i + 3, j - 3 : j + 3, k - 3 : k + 3] = True
    out = Shear().apply(truth.image, Given(keep=keep))
    assert out.altered is not None
    assert keep.sum() == 216
    np.testing.assert_array_equal(out.altered, plain.altered & ~keep)


def test_without_a_face_in_view_nothing_is_sheared(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    first = 66  # slices of 3 mm from below: the field of view begins above the eyes
    affine = truth.image.affine.copy()
    affine[:3, 3] += affine[:3, 2] * first
    out = Shear().apply(Image(truth.image.data[:, :, first:], affine))
    assert out.altered is not None
    assert not out.altered.any()
    assert out.remarks == ("no face tissue in the field of view: nothing removed",)


def test_all_volumes_of_a_series_are_sheared_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = known(posed(), monkeypatch)
    series = Image(np.stack([truth.image.data, truth.image.data // 2], axis=-1), truth.image.affine)
    out = Shear().apply(series)
    assert out.altered is not None
    assert out.altered.shape == series.data.shape[:3]
    assert (out.image.data[out.altered] == out.image.data.min()).all()
    np.testing.assert_array_equal(out.image.data[~out.altered], series.data[~out.altered])
