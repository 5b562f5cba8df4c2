"""Differences of two images, voxel by voxel: how far the released values are from the original ones.

All take arrays of one shape, any number of axes, and an optional mask; computed in float64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

Array = npt.NDArray[np.floating]
Mask = npt.NDArray[np.bool_]


def mae(original: Array, released: Array, *, mask: Mask | None = None) -> float:
    """Mean absolute error, mean of |released - original|; 0 is identical, lower is more faithful.

    >>> mae(np.array([0.0, 2.0]), np.array([1.0, 0.0]))
    1.5
    """
    return float(np.abs(difference(original, released, mask)).mean())


def me(original: Array, released: Array, *, mask: Mask | None = None) -> float:
    """Mean error, mean of (released - original), signed: positive if the release is brighter.

    >>> me(np.array([0.0, 2.0]), np.array([1.0, 0.0]))
    -0.5
    """
    return float(difference(original, released, mask).mean())


def rmse(original: Array, released: Array, *, mask: Mask | None = None) -> float:
    """Root of the mean squared error; 0 is identical, lower is more faithful.

    >>> rmse(np.array([0.0, 2.0]), np.array([1.0, 1.0]))
    1.0
    """
    return float(np.sqrt((difference(original, released, mask) ** 2).mean()))


def psnr(original: Array, released: Array, *, data_range: float, mask: Mask | None = None) -> float | None:
    """Peak signal-to-noise ratio, 20 log10(data_range / rmse), in dB; higher is more faithful.

    Args:
        data_range: largest minus smallest value that can occur. Never guessed from the images: a guess that
            differs between two images makes their PSNR incomparable.

    Returns:
        None for identical images, whose PSNR is infinite.

    >>> psnr(np.array([0.0, 2.0]), np.array([1.0, 1.0]), data_range=10.0)
    20.0
    """
    check_range(data_range)
    error = rmse(original, released, mask=mask)
    return None if error == 0 else float(20 * np.log10(data_range / error))


def difference(original: Array, released: Array, mask: Mask | None) -> npt.NDArray[np.float64]:
    """released - original, (V,), inside the mask.

    Raises:
        UsageError: shapes differ, nothing is left to compare, or a value is not finite.
    """
    if original.shape != released.shape:
        raise UsageError(f"fidelity: shapes {original.shape} and {released.shape} differ")
    if mask is not None and mask.shape != original.shape:
        raise UsageError(f"fidelity: the mask has shape {mask.shape}, expected {original.shape}")
    a, b = (original, released) if mask is None else (original[mask], released[mask])
    if a.size == 0:
        raise UsageError("fidelity: there are no voxels to compare, the image or the mask is empty")
    d = np.asarray(b, dtype=np.float64).ravel() - np.asarray(a, dtype=np.float64).ravel()
    if not np.isfinite(d).all():
        raise UsageError("fidelity: a voxel is not finite")
    return d


def check_range(data_range: float) -> None:
    """Raises UsageError unless `data_range` is positive and finite."""
    if not (np.isfinite(data_range) and data_range > 0):
        raise UsageError("fidelity: data_range must be positive and finite")
