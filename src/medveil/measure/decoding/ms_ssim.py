"""MS-SSIM: structural similarity at several scales, so that coarse and fine errors both count.

    picture ──contrast, structure──> c1 ^ .0448
       | 2x2 mean, halved
       ──contrast, structure──> c2 ^ .2856   ...   the coarsest scale with luminance too    product of all

Source: Wang, Simoncelli & Bovik, Asilomar Conference 2003, Multiscale structural similarity; its five weights, the
Gaussian window (sigma 1.5, 11 wide), K1 = 0.01 and K2 = 0.03. Pictures of under 176 pixels take fewer scales,
whose weights are scaled to 1; a negative mean of a scale counts as 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5

Floats = npt.NDArray[np.float64]


def ms_ssim(
    original: npt.NDArray[np.floating], other: npt.NDArray[np.floating], *, data_range: float
) -> float:
    """MS-SSIM of two pictures (H, W); 1 is identical.

    Args:
        data_range: largest minus smallest value that can occur.

    Raises:
        UsageError: shapes differ, or a side has under 11 pixels.
    """
    if original.shape != other.shape or original.ndim != 2:
        raise UsageError(f"ms_ssim: shapes {original.shape} and {other.shape}, expected two of (H, W)")
    if min(original.shape) < _WINDOW:
        raise UsageError(f"ms_ssim: a side has {min(original.shape)} pixels, expected at least {_WINDOW}")
    scales = min(len(WEIGHTS), int(np.log2(min(original.shape) / _WINDOW)) + 1)
    weights = np.array(WEIGHTS[:scales]) / sum(WEIGHTS[:scales])
    a, b = original.astype(np.float64), other.astype(np.float64)
    product = 1.0
    for scale, weight in enumerate(weights):
        luminance, contrast = _terms(a, b, data_range)
        told = (luminance * contrast if scale == scales - 1 else contrast).mean()
        product *= max(float(told), 0.0) ** float(weight)
        a, b = _halved(a), _halved(b)
    return product


def _terms(a: Floats, b: Floats, data_range: float) -> tuple[Floats, Floats]:
    """Luminance, and contrast times structure, where the whole window lies in the picture."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_a, mean_b = _smooth(a), _smooth(b)
    var_a, var_b = _smooth(a * a) - mean_a**2, _smooth(b * b) - mean_b**2
    both = _smooth(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return luminance, (2 * both + c2) / (var_a + var_b + c2)


def _smooth(picture: Floats) -> Floats:
    from scipy.ndimage import gaussian_filter

    half = _WINDOW // 2
    return np.asarray(gaussian_filter(picture, _SIGMA, radius=half)[half:-half, half:-half])


def _halved(picture: Floats) -> Floats:
    rows, cols = (2 * (n // 2) for n in picture.shape)
    four = picture[:rows, :cols].reshape(rows // 2, 2, cols // 2, 2)  # (H/2, 2, W/2, 2)
    return np.asarray(four.mean(axis=(1, 3)))
