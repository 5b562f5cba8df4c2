"""Grids: any head image as a small, upright, evenly spaced volume in patient millimetres.

Registration wants cubes of one size along patient axes; scanners deliver slabs, oblique stacks and
storage orders of every kind. The way from one to the other:

    image --canonical--> axes nearest to RAS --isotropic--> 4 mm grid --head_mask--> head --crop--> --flatten-->

All arrays here are (I, J, K) along R, A, S; a grid's `origin` is the RAS+ position in mm of voxel (0, 0, 0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Mask

Volume = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

MINIMUM_HEAD_MM3 = 3e5
LONG_BODY_MM = 330.0  # a taller mask is a body: the head is sought in its upper end
HEAD_REACH_MM = 230.0
FIRST_VOLUMES = 8  # of a series; enough to average, and the same for every length


@dataclass(frozen=True, eq=False)
class Grid:
    """A head on an axis-aligned RAS grid.

    Args:
        values: (I, J, K) real values, the unit of the image.
        seen: (I, J, K) True inside the image's field of view.
        origin: (3,) RAS+ mm of the first voxel's centre.
        mm: edge of a voxel.
    """

    values: Volume
    seen: Mask
    origin: Vector
    mm: float

    def window(self, low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> Grid:
        """The voxels low <= index < high."""
        box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
        return replace(self, values=self.values[box], seen=self.seen[box], origin=self.origin + self.mm * low)

    def halved(self, volume: npt.NDArray[Any]) -> tuple[Volume, Vector]:
        """A volume on this grid at twice the spacing (mean of 2 x 2 x 2), and the origin of the result."""
        return block_mean(volume, (2, 2, 2)), self.origin + self.mm / 2

    def indices(self, points: Vector) -> Vector:
        """(N, 3) RAS mm as fractional voxel indices."""
        return (points - self.origin) / self.mm


def volume_of(image: Image) -> tuple[Volume, Matrix]:
    """Real values of an image as one (I, J, K) volume with axes nearest to RAS, and its affine.

    A series is averaged over its first volumes. Where air is noise about zero, as in a difference of two images, what
    is below zero becomes zero. Axes are only permuted and flipped, so images that differ in storage order alone
    give the same array.
    """
    if image.kind != "intensity":
        raise Refusal("not an intensity image", f"kind is {image.kind}")
    if image.data.ndim == 4:
        values = image.with_data(image.data[..., :FIRST_VOLUMES]).values().mean(-1, dtype=np.float32)
    else:
        values = image.values()
    if _is_a_difference(values):
        values = np.maximum(values, np.float32(0))
    order, signs = orientation(image.affine)
    flips = tuple(slice(None, None, s) for s in signs)
    return values.transpose(order)[flips], reoriented(image.affine, values.shape[:3], order, signs)


def _is_a_difference(values: Volume) -> bool:
    """Whether the outermost voxels scatter about zero."""
    if values.min() >= 0 or min(values.shape) < 3:
        return False
    border = np.concatenate([np.take(values, end, axis).ravel() for axis in range(3) for end in (0, -1)])
    low, middle, high = (float(q) for q in np.percentile(border, (5, 50, 95)))
    return low < 0 < high and abs(middle) < 0.2 * (high - low)


def orientation(affine: Matrix) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Which voxel axis runs nearest to R, A and S, and whether with it (1) or against it (-1)."""
    from scipy.optimize import linear_sum_assignment

    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    _, order = linear_sum_assignment(-np.abs(directions))
    signs = tuple(1 if directions[axis, o] >= 0 else -1 for axis, o in enumerate(order))
    return tuple(int(o) for o in order), signs


def reoriented(
    affine: Matrix, shape: tuple[int, ...], order: tuple[int, ...], signs: tuple[int, ...]
) -> Matrix:
    """The affine of an array of `shape` after `transpose(order)` and flips where a sign is -1."""
    out = affine.copy()
    out[:3, :3] = affine[:3, list(order)]
    for axis, sign in enumerate(signs):
        if sign < 0:
            out[:3, 3] += out[:3, axis] * (shape[order[axis]] - 1)
            out[:3, axis] *= -1
    return out


def block_mean(volume: npt.NDArray[Any], factors: tuple[int, int, int]) -> Volume:
    """Mean over blocks of `factors` voxels; an incomplete last block is filled with its own edge."""
    missing = [(-n) % f for n, f in zip(volume.shape, factors, strict=True)]
    if any(missing):
        volume = np.pad(volume, [(0, m) for m in missing], mode="edge")
    for axis in (2, 1, 0):
        f = factors[axis]
        if f > 1:
            n = volume.shape[axis] // f
            split = (*volume.shape[:axis], n, f, *volume.shape[axis + 1 :])
            volume = volume.reshape(split).mean(axis + 1, dtype=np.float32)
    return np.asarray(volume, dtype=np.float32)


