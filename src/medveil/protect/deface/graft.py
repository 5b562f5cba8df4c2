"""Graft: another face laid into a head, bent at its rim to where the kept skin arrives.

    kept voxels ──head with the other face in it──> mm between the kept skin and the face's skin
                                                          └──spread a little way in──> Graft

Nothing here reads a voxel of the region that is replaced. So whatever the graft becomes, it can't say more about
the removed face than the kept voxels and the place of the brain do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.locate.grid import (
    Grid,
    Matrix,
    Vector,
    Volume,
    grid_affine,
    head_mask,
    isotropic,
    volume_of,
)
from medveil.protect.deface.faces import Face, placed, upright
from medveil.protect.deface.layers import inset_mm, sample, skin_of
from medveil.protect.deface.outline import MM
from medveil.protect.deface.site import Site

AROUND_MM = 40.0  # of the head beyond the region that is looked at
SKIN_MM = 4.0  # the kept skin is read from voxels no further from it
RIM_MM = 7.0  # the kept skin's place is spread by a Gaussian of this width
HOLD = 0.012  # of a voxel: what stands against the spread; it has fallen to a half some 10 mm inside the rim
RIM_VOXELS = 4
MOST_MM = 20.0  # that the other skin is bent
A_TRACE = 0.05  # of a voxel of the even grid within the region, and its value says something of it


@dataclass(frozen=True, eq=False, repr=False)
class Graft:
    """Another face in a patient's head.

    Args:
        face: whose.
        to_face: (4, 4) patient mm to voxels of the face.
        scale: patient mm in one face mm.
        slopes: (3, I, J, K) from `upright`.
        grid: part of the patient's head, kept voxels only.
        outward_mm: (I, J, K) on that grid: to the skin of the head that has the other face.
        rough_mm: (I, J, K) on that grid: to the skin of the bent face alone.
        bend_mm: (I, J, K) on that grid: how far the face's skin is shifted inward.
        kept: (I, J, K) on that grid, True where no voxel of the region had a part, inside the field of view.
    """

    face: Face
    to_face: Matrix
    scale: float
    slopes: Volume
    grid: Grid
    outward_mm: Volume
    rough_mm: Volume
    bend_mm: Volume
    kept: Mask

    def roughly(self, points: Vector) -> Volume:
        """(N,) mm outward of the bent face's skin, from the nearest voxel of the grid."""
        cell = np.rint(self.grid.indices(points)).astype(np.int32)
        return np.asarray(self.rough_mm[tuple(np.clip(cell, 0, np.array(self.kept.shape) - 1).T)])

    def bent(self, points: Vector) -> tuple[Vector, Volume]:
        """Where in the face points (N, 3) of the patient lie, in its voxels, and (N,) how far outward, mm."""
        at = points @ self.to_face[:3, :3].T + self.to_face[:3, 3]
        bend = sample(self.bend_mm, self.grid.indices(points)) / self.scale
        moved = np.abs(bend) > 0.05
        if moved.any():
            into_voxels = np.linalg.inv(self.face.affine[:3, :3])
            normal = np.stack([sample(slope, at[moved]) for slope in self.slopes], axis=1)
            at[moved] += (bend[moved, None] * normal) @ into_voxels.T
        return at, sample(self.face.outward_mm, at) * np.float32(self.scale)


def graft(site: Site, region: Mask, face: Face) -> Graft:
    """Lay a face into a head whose voxels in `region` (I, J, K) are not looked at."""
    to_mm = placed(face, site.found.affine)
    to_face = np.linalg.inv(face.affine) @ to_mm
    scale = float(1 / np.cbrt(np.linalg.det(to_mm[:3, :3])))
    grid, gone = _without(site.image, region, lowest=-1024.0 if site.found.modality == "ct" else None)
    into = to_face @ grid_affine(grid.origin, MM)
    lattice = np.argwhere(np.ones(gone.shape, dtype=bool))
    theirs = sample(face.outward_mm, lattice @ into[:3, :3].T + into[:3, 3]).reshape(gone.shape)
    theirs = np.asarray(theirs * np.float32(scale))
    bright = float(np.percentile(grid.values[~gone], 95))
    values = np.where(gone, np.where(theirs < 0, bright, grid.values.min()), grid.values)
    head = head_mask(np.asarray(values, dtype=np.float32), MM)

    box = _around(gone)
    gone, theirs, seen, head = gone[box], theirs[box], grid.seen[box], head[box]
    held, air = head & ~gone, ~head & ~gone & seen
    ours = _kept_skin(held, air, theirs)
    ours[~gone] += inset_mm(grid.values[box], ours, ~gone & seen)
    bend = _bend(ours - theirs, _known(ours, theirs, gone, ~seen))
    low = np.array([s.start for s in box])
    part = grid.window(low, np.array([s.stop for s in box]))
    return Graft(face, to_face, scale, upright(face), part, ours, theirs + bend, bend, ~gone & seen)


def _without(image: Image, region: Mask, lowest: float | None) -> tuple[Grid, Mask]:
    """The even grid of an image without the voxels of a region, and where on it these left a trace."""
    data = image.data.copy()
    data[region] = image.store(float(image.values()[~region].min()))
    values, affine = volume_of(image.with_data(data))
    grid = isotropic(values if lowest is None else np.maximum(values, np.float32(lowest)), affine, MM)
    mask, affine = volume_of(Image(region.view(np.uint8), image.affine))
    return grid, isotropic(mask, affine, MM, outside=0.0).values > A_TRACE


def _around(mask: Mask) -> tuple[slice, ...]:
    """The box of a mask with what lies `AROUND_MM` around it."""
    at = np.argwhere(mask)
    reach = round(AROUND_MM / MM)
    low, high = np.maximum(at.min(0) - reach, 0), np.minimum(at.max(0) + 1 + reach, mask.shape)
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _kept_skin(held: Mask, air: Mask, theirs: Volume) -> Volume:
    """Mm outward of the skin between kept tissue and kept air; elsewhere that of the other face.

    Where the region cuts through tissue, its border is no skin: depth counts from the nearest kept air.
    """
    if not held.any() or not air.any():
        return theirs
    known = held | air
    solid = np.where(known, held, theirs < 0)
    inward, outward = (ndi.distance_transform_edt(~m) for m in (air, held))
    kept = np.where(held, 0.5 - inward, outward - 0.5) * MM
    kept = np.where(known, kept, skin_of(solid))
    return np.asarray(ndi.gaussian_filter(kept.astype(np.float32), 0.7), dtype=np.float32)


def _known(ours: Volume, theirs: Volume, gone: Mask, unseen: Mask) -> Mask:
    """Where the kept voxels say how far to bend: at their skin, and at the rim where the other skin runs."""
    apart = ~ndi.binary_dilation(gone) & ~unseen
    rim = ndi.binary_dilation(gone, iterations=RIM_VOXELS)
    return np.asarray(apart & ((np.abs(ours) < SKIN_MM) | rim & (np.abs(theirs) < 2 * SKIN_MM)), dtype=bool)


def _bend(difference: Volume, near: Mask) -> Volume:
    """How far to bend: the difference of the two skins where it is known, less and less further away."""
    known = np.where(near, np.clip(difference, -MOST_MM, MOST_MM), 0).astype(np.float32)
    weight = ndi.gaussian_filter(near.astype(np.float32), RIM_MM / MM)
    return np.asarray(ndi.gaussian_filter(known, RIM_MM / MM) / (weight + HOLD), dtype=np.float32)
