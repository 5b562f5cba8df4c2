"""A brain for a simulated head: the MNI152 template that ships with nilearn, scaled and warped.

The template is an average of 152 people, so nobody's brain is copied. A person's brain is the template
under an axis-wise scale and 14 smooth displacement fields whose weights are `Person.brain`; with age the
ventricles are pushed apart. The weights hold a known share (rho) of the face's own numbers, which gives a
truth against which attacks from brain to face can be measured.

Template: ICBM 152 nonlinear symmetric 2009a, Fonov et al., NeuroImage 54 (2011) 313-327; see NOTICE.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates

from medveil.simulate.field import Grid, Vector
from medveil.simulate.head import Head
from medveil.simulate.person import BRAIN_LATENTS, Person

AMPLITUDE_MM = 2.5
WIDTH_MM = 32.0
"""Amplitude and standard deviation of one displacement field at weight 1."""
LATTICE_MM = 4.0
"""The warp is smooth, so it is computed on a lattice this coarse and interpolated linearly."""
CLEARANCE_MM = 9.5
"""Least depth of the brain under the skin: scalp, bone and a film of fluid."""

ORBIT_ROOF_MM, MNI_FLOOR_MM = 17.5, -19.0
"""Height of the orbits' roof over the eyes' centres, and of the floor of the frontal lobes in the template."""

# Corners of the brain in the template's millimetres, and where its stem leaves it.
MNI_LO, MNI_HI = np.array([-71.0, -105.0, -72.0]), np.array([71.0, 73.0, 80.5])
MNI_STEM = np.array([0.0, -38.0, -66.0])
_VENTRICLES = np.array([[-12.0, -20.0, 14.0], [12.0, -20.0, 14.0]])
_VENTRICLE_MM = 16.0


@dataclass(frozen=True, eq=False)
class Brain:
    """A brain on the part of a head's grid that holds it.

    Args:
        where: slices of the head's grid.
        inside: share of brain (with its ventricles) in each voxel, 0 to 1.
        grey, white: shares of grey and white matter; the rest of `inside` is fluid.
    """

    where: tuple[slice, slice, slice]
    inside: Grid
    grey: Grid
    white: Grid


@lru_cache(maxsize=2)
def _template(step_mm: int) -> tuple[Grid, Grid, Grid, Vector]:
    """Mask, grey and white matter of the template as float32 at 1 or 2 mm, and its affine to MNI mm.

    The 2 mm grid is every other voxel of the 1 mm one: nilearn's own resampling takes ten times as long.
    """
    from nilearn import datasets

    grids = []
    for load in (
        datasets.load_mni152_brain_mask,
        datasets.load_mni152_gm_template,
        datasets.load_mni152_wm_template,
    ):
        image = load(resolution=1)
        grid = np.asarray(image.dataobj, np.float32)
        if step_mm > 1:
            grid = gaussian_filter(grid, 0.3 * step_mm)[::step_mm, ::step_mm, ::step_mm]
        grids.append(grid)
    affine = np.asarray(image.affine, np.float64) @ np.diag([step_mm, step_mm, step_mm, 1])
    return grids[0], grids[1], grids[2], affine


@lru_cache(maxsize=1)
def _modes() -> tuple[Vector, Vector]:
    """Centres (14, 3) in MNI mm and unit directions (14, 3) of the displacement fields, always the same."""
    rng = np.random.Generator(np.random.PCG64(42))
    centres = rng.uniform([-55, -90, -45], [55, 55, 70], size=(BRAIN_LATENTS, 3))
    directions = rng.normal(size=(BRAIN_LATENTS, 3))
    return centres, directions / np.linalg.norm(directions, axis=1, keepdims=True)


def room_for_brain(person: Person) -> tuple[Vector, Vector]:
    """Largest scale (3,) a brain may have in this head, and the vault's (front, back, top) in mm."""
    p = person.shape
    front = 2.0 + p["cr_l"]
    back = min(2.0 - p["cr_l"], -98.0 - p["occ"])
    top = p["cr_zc"] + p["cr_h"]
    room = np.array([2 * p["cr_w"], front - back, top + 48.0]) - CLEARANCE_MM * np.array([2, 2, 1])
    return room / (MNI_HI - MNI_LO), np.array([front, back, top])


