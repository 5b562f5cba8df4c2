"""Mesh field: the signed distance to a smooth surface that is given by points with normals.

    points ──nearest──> a band of a 4 mm grid ──spread──> everywhere ──interpolate──> the fine grid
                                                                         └──nearest again, next to the skin

Next to the skin the distance is that to the planes through the nearest points, weighted by nearness: with points a millimetre or two
apart on a smooth surface it is right to some hundredths of a millimetre. Beyond the surface's edges, where
the foot of the perpendicular lies outside the point's own patch, the way to the patch is added. Far from the
skin nothing but thick layers is read from the field, and a coarse grid does.

Source: Hoppe et al., "Surface reconstruction from unorganized points", SIGGRAPH 1992 (tangent planes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.spatial import cKDTree

from medveil.simulate.field import Field, Grid

Array = npt.NDArray[Any]

COARSE_MM = 4.0
BAND_MM = 2.6
"""The fine grid is asked for again where the coarse field says that the skin is nearer than this."""
NEIGHBOURS = 4
MARGIN_MM = 12.0
"""Points further outside the grid than this are not looked at."""


class MeshField:
    """A surface that can be asked for its signed distance, mm, negative inside.

    Args:
        points: (P, 3) mm; normals: (P, 3) unit, outwards; reach_mm: (P,) how far each point's patch goes.
    """

    def __init__(self, points: Array, normals: Array, reach_mm: Array) -> None:
        self.points, self.normals, self.reach_mm = points, normals, reach_mm

    def write(self, field: Field) -> None:
        """Fill a field; what was in it is overwritten."""
        lo = field.origin_mm - MARGIN_MM
        hi = np.array([float(a[-1]) for a in field.axes]) + MARGIN_MM
        near = ((self.points > lo) & (self.points < hi)).all(axis=1)
        points, normals, reach = self.points[near], self.normals[near], self.reach_mm[near]
        tree = cKDTree(points, balanced_tree=False)

        def signed(at: Array) -> tuple[Array, Array]:
            far, index = tree.query(at, k=NEIGHBOURS)
            first = index[:, 0]
            weight = np.exp((far[:, :1] ** 2 - far**2) / (reach[first] ** 2)[:, None])  # (N, k)
            off = at[:, None] - points[index]  # (N, k, 3)
            planes = np.einsum("nki,nki->nk", off, normals[index])
            plane = (weight * planes).sum(axis=1) / weight.sum(axis=1)
            aside = np.sqrt(np.maximum(far[:, 0] ** 2 - planes[:, 0] ** 2, 0))
            beyond = np.maximum(aside - reach[first], 0)
            return np.where(plane > 0, 1.0, -1.0) * np.hypot(plane, beyond), first

        every = max(1, round(COARSE_MM / field.spacing_mm))
        coarse = [_thinned(a, every) for a in field.axes]
        rough = _everywhere(coarse, points, signed)
        for axis in range(3):
            rough = _stretched(rough, len(field.axes[axis]), every, axis)
        field.phi[...] = rough
        where = np.nonzero(np.abs(field.phi) < BAND_MM)
        at = np.stack([a[w] for a, w in zip(field.axes, where, strict=True)], axis=1).astype(np.float64)
        field.phi[where] = signed(at)[0]


def _thinned(axis: Grid, every: int) -> Array:
    """Every so-many-th plane of an axis, going on until the last one is reached."""
    step = float(axis[1] - axis[0]) * every
    n = int(np.ceil((len(axis) - 1) / every)) + 1
    return float(axis[0]) + step * np.arange(n)


def _everywhere(axes: list[Array], points: Array, signed: Any) -> Grid:
    """Signed distance on a coarse grid: asked for near the points, spread from there."""
    shape, step = tuple(len(a) for a in axes), axes[0][1] - axes[0][0]
    voxels = np.rint((points - [a[0] for a in axes]) / step).astype(int)
    voxels = voxels[((voxels >= 0) & (voxels < shape)).all(axis=1)]
    band = np.zeros(shape, bool)
    band[tuple(voxels.T)] = True
    band = binary_dilation(band, np.ones((3, 3, 3), bool), iterations=2)
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    phi, nearest = np.zeros(shape), np.zeros(shape, int)
    phi[band], nearest[band] = signed(grid[band])
    source = tuple(distance_transform_edt(~band, return_distances=False, return_indices=True))
    far = np.linalg.norm(grid - points[nearest[source]], axis=-1)
    out: Grid = np.where(band, phi, np.where(phi[source] > 0, far, -far)).astype(np.float32)
    return out


def _stretched(grid: Grid, length: int, every: int, axis: int) -> Grid:
    """Linear interpolation along one axis to `length` planes, `every` of them from one plane to the next."""
    at = np.arange(length) / every
    low = np.minimum(at.astype(int), grid.shape[axis] - 2)
    weight = (at - low).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
    below, above = np.take(grid, low, axis), np.take(grid, low + 1, axis)
    out: Grid = below + weight * (above - below)
    return out
