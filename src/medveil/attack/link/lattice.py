"""Lattice: the grid on which brains are compared, and filters that stay inside the brain.

A value outside the brain is not dark, it is unknown: every filter divides by how much brain it saw, so that
the outline of the mask, which is the same in everybody, leaves no mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector, Volume
from medveil.locate.template import template

Array = npt.NDArray[Any]

AROUND = 2  # voxels around the brain
LEAST_WEIGHT = 1e-3
TRUNCATE = 3.0  # sd after which a Gaussian ends


@dataclass(frozen=True, eq=False, repr=False)
class Lattice:
    """Cubes over the template's brain.

    Args:
        brain: (I, J, K) True inside the brain; V voxels.
        tissue: (V,) the template's T1 shade of each, 0..1.
        affine: (4, 4) voxel to MNI mm.
        mm: edge of a voxel.
    """

    brain: Mask
    tissue: Volume
    affine: Matrix
    mm: float

    @property
    def points(self) -> Vector:
        """(V, 3) MNI mm."""
        return np.asarray(np.argwhere(self.brain) * self.mm + self.affine[:3, 3])

    def volume(self, values: Array) -> Volume:
        """(V,) values as a volume, 0 outside the brain and where a value is NaN."""
        out = np.zeros(self.brain.shape, dtype=np.float32)
        out[self.brain] = np.nan_to_num(values)
        return out

    def smooth(self, values: Array, sd: float) -> Volume:
        """(V,) Gaussian mean of the values that are not NaN, inside the brain; `sd` in voxels."""
        seen = np.isfinite(values)
        some = seen.astype(np.float32)
        weight = (
            _whole_weight(self.mm, sd) if seen.all() else np.maximum(self._spread(some, sd), LEAST_WEIGHT)
        )
        return np.asarray(self._spread(values, sd) / weight, dtype=np.float32)

    def band(self, values: Array, fine: float, coarse: float) -> Volume:
        """(V,) what is coarser than `fine` and finer than `coarse`, sd in voxels; 0 where a value is NaN."""
        out = (self.smooth(values, fine) if fine else values) - self.smooth(values, coarse)
        return np.where(np.isfinite(values), out, 0).astype(np.float32)

    def inner(self) -> Mask:
        """(V,) True where all six neighbours are brain too."""
        from scipy import ndimage as ndi

        return np.asarray(ndi.binary_erosion(self.brain)[self.brain], dtype=bool)

    def gradient(self, values: Array) -> Array:
        """(3, V) slope per voxel along R, A and S; 0 where a neighbour is no brain."""
        slopes = np.stack([np.gradient(self.volume(values), axis=axis)[self.brain] for axis in range(3)])
        return np.asarray(slopes * self.inner(), dtype=np.float32)

    def _spread(self, values: Array, sd: float) -> Array:
        from scipy import ndimage as ndi

        blurred = ndi.gaussian_filter(self.volume(values), sd, mode="constant", truncate=TRUNCATE)
        return np.asarray(blurred[self.brain])

    def __repr__(self) -> str:
        return f"Lattice(mm={self.mm:g}, {len(self.tissue)} voxels)"


@lru_cache(maxsize=16)
def _whole_weight(mm: float, sd: float) -> Array:
    """(V,) how much brain a Gaussian sees where all of it is known."""
    grid = lattice(mm)
    return np.maximum(grid._spread(np.ones(len(grid.tissue), dtype=np.float32), sd), LEAST_WEIGHT)


@lru_cache(maxsize=4)
def lattice(mm: float) -> Lattice:
    """Cubes of `mm` over the template's brain, with two voxels around."""
    from scipy import ndimage as ndi

    t = template()
    inside = np.argwhere(t.brain) * t.mm + t.origin
    low, high = inside.min(0) - AROUND * mm, inside.max(0) + AROUND * mm
    shape = tuple(int(n) for n in np.ceil((high - low) / mm) + 1)
    step, first = np.full(3, mm / t.mm), (low - t.origin) / t.mm
    distance, tissue = (
        ndi.affine_transform(v, step, first, output_shape=shape, order=1, mode="nearest")
        for v in (t.distance_mm, ndi.gaussian_filter(t.tissue, 0.35 * mm / t.mm))
    )
    brain = np.asarray(distance <= 0, dtype=bool)
    brain.flags.writeable = False
    affine = np.diag([mm, mm, mm, 1.0])
    affine[:3, 3] = low
    return Lattice(brain, tissue[brain].astype(np.float32), affine, mm)