def brain_affine(person: Person) -> Vector:
    """(4, 4) MNI mm to head mm: the person's brain scale, shrunk only where the skull is too small."""
    room, (front, back, top) = room_for_brain(person)
    scale = np.minimum(person.brain_scale, room)
    # Between the roof of the orbits and the vault: the frontal lobes lie on the one and under the other.
    scale[2] = min(scale[2], (top - CLEARANCE_MM - ORBIT_ROOF_MM) / (MNI_HI[2] - MNI_FLOOR_MM))
    side_gap = person.shape["cr_w"] - scale[0] * MNI_HI[0]
    out = np.diag([*scale, 1.0])
    # The bone is thicker behind than before: three quarters of the room to spare lie behind the brain.
    spare = front - back - 2 * CLEARANCE_MM - scale[1] * (MNI_HI[1] - MNI_LO[1])
    out[1, 3] = (front + back) / 2 + spare / 4 - scale[1] * (MNI_LO[1] + MNI_HI[1]) / 2
    out[2, 3] = max(
        top - np.clip(side_gap, CLEARANCE_MM, 17.0) - scale[2] * MNI_HI[2],
        ORBIT_ROOF_MM - scale[2] * MNI_FLOOR_MM,
    )
    return out


def head_to_template(person: Person, points_mm: npt.ArrayLike) -> Vector:
    """Where points (N, 3) of the head, mm, come from in the template, MNI mm."""
    inverse = np.linalg.inv(brain_affine(person))
    m = np.asarray(points_mm, np.float64) @ inverse[:3, :3].T + inverse[:3, 3]
    moved: Vector = m.copy()
    for centre, direction, weight in zip(*_modes(), person.brain, strict=True):
        near = np.exp(-((m - centre) ** 2).sum(axis=1) / (2 * WIDTH_MM**2))
        moved += AMPLITUDE_MM * weight * near[:, None] * direction
    if person.ventricles_mm > 0:
        for centre in _VENTRICLES:
            off = (m - centre) / _VENTRICLE_MM
            pull = person.ventricles_mm * np.exp(0.5 - (off**2).sum(axis=1) / 2)
            moved -= pull[:, None] * off
    return moved


def _refine(lattice: Grid, first: float, fine: Grid, axis: int) -> Grid:
    """Linear interpolation of a lattice along one axis to the coordinates `fine` (mm)."""
    t = (fine - np.float32(first)) / np.float32(LATTICE_MM)
    i = np.clip(t.astype(int), 0, lattice.shape[axis] - 2)
    shape = [1, 1, 1]
    shape[axis] = -1
    w = (t - i).astype(np.float32).reshape(shape)
    out: Grid = np.take(lattice, i, axis) * (1 - w) + np.take(lattice, i + 1, axis) * w
    return out


def brain_in(head: Head) -> Brain:
    """The person's brain on the grid of their head.

    The template is read at 1 mm for heads finer than 1.5 mm, else at 2 mm.
    """
    mask, grey, white, affine = _template(1 if head.spacing_mm < 1.5 else 2)
    to_head = brain_affine(head.person)
    corners = np.array([MNI_LO, MNI_HI]) * np.diag(to_head)[:3] + to_head[:3, 3]
    margin = 9.0
    where = []
    for i, axis in enumerate(head.axes):
        inside = np.flatnonzero((axis > corners[0, i] - margin) & (axis < corners[1, i] + margin))
        where.append(slice(int(inside[0]), int(inside[-1]) + 1))
    fine = [axis[s] for axis, s in zip(head.axes, where, strict=True)]
    coarse = [np.arange(a[0], a[-1] + 2 * LATTICE_MM, LATTICE_MM) for a in fine]
    nodes = np.stack(np.meshgrid(*coarse, indexing="ij"), axis=-1)
    voxel = np.linalg.inv(affine)
    at = head_to_template(head.person, nodes.reshape(-1, 3)) @ voxel[:3, :3].T + voxel[:3, 3]
    at = at.reshape(nodes.shape)
    where_from = []
    for i in range(3):
        grid = at[..., i].astype(np.float32)
        for k in range(3):
            grid = _refine(grid, float(coarse[k][0]), fine[k], k)
        where_from.append(grid)
    points = np.stack(where_from)
    inside_, grey_, white_ = (map_coordinates(v, points, order=1) for v in (mask, grey, white))
    # Warps of the tails may reach for the skin; the brain stays under it, whatever they say.
    inside_ *= np.clip(-(head.phi[tuple(where)] + CLEARANCE_MM - 3.0), 0, 1)
    grey_, white_ = np.clip(grey_, 0, 1) * inside_, np.clip(white_, 0, 1) * inside_
    return Brain((where[0], where[1], where[2]), inside_, grey_, white_)