def isotropic(values: npt.NDArray[Any], affine: Matrix, mm: float, outside: float | None = None) -> Grid:
    """Resample a volume to an axis-aligned grid: block mean by whole factors, then linear.

    `outside` is the value beyond the field of view; by default the smallest value of the volume.
    """
    from scipy import ndimage as ndi

    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    factors = tuple(max(1, int(mm / s + 1e-3)) for s in spacing)
    small = block_mean(values, (factors[0], factors[1], factors[2]))
    # The centre of a block of f voxels lies (f - 1) / 2 voxels behind the centre of its first voxel.
    coarse = affine.copy()
    coarse[:3, 3] += affine[:3, :3] @ ((np.array(factors) - 1) / 2)
    coarse[:3, :3] = affine[:3, :3] * factors

    last = np.array(values.shape) - 0.5
    corners = np.array([[last[a] if c >> a & 1 else -0.5 for a in range(3)] for c in range(8)])
    corners = corners @ affine[:3, :3].T + affine[:3, 3]
    origin = corners.min(0) + mm / 2
    shape = np.maximum(1, np.ceil(np.ptp(corners, axis=0) / mm - 1e-6)).astype(int)

    to_coarse = np.linalg.inv(coarse) @ grid_affine(origin, mm)
    fill = float(small.min()) if outside is None else outside
    out = ndi.affine_transform(
        np.pad(small, 1, mode="edge"),
        to_coarse[:3, :3],
        to_coarse[:3, 3] + 1,
        output_shape=tuple(shape),
        order=1,
        cval=fill,
    )
    to_image = np.linalg.inv(affine) @ grid_affine(origin, mm)
    seen = within(tuple(shape), to_image, values.shape)
    return Grid(np.where(seen, out, np.float32(fill)), seen, origin, mm)


def grid_affine(origin: Vector, mm: float) -> Matrix:
    """(4, 4) voxel to RAS+ mm of an axis-aligned grid."""
    out = np.diag([mm, mm, mm, 1.0])
    out[:3, 3] = origin
    return out


def onto(mask: Mask, grid: Grid, affine: Matrix, shape: tuple[int, ...]) -> Mask:
    """A mask on a grid as one on an image of this affine and shape: of each voxel, the nearest of the grid."""
    from scipy import ndimage as ndi

    into = np.linalg.inv(grid_affine(grid.origin, grid.mm)) @ affine
    out = ndi.affine_transform(
        mask.view(np.uint8), into[:3, :3], into[:3, 3], output_shape=shape, order=0, mode="nearest"
    )
    return np.asarray(out > 0, dtype=bool)


def inverse(affine: Matrix) -> Matrix:
    """The affine the other way."""
    return np.asarray(np.linalg.inv(affine), dtype=np.float64)


def within(shape: tuple[int, ...], to_image: Matrix, limits: tuple[int, ...]) -> Mask:
    """Which voxels of `shape` fall into an array of size `limits` under an affine of indices."""
    i, j, k = (np.arange(n, dtype=np.float32) for n in shape)
    inside = np.ones(shape, dtype=bool)
    for axis in range(3):
        row = to_image[axis].astype(np.float32)
        at = row[0] * i[:, None, None] + row[1] * j[None, :, None] + row[2] * k[None, None, :] + row[3]
        inside &= (at >= -0.5) & (at <= limits[axis] - 0.5)
    return inside


def bright(values: Volume, *, opened: bool = True) -> Mask:
    """What is no air: above 0.7 of Otsu's threshold on the square root of the values.

    Args:
        opened: without single voxels, and without what is as thin: skin that fills half a voxel, ears.
    """
    from scipy import ndimage as ndi
    from skimage.filters import threshold_otsu

    low, high = (float(q) for q in np.percentile(values, (0.5, 99.5)))
    if not high > low:
        return np.zeros(values.shape, dtype=bool)
    root = np.sqrt((np.clip(values, low, high) - low) / (high - low))
    out = root > 0.7 * threshold_otsu(root)
    return np.asarray(ndi.binary_opening(out) if opened else out, dtype=bool)


def faint(values: Volume) -> Mask:
    """What is no air, down to a suppressed scalp: above the darkest of the image's edges by their own noise.

    Echo-planar images suppress fat; their scalp is a tenth as bright as the brain and lies under `bright`.
    """
    from scipy import ndimage as ndi

    top = float(np.percentile(values, 99.5))
    faces = [np.take(values, end, axis).ravel() for axis in range(3) for end in (0, -1)]
    middle, spread = min(
        ((float(np.median(f)), float(np.percentile(f, 84) - np.median(f))) for f in faces),
        key=lambda m: m[0],
    )
    threshold = middle + max(6.0 * spread, 0.04 * (top - middle))
    return np.asarray(ndi.binary_opening(values > threshold), dtype=bool)


