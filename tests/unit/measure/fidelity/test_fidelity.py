"""Fidelity by hand, and against scikit-image."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.measure.fidelity.compare import compare, pool
from medveil.measure.fidelity.error import mae, me, psnr, rmse
from medveil.measure.fidelity.similarity import ssim

A = np.array([[0.0, 1.0], [2.0, 3.0]])
B = np.array([[0.0, 3.0], [2.0, 2.0]])


def volume(seed: int = 0, size: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 20, (size, size, size)).astype(np.float32)


def test_errors_by_hand() -> None:
    assert mae(A, B) == pytest.approx(3 / 4)
    assert me(A, B) == pytest.approx(1 / 4)
    assert rmse(A, B) == pytest.approx(np.sqrt(5 / 4))
    assert psnr(A, B, data_range=10) == pytest.approx(10 * np.log10(100 / 1.25))


def test_errors_inside_a_mask_by_hand() -> None:
    mask = np.array([[False, True], [False, False]])
    assert mae(A, B, mask=mask) == me(A, B, mask=mask) == rmse(A, B, mask=mask) == 2.0
    assert psnr(A, B, data_range=20, mask=mask) == pytest.approx(20.0)


def test_identical_images_have_no_finite_psnr() -> None:
    assert psnr(A, A, data_range=1) is None
    assert ssim(volume(), volume(), data_range=255) == pytest.approx(1.0)


def test_psnr_and_ssim_are_those_of_scikit_image() -> None:
    from skimage.metrics import peak_signal_noise_ratio, structural_similarity

    a, b = volume(0).astype(np.float64), volume(1).astype(np.float64)
    assert psnr(a, b, data_range=200) == pytest.approx(peak_signal_noise_ratio(a, b, data_range=200))
    reference = structural_similarity(
        a, b, data_range=200, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(a, b, data_range=200) == pytest.approx(reference)
    assert ssim(a.astype(np.float32), b.astype(np.float32), data_range=200) == pytest.approx(
        reference, abs=1e-4
    )


def test_ssim_in_a_mask_sees_damage_in_the_mask_only() -> None:
    a = volume(size=32)
    b = a.copy()
    b[:8] = 0
    mask = np.zeros(a.shape, dtype=bool)
    mask[20:] = True
    assert ssim(a, b, data_range=200, mask=mask) == pytest.approx(1.0)
    assert ssim(a, b, data_range=200, mask=~mask) < 0.9


@pytest.mark.parametrize("data_range", [0.0, -1.0, float("nan"), float("inf")])
def test_a_data_range_must_be_given_and_make_sense(data_range: float) -> None:
    with pytest.raises(UsageError, match="data_range"):
        psnr(A, B, data_range=data_range)
    with pytest.raises(UsageError, match="data_range"):
        ssim(volume(), volume(), data_range=data_range)
    with pytest.raises(TypeError):
        psnr(A, B)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(UsageError, match="shapes"):
        mae(A, B[:1])
    with pytest.raises(UsageError, match="mask has shape"):
        mae(A, B, mask=np.ones(3, dtype=bool))
    with pytest.raises(UsageError, match="empty"):
        mae(A, B, mask=np.zeros_like(A, dtype=bool))
    with pytest.raises(UsageError, match="not finite"):
        mae(A, B * np.nan)
    with pytest.raises(UsageError, match="at least 11"):
        ssim(A, B, data_range=1)


def test_compare_measures_the_whole_and_the_inside() -> None:
    a = volume()
    b = a.copy()
    b[:4] = 0
    mask = np.zeros(a.shape, dtype=bool)
    mask[10:] = True
    found = compare(Image(a, np.eye(4)), Image(b, np.eye(4)), mask=mask, data_range=200)
    assert list(found) == [m + s for s in ("", "_inside") for m in ("mae", "me", "rmse", "psnr", "ssim")]
    assert found["mae"].value > 1
    assert found["me"].value == pytest.approx(-found["mae"].value)
    assert found["mae_inside"].value == 0
    assert found["psnr_inside"].value is None
    assert "identical" in found["psnr_inside"].note
    assert found["psnr"].unit == "dB"
    json.dumps([e.to_json() for e in found.values()], allow_nan=False)


def test_compare_takes_real_values_not_stored_ones() -> None:
    data = np.arange(16**3, dtype=np.int16).reshape(16, 16, 16)
    a, b = Image(data, np.eye(4), slope=2.0), Image(data, np.eye(4), slope=3.0)
    assert compare(a, b, data_range=100)["mae"].value == pytest.approx(data.mean())


@pytest.mark.parametrize(("shape", "kind"), [((20, 20, 3), "photo"), ((14, 14, 14, 2), "intensity")])
def test_channels_and_time_points_are_compared_one_by_one(shape, kind) -> None:
    a = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    image = Image(a, np.eye(4), kind)
    found = compare(image, image, mask=np.ones(shape[:-1], dtype=bool), data_range=255)
    assert found["ssim"].value == pytest.approx(1.0)
    assert found["ssim_inside"].value == pytest.approx(1.0)


def test_compare_of_a_thin_volume_has_no_ssim_but_the_rest() -> None:
    image = Image(np.zeros((20, 20, 5), dtype=np.float32), np.eye(4))
    found = compare(image, image, data_range=1)
    assert found["ssim"].value is None
    assert "5 voxels wide" in found["ssim"].note
    assert found["mae"].value == 0


def test_compare_refuses_other_grids() -> None:
    a = Image(volume(), np.eye(4))
    with pytest.raises(UsageError, match="different grids"):
        compare(a, Image(volume(), np.diag([2.0, 1, 1, 1])), data_range=1)


def test_pool_is_the_mean_over_subjects_with_an_interval() -> None:
    a = volume()
    each = [
        compare(Image(a, np.eye(4)), Image(a + d, np.eye(4)), data_range=200) for d in (0.0, 1, 2, 3, 4, 5)
    ]
    found = pool(each, seeds=Seeds(0))
    assert found["mae"].value == pytest.approx(2.5, abs=1e-4)
    assert found["mae"].low < 2.5 < found["mae"].high
    assert found["mae"].n == 6
    assert found["psnr"].n == 5
    assert "undefined for the others" in found["psnr"].note
    few = pool(each[:2], seeds=Seeds(0))
    assert few["mae"].low is None
    assert pool(each[:1], seeds=Seeds(0))["psnr"].value is None
    assert pool([], seeds=Seeds(0)) == {}
