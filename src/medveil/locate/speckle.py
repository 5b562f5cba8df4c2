"""Speckle: air that is as bright as a head, because an image is a quotient of two.

The air of an MP2RAGE's uniform image (Marques et al. 2010) is noise over noise: any value at all, from
voxel to voxel, with a mean as grey as grey matter. On a coarse grid it is one smooth body that fills the
view. What betrays it is its grain at the image's own resolution.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.core.release import Mask
from medveil.locate.grid import Grid, Matrix, Volume, isotropic, largest

BRIGHT_EDGE = 0.3  # of the image's bright end: magnitude images end in darker air
COARSE_GRAIN = 0.25  # mean step between neighbours over the mean value; tissue has less than 0.15
QUIET = 0.6  # of the grain at the edge of the view: what has less is tissue


def without_speckle(grid: Grid, values: Volume, affine: Matrix) -> Grid:
    """A grid with its speckled air made dark; the same grid where there is none.

    Args:
        grid: of the image; values, affine: the image itself, (I, J, K).
    """
    from scipy import ndimage as ndi

    edge = _edge(grid.seen)
    bright = float(np.percentile(grid.values, 98)) - float(grid.values.min())
    level = float(np.median(grid.values[edge])) - float(grid.values.min()) if edge.any() else 0.0
    if level <= BRIGHT_EDGE * bright:
        return grid
    step = np.abs(np.diff(values, axis=0, append=values[-1:]))
    grain = ndi.gaussian_filter(isotropic(step, affine, grid.mm, outside=0.0).values, 1.0)
    usual = float(np.median(grain[edge]))
    if usual < COARSE_GRAIN * level:
        return grid
    quiet = largest(ndi.binary_opening((grain < QUIET * usual) & grid.seen))
    # The grain was smoothed and the skin's own edge is rough: one voxel is given back.
    kept = ndi.binary_fill_holes(ndi.binary_dilation(quiet)) if quiet.any() else quiet
    return replace(grid, values=np.where(kept, grid.values, grid.values.min()).astype(np.float32))


def _edge(seen: Mask) -> Mask:
    """The outermost two voxels of what is in view."""
    from scipy import ndimage as ndi

    return np.asarray(seen & ~ndi.binary_erosion(seen, iterations=2), dtype=bool)
