"""Harmonise: make brains look as if one scanner had taken them.

    values ──÷ local mean──> even ──shade to shade──> what the template shows where this image shows that

The second step makes contrasts comparable: each shade of the image becomes the mean of the template's shades at
the places where the image has that shade. A T1w scan keeps its order; in a T2w scan bright fluid becomes dark,
and dark white matter bright. Nothing but the image and the template is used, so it is the same alone or in a crowd.

The conditional mean is the one of the correlation ratio, Roche et al., MICCAI 1998.
"""

from __future__ import annotations

import numpy as np

from medveil.attack.link.lattice import Array, Lattice
from medveil.locate.grid import Volume

EVEN_MM = 25.0  # sd of the local mean: a coil's field is smoother, a lobe is smaller
SHADES = 48  # of the image, each with as many voxels
DARKEST_PERCENT = 0.5
LEAST_MEAN = 0.1  # of the mean over the brain: where an image shows nothing, its noise is not blown up


def harmonised(shown: Volume, grid: Lattice) -> Volume:
    """(V,) of an image at the lattice's brain (NaN out of view) in the template's shades; NaN stays.

    At least two different values have to be in view.
    """
    even = _even(shown, grid)
    seen = np.isfinite(even)
    order = np.argsort(even[seen], kind="stable")
    shades, tissue = even[seen][order], grid.tissue[seen][order]
    begins = np.unique(np.linspace(0, len(order), SHADES, endpoint=False).astype(int))
    count = np.diff(np.append(begins, len(order)))
    middle = np.add.reduceat(shades, begins) / count
    expected = np.add.reduceat(tissue, begins) / count
    out = np.full(shown.shape, np.nan, dtype=np.float32)
    out[seen] = np.interp(even[seen], middle, _smooth(expected))
    return out


def _even(shown: Volume, grid: Lattice) -> Volume:
    """Values from their own darkest up, over their local mean."""
    values = np.maximum(shown - np.nanpercentile(shown, DARKEST_PERCENT), 0)
    least = LEAST_MEAN * float(np.nanmean(values)) + 1e-12
    return np.asarray(values / np.maximum(grid.smooth(values, EVEN_MM / grid.mm), least), dtype=np.float32)


def _smooth(curve: Array) -> Array:
    """Each value mixed with its two neighbours."""
    padded = np.pad(curve, 1, mode="edge")
    return np.asarray((padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4)
