"""Grid: any volume as an upright, isotropic one, with no more voxels than a face needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.image import Image

Array = npt.NDArray[Any]

FINEST_MM = 1.0  # below this a scan shows noise, not more of a face
MOST_VOXELS = 14_000_000


@dataclass(frozen=True, eq=False, repr=False)
class Grid:
    """Real values on isotropic voxels whose axes point about right, anterior and superior.

    Args:
        values: (I, J, K) float32.
        affine: (4, 4), voxel to RAS+ mm.
        spacing_mm: side of a voxel.
    """

    values: Array
    affine: Array
    spacing_mm: float

    def cropped(self, box: tuple[slice, slice, slice]) -> Grid:
        """The part inside a box of voxels."""
        affine = self.affine.copy()
        affine[:3, 3] += affine[:3, :3] @ np.array([s.start or 0 for s in box])
        return Grid(self.values[box], affine, self.spacing_mm)

    def __repr__(self) -> str:
        return f"Grid(shape={self.values.shape}, spacing_mm={self.spacing_mm:.3g})"


def head_grid(image: Image) -> Grid:
    """Axes put in RAS order, then resampled linearly to cubes of 1 mm, or of the finest spacing if coarser.

    A series of volumes is averaged. The frame stays that of the affine: nothing is turned, so an oblique scan
    gives oblique cubes and its surface still comes out upright in the world.
    """
    from scipy.ndimage import affine_transform, gaussian_filter

    values = image.values()
    if values.ndim == 4:
        values = values.mean(axis=3, dtype=np.float32)
    values, affine = _upright(values, np.asarray(image.affine))
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    extent = spacing * values.shape
    cube = max(FINEST_MM, float(spacing.min()), float(np.cbrt(np.prod(extent) / MOST_VOXELS)))
    if np.allclose(spacing, cube, rtol=0.02):
        return Grid(np.ascontiguousarray(values), affine, float(np.cbrt(np.prod(spacing))))
    step = cube / spacing  # old voxels per new voxel
    blur = np.where(step > 1.2, 0.4 * np.sqrt(np.maximum(step**2 - 1, 0)), 0.0)
    if blur.any():
        values = gaussian_filter(values, blur)
    shape = tuple(int(n) for n in np.floor((np.array(values.shape) - 1) / step + 1e-6) + 1)
    values = affine_transform(values, step, output_shape=shape, order=1)
    affine = affine.copy()
    affine[:3, :3] *= step
    return Grid(values, affine, cube)


def _upright(values: Array, affine: Array) -> tuple[Array, Array]:
    """Permute and flip the axes so that they point most nearly right, anterior and superior."""
    from scipy.optimize import linear_sum_assignment

    cosines = affine[:3, :3] / np.sqrt((affine[:3, :3] ** 2).sum(axis=0))  # (world, voxel)
    _, order = linear_sum_assignment(-np.abs(cosines))  # world axis -> the voxel axis that follows it
    values = values.transpose(order)
    turned = affine.copy()
    turned[:3, :3] = affine[:3, order]
    for axis in range(3):
        if turned[axis, axis] < 0:
            values = np.flip(values, axis)
            turned[:3, 3] += turned[:3, axis] * (values.shape[axis] - 1)
            turned[:3, axis] *= -1
    return values, turned