def blurred(values: Volume) -> Volume:
    """Every voxel mixed with its neighbours: a Gaussian whose sd is one voxel."""
    from scipy import ndimage as ndi

    return np.asarray(ndi.gaussian_filter(values, 1.0), dtype=np.float32)


def solid(mask: Mask, mm: float) -> Mask:
    """The largest body of a mask with everything inside its skin."""
    from scipy import ndimage as ndi

    mask = largest(mask)
    if not mask.any():
        return mask
    reach = max(1, round(8.0 / mm))
    mask = np.pad(mask, reach)
    mask = ndi.binary_closing(mask, iterations=reach)
    mask = mask[(slice(reach, -reach),) * 3]
    mask = ndi.binary_fill_holes(mask)
    for axis in range(3):  # the airways and the ear canals open outwards in some slices only
        planes = np.moveaxis(mask, axis, 0)
        for plane in planes:
            plane |= ndi.binary_fill_holes(plane)
    return np.asarray(mask, dtype=bool)


def head_mask(values: Volume, mm: float) -> Mask:
    """The largest body in a volume, solid: everything inside the skin.

    Otsu on the square root of the clipped values, lowered to 0.7 of it, works on T1, T2, PD, PET and CT.
    """
    return solid(bright(values), mm)


def bodies(grid: Grid) -> Vector:
    """(N, 3) RAS mm of every second voxel inside anything thick: heads, arms, bottles; no couch, no strap.

    What is thinner than about 24 mm is worn away, and thicker things lose 12 mm all around.
    """
    from scipy import ndimage as ndi

    filled = ndi.binary_fill_holes(bright(grid.values)) & grid.seen
    core = ndi.binary_erosion(filled, iterations=max(1, round(12.0 / grid.mm)), border_value=1)
    at = np.argwhere(core[::2, ::2, ::2])
    return np.asarray(at * (2 * grid.mm) + grid.origin, dtype=np.float64)


def largest(mask: Mask) -> Mask:
    """The largest connected component of a mask."""
    from scipy import ndimage as ndi

    labels, n = ndi.label(mask)
    if n == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax(), dtype=bool)


def crop_to_head(grid: Grid) -> tuple[Grid, Mask]:
    """The part of a grid that holds the head, and the head in it; of a long body, its upper end.

    Raises:
        Refusal: `no head found` where there is no body of at least 0.3 litre.
    """
    head = head_mask(grid.values, grid.mm)
    area_cm2 = head.sum((0, 1)) * grid.mm**2 / 100
    levels = np.flatnonzero(area_cm2 > 15)
    if head.sum() * grid.mm**3 < MINIMUM_HEAD_MM3 or levels.size == 0:
        raise Refusal("no head found", "no body of at least 0.3 litre in the image")
    is_long = (levels.max() - levels.min()) * grid.mm > LONG_BODY_MM
    floor = max(0, int(levels.max() - HEAD_REACH_MM / grid.mm)) if is_long else 0
    at = np.argwhere(head[:, :, floor:])
    low = np.maximum(0, at.min(0) - 3)
    low[2] = floor if is_long else low[2]
    high = np.minimum(at.max(0) + 4 + [0, 0, floor], head.shape)
    small = grid.window(low, high)
    if is_long:
        return small, head_mask(small.values, grid.mm)
    return small, head[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]


def flatten(grid: Grid, head: Mask) -> Volume:
    """Values divided by their local mean, so that no coil and no bright scalp pulls a registration.

    The local mean is a Gaussian of 25 mm inside the head; results lie in 0..2.2 and are 0 in the air.
    """
    from scipy import ndimage as ndi

    base = float(np.percentile(grid.values, 0.5))
    inside = head.astype(np.float32)
    values = np.clip(grid.values - base, 0, None) * inside
    values = np.minimum(values, np.percentile(values[head], 99.7)) if head.any() else values
    sigma = 25.0 / grid.mm
    weight = ndi.gaussian_filter(inside, sigma, truncate=3)
    mean = ndi.gaussian_filter(values, sigma, truncate=3) / np.maximum(weight, 1e-4)
    floor = 0.15 * float(np.median(mean[head])) + 1e-6
    out = np.clip(values / np.maximum(mean, floor), 0, 2.2)
    return np.asarray(out * ndi.binary_dilation(head), dtype=np.float32)
