"""Skull: the way into a CT. Bone is bright, so the brain is found as the room that bone encloses.

The soft tissue of a CT is nearly flat, and mutual information with a T1 brain has several equal maxima.
The cavity of the skull has one: the largest ball that fits between the bones, opened so that it does not
leak through the foramen magnum, is the place; its shape against the template brain is the pose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.core.errors import Refusal
from medveil.core.release import Mask
from medveil.locate.grid import Grid, Matrix, Vector, Volume, isotropic

BONE_HU = 250.0
BONE_SHARE = 0.2  # of a 4 mm voxel: the thin squama of the temporal bone survives
RAYS = 120
RAY_REACH_MM = 130.0
SMALLEST_BALL_MM = 25.0
LARGEST_BALL_MM = 65.0


@dataclass(frozen=True, eq=False)
class Skull:
    """A skull on the grid of its head.

    Args:
        bone, cavity: (I, J, K) masks; `centre`: (3,) RAS mm of the cavity.
        closed: share of directions from its middle that meet bone.
    """

    bone: Mask
    cavity: Mask
    centre: Vector
    closed: float
    mm: float

    @property
    def cavity_l(self) -> float:
        return float(self.cavity.sum() * self.mm**3 / 1e6)

    def picture(self, head: Mask) -> Volume:
        """What is registered: cavity 1, bone 0.5, other tissue 0.25, air 0."""
        from scipy import ndimage as ndi

        shades = np.where(self.cavity, 1.0, np.where(self.bone, 0.5, np.where(head, 0.25, 0.0)))
        return np.asarray(ndi.gaussian_filter(shades.astype(np.float32), 0.5))


def bone_threshold(grid: Grid, head: Mask, hounsfield: bool) -> float:
    """The value above which a voxel is bone; without Hounsfield units the upper of three classes' limits."""
    from skimage.filters import threshold_multiotsu

    if hounsfield:
        return BONE_HU
    try:
        return float(threshold_multiotsu(grid.values[head], 3)[1])
    except ValueError as error:  # fewer than three different values
        raise Refusal("no head found", "no bone in the image") from error


def find_skull(values: Volume, affine: Matrix, grid: Grid, head: Mask, hounsfield: bool) -> Skull:
    """The cavity of the skull in a head.

    Args:
        values, affine: the image at its own resolution, for thin bone.
        grid, head: the same, cropped, at 4 mm.

    Raises:
        Refusal: `no head found` if nothing is enclosed by bone.
    """
    from scipy import ndimage as ndi

    threshold = bone_threshold(grid, head, hounsfield)
    bone = _on(grid, isotropic((values > threshold).astype(np.float32), affine, grid.mm, outside=0.0))
    barrier = bone | ~head | ~grid.seen
    room = ndi.distance_transform_edt(np.pad(~barrier, 1))[1:-1, 1:-1, 1:-1] * grid.mm
    found = _roundest_room(room, bone, grid.mm)
    if found is None:
        raise Refusal("no head found", "no cavity enclosed by bone")
    middle, closed = found
    neck = max(12.0, 0.38 * float(room[middle]))  # a smaller opening leaks into the spinal canal
    labels, _ = ndi.label(room > neck)
    core = labels == labels[middle]
    cavity = (ndi.distance_transform_edt(~core) * grid.mm <= neck + 1) & ~barrier
    cavity = np.asarray(ndi.binary_fill_holes(cavity), dtype=bool)
    centre = grid.origin + grid.mm * np.argwhere(cavity).mean(0)
    return Skull(bone, cavity, centre, closed, grid.mm)


def _on(grid: Grid, whole: Grid) -> Mask:
    """The bone of the whole image cut to a cropped grid of the same lattice."""
    low = np.round((grid.origin - whole.origin) / grid.mm).astype(np.int64)
    high = low + np.array(grid.values.shape)
    return np.asarray(whole.window(low, high).values > BONE_SHARE, dtype=bool)


def _roundest_room(room: Volume, bone: Mask, mm: float) -> tuple[tuple[int, ...], float] | None:
    """Of the places far from any barrier, the one most enclosed by bone: (index, share of rays that hit)."""
    directions = _sphere(RAYS)
    steps = np.arange(8.0, RAY_REACH_MM, mm / 1.5)
    rays = directions[:, None, :] * steps[None, :, None] / mm  # (ray, step, axis) in voxels
    order = np.flatnonzero(room.ravel() >= SMALLEST_BALL_MM)
    order = order[np.argsort(-room.ravel()[order], kind="stable")]
    places = np.stack(np.unravel_index(order, room.shape), axis=1)
    best: tuple[float, tuple[int, ...], float] | None = None
    for _ in range(12):
        if not len(places):
            break
        place = places[0]
        at = np.round(place + rays).astype(int)
        inside = ((at >= 0) & (at < room.shape)).all(-1)
        at = np.clip(at, 0, np.array(room.shape) - 1)
        hit = bone[at[..., 0], at[..., 1], at[..., 2]] & inside
        closed = float(hit.any(1).mean())
        index = tuple(int(p) for p in place)
        score = closed * min(float(room[index]), LARGEST_BALL_MM)
        if best is None or score > best[0]:
            best = (score, index, closed)
        places = places[np.linalg.norm(places - place, axis=1) * mm >= 40.0]
    return None if best is None else best[1:]


def _sphere(n: int) -> Matrix:
    """(n, 3) directions spread evenly (a Fibonacci spiral)."""
    i = np.arange(n) + 0.5
    z, turn = 1 - 2 * i / n, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - z**2)
    return np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)
