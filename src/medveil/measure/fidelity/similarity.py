"""Structural similarity: whether small neighbourhoods kept their mean, their contrast and their pattern."""

from __future__ import annotations

import numpy as np

from medveil.core.errors import UsageError
from medveil.measure.fidelity.error import Array, Mask, check_range, difference

SIGMA, WINDOW = 1.5, 11  # of Wang et al.; scikit-image cuts the Gaussian at 3.5 sigma, which makes 11


def ssim(
    original: Array,
    released: Array,
    *,
    data_range: float,
    mask: Mask | None = None,
    channel_axis: int | None = None,
) -> float:
    """Mean SSIM with a Gaussian window of sigma 1.5 voxels (11 wide), K1 = 0.01, K2 = 0.03; 1 is identical.

    Args:
        original, released: (I, J[, K]) arrays, or with one more axis of channels or time points.
        data_range: largest minus smallest value that can occur; see `psnr`.
        mask: average the SSIM map over these voxels only. Their windows still see 5 voxels beyond the mask.
            Without a mask, the outermost 5 voxels, whose windows are cut, are left out.
        channel_axis: axis along which images are independent and averaged.

    Raises:
        UsageError: shapes differ, or the image is narrower than the window.

    Source: Wang, Bovik, Sheikh & Simoncelli, IEEE TIP 13 (2004), with the population covariance.
    """
    from skimage.metrics import structural_similarity

    check_range(data_range)
    difference(original, released, mask)  # the checks
    sides = [
        s
        for axis, s in enumerate(original.shape)
        if channel_axis is None or axis != channel_axis % original.ndim
    ]
    if min(sides) < WINDOW:
        raise UsageError(f"ssim: the image is {min(sides)} voxels wide, expected at least {WINDOW}")
    mean, full = structural_similarity(
        _floating(original),
        _floating(released),
        data_range=data_range,
        gaussian_weights=True,
        sigma=SIGMA,
        use_sample_covariance=False,
        channel_axis=channel_axis,
        full=True,
    )
    return float(mean if mask is None else np.asarray(full, dtype=np.float64)[mask].mean())


def _floating(a: Array) -> Array:
    """float32 stays as it is, which halves the memory of a volume; all else becomes float64."""
    return a if a.dtype == np.float32 else a.astype(np.float64)
