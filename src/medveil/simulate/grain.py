"""Grain: smooth random texture in space, for pores, freckles, strands and cloth."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.seeds import Seeds

Array = npt.NDArray[Any]

CELLS = 96  # side of the lattice; it tiles, so no texture ever runs out


@lru_cache(maxsize=1)
def _lattice() -> Array:
    """(97, 97, 97) float32 noise of zero mean and unit variance whose opposite faces agree."""
    from scipy.ndimage import gaussian_filter

    white = Seeds(0).stream("simulate/grain").normal(size=(CELLS,) * 3)
    smooth = gaussian_filter(white, 1.0, mode="wrap")
    smooth = (smooth / smooth.std()).astype(np.float32)
    return np.pad(smooth, (0, 1), mode="wrap")


def grain(points_mm: Array, scale_mm: float, offset: Array) -> Array:
    """Texture at points: about N(0, 1), smooth over some `scale_mm`.

    Args:
        points_mm: (V, 3), in any frame; stretch an axis before the call to stretch the texture.
        scale_mm: size of one lattice cell.
        offset: (3,) in 0..1, where in the lattice this texture starts; another offset, another texture.

    Returns:
        (V,) float32.
    """
    from scipy.ndimage import map_coordinates

    at = (points_mm / scale_mm + np.asarray(offset) * CELLS) % CELLS
    return np.asarray(map_coordinates(_lattice(), at.T, order=1, mode="nearest"), dtype=np.float32)


def logistic(x: Array) -> Array:
    """1 / (1 + exp(-x)), quiet for large |x|."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -30.0, 30.0))))
