"""Layers: how far every place lies outside or under the skin, and what is usual at that depth nearby.

    outline of a site ──> head ──> mm outward of the skin ──> Profile: mean grey level per depth, along the skin

What lies at which depth is half of what a face is made of; the other half is where the skin runs. Methods
that move the skin take the first half from here.

Distances count outward: positive before the skin, negative under it. Points are RAS+ mm.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from medveil.core.image import Array
from medveil.core.release import Mask
from medveil.locate.grid import Grid, Vector, Volume
from medveil.protect.deface.outline import MM
from medveil.protect.deface.site import Site

STEP_MM = 2.0  # between two depths of a profile
INSET_REACH_MM, INSET_STEP_MM = 6.0, 0.75  # what the skin is looked for in
BEFORE_MM = 2.0  # from here on outward everything is air


@dataclass(frozen=True, eq=False, repr=False)
class Layers:
    """A head's skin as a field over an even grid.

    Args:
        grid: the part of the head that was asked for, values and place.
        outward_mm: (I, J, K) on that grid, smooth, positive before the skin.
    """

    grid: Grid
    outward_mm: Volume

    def sample(self, field: Volume, points: Vector) -> Volume:
        """(N,) a field over the grid at (N, 3) points."""
        return sample(field, self.grid.indices(points))


def layers_of(site: Site, points: Vector, *, around_mm: float = 24.0) -> Layers:
    """The skin of a head near some points.

    Args:
        points: (N, 3) what has to be covered; the grid reaches `around_mm` beyond.
    """
    whole, head = site.outline.grid, site.outline.head
    low = np.floor(whole.indices(points.min(0) - around_mm))
    high = np.ceil(whole.indices(points.max(0) + around_mm)) + 1
    low, high = (np.clip(c, 0, head.shape).astype(np.int64) for c in (low, high))
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return Layers(whole.window(low, high), skin_of(head[box]))


def skin_of(head: Mask) -> Volume:
    """Mm outward of the skin of a head on the even grid, without the terraces of a mask."""
    from scipy import ndimage as ndi

    return np.asarray(ndi.gaussian_filter(signed_distance(head) * np.float32(MM), 0.7), dtype=np.float32)


def signed_distance(inside: Mask) -> Volume:
    """Distance to the border of a mask in voxels, negative inside; a mask that fills its array is far inside."""
    from scipy import ndimage as ndi

    reach = float(sum(inside.shape))
    if inside.all() or not inside.any():
        return np.full(inside.shape, -reach if inside.all() else reach, dtype=np.float32)
    out = np.where(
        inside, 0.5 - ndi.distance_transform_edt(inside), ndi.distance_transform_edt(~inside) - 0.5
    )
    return np.asarray(out, dtype=np.float32)


def inset_mm(values: Volume, outward_mm: Volume, kept: Mask) -> np.float32:
    """How far inside the border of a head mask the skin runs, mm: where the kept falls to a half.

    A mask has to hold faint tissue, so its border lies a voxel's half or so out in the air.
    """
    depths = np.arange(-INSET_REACH_MM, INSET_REACH_MM + INSET_STEP_MM, INSET_STEP_MM)
    near = kept & (np.abs(outward_mm) < INSET_REACH_MM)
    rank = np.rint((outward_mm[near] - depths[0]) / INSET_STEP_MM)
    levels = values[near]
    bins = [levels[rank == n] for n in range(len(depths))]
    here = np.array([len(b) > 0 for b in bins])
    if here.sum() < 2:
        return np.float32(0)
    usual = np.array([np.median(b) for b in bins if len(b)])
    falling = np.minimum.accumulate(usual[usual.argmax() :])
    half = (falling[0] + falling[-1]) / 2
    return np.float32(-np.interp(-half, -falling, depths[here][usual.argmax() :]))


def sample(field: Array, at: Vector) -> Volume:
    """(N,) a field at (N, D) fractional indices, linear; beyond its edge, the edge."""
    from scipy import ndimage as ndi

    return np.asarray(ndi.map_coordinates(field, at.T, np.float32, order=1, mode="nearest"))


def points_of(mask: Mask, affine: Vector) -> Vector:
    """(N, 3) where the voxels of a mask are in RAS+ mm, in the order of `mask[mask]`."""
    at = np.argwhere(mask)
    return np.asarray(at @ affine[:3, :3].T + affine[:3, 3], dtype=np.float64)


@dataclass(frozen=True, eq=False, repr=False)
class Profile:
    """Mean grey level at each depth, blurred along the skin: filtering in the coordinates of the surface.

    Args:
        means: (D, I, J, K) at depths `first_mm`, `first_mm + STEP_MM`, ... on the grid of `layers`.
        first_mm: the deepest depth, outward.
        layers: whose skin.
    """

    means: Volume
    first_mm: float
    layers: Layers

    def at(self, points: Vector, outward_mm: Volume) -> Volume:
        """(N,) what is usual at points (N, 3) if they lay so far outward of the skin."""
        rank = np.clip((outward_mm - self.first_mm) / STEP_MM, 0, len(self.means) - 1)
        return sample(self.means, np.column_stack([rank, self.layers.grid.indices(points)]))


def profile(
    layers: Layers, points: Vector, outward_mm: Volume, values: Volume, *, deepest_mm: float, along_mm: float
) -> Profile:
    """Average values (N,) at points (N, 3) over their neighbours of the same depth.

    Args:
        outward_mm: (N,) of the points.
        deepest_mm: everything further under the skin counts as this deep.
        along_mm: standard deviation of the blur along the skin.
    """
    from scipy import ndimage as ndi

    n = round((deepest_mm + BEFORE_MM) / STEP_MM) + 1
    first = BEFORE_MM - (n - 1) * STEP_MM
    shape = layers.outward_mm.shape
    cell = np.rint(layers.grid.indices(points)).astype(np.int64)
    cell = np.ravel_multi_index(tuple(np.clip(cell, 0, np.array(shape) - 1).T), shape)
    rank = np.clip(np.rint((outward_mm - first) / STEP_MM), 0, n - 1).astype(np.int64)
    where = rank * int(np.prod(shape)) + cell
    size = n * int(np.prod(shape))
    weight = np.bincount(where, minlength=size).astype(np.float32).reshape(n, *shape)
    total = np.bincount(where, weights=values, minlength=size).astype(np.float32).reshape(n, *shape)
    counts = np.maximum(np.bincount(rank, minlength=n), 1)
    usual = np.bincount(rank, weights=values, minlength=n) / counts
    for depth in range(n):  # far from every voxel of this depth its mean over the whole head counts
        w = ndi.gaussian_filter(weight[depth], along_mm / MM, truncate=3)
        t = ndi.gaussian_filter(total[depth], along_mm / MM, truncate=3)
        total[depth] = (t + 1e-4 * usual[depth]) / (w + 1e-4)
    return Profile(total, first, layers)


def stream_of(purpose: str, numbers: Array) -> np.random.Generator:
    """A generator that grows from numbers of the image: the same numbers, the same draws.

    No seed is kept anywhere. Whoever has all of `numbers` can repeat the draws, and nobody else can.
    """
    digest = hashlib.sha256(purpose.encode())
    digest.update(f"{numbers.dtype.str}{numbers.shape}".encode())
    digest.update(np.ascontiguousarray(numbers).tobytes())
    return np.random.default_rng(int.from_bytes(digest.digest(), "little"))
