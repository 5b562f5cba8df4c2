"""Carried: the place of a head taken over from another image of the same session.

    located image ──rigid, mutual information, 4 mm──> this image: its affine, and how far the head moved

An echo-planar image, whose scalp is too faint to be judged alone, can be laid onto its neighbour of the same
session, whose head was found: both stand in scanner coordinates, so the movement is small. It is believed only
if it is small, if the two images have much more in common there than displaced, and if the head is where
the brain should be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from medveil.core.release import Carried
from medveil.locate.confidence import Information, Rule, anatomy, beyond_l, displaced, judge, moved
from medveil.locate.grid import (
    Matrix,
    Vector,
    Volume,
    blurred,
    bodies,
    faint,
    flatten,
    inverse,
    isotropic,
    solid,
    volume_of,
)
from medveil.locate.location import Location, Path
from medveil.locate.register import CENTRE, Picture, Stage, matrix_of, one_thread, settled
from medveil.locate.sight import Sight
from medveil.locate.speckle import without_speckle
from medveil.locate.template import template

MM = 4.0
REACH_MM = 20.0  # compared: the brain of the located image and so far around it; no face, no jaw
STARTS_DEG = ((0, 0, 0), (10, 0, 0), (-10, 0, 0), (0, 10, 0), (0, -10, 0), (0, 0, 10), (0, 0, -10))

RULE: Rule = {
    "peak_ratio": (1.62, np.inf),
    "moved_mm": (0.0, 20.0),
    "moved_deg": (0.0, 15.0),
    "in_head": (0.93, 1.0),
    "in_view": (0.85, 1.0),  # a slab of 75 mm was believed at 6 mm from its place
    "beyond_l": (0.0, 0.8),
}

STILL_MM, STILL_DEG = 2.0, 3.0  # the smallest steps of a climb
# An echo-planar image may be too faint to be fitted well; that it came to rest where its header says is
# seen all the same, and the header knows better by how much.
NEAR_THE_HEADER: Rule = {
    **RULE,
    "peak_ratio": (1.25, np.inf),
    "moved_mm": (0.0, 3.5),
    "moved_deg": (0.0, 3.0),
    "in_head": (0.85, 1.0),
}


def follow(values: Volume, affine: Matrix, known: Carried, modality: Path) -> Location | None:
    """The location of an image whose session holds a located one; None where that is not believed."""
    there, here = _Side(*volume_of(known.image)), _Side(values, affine)
    if not (there.head.any() and here.head.any()):
        return None
    to_known = inverse(known.affine_to_mni)
    fixed = Picture(there.flat, there.grid.origin, MM, there.near_brain(known.affine_to_mni))
    moving = Picture(here.flat, here.grid.origin, MM, here.grid.seen).padded()
    centre = moved(to_known, CENTRE[None])
    movement = np.eye(4) if _is_still(fixed, moving, centre[0]) else _rigid(fixed, moving, centre[0])

    mni_to_here = movement @ to_known
    whole = Information(fixed, fixed.where if fixed.where is not None else there.head, moving)
    others = [whole.at(mni_to_here @ d @ known.affine_to_mni) for d in displaced()]
    information = whole.at(movement)
    mm, degrees = _how_far(movement, centre)
    found = {
        "information": information,
        "peak_ratio": information / max(*others, 1e-3),
        "moved_mm": mm,
        "moved_deg": degrees,
        "beyond_l": beyond_l(mni_to_here, bodies(here.grid), 2 * MM),
        **anatomy(mni_to_here, here.grid, here.head, faintly=True),
    }
    if judge(found, RULE):
        if judge(found, NEAR_THE_HEADER):
            return None
        mni_to_here = to_known  # too faint to say more than that the head lay still: so it did
    view = {"brain_in_view": found["in_view"], "head_l": float(here.head.sum() * MM**3 / 1e6)}
    return Location(mni_to_here, found, modality, view, way="carried")


class _Side:
    """One of the two images, evened out on a grid of 4 mm."""

    def __init__(self, values: Volume, affine: Matrix) -> None:
        low = np.maximum(values, np.float32(-1024))
        self.grid = without_speckle(isotropic(low, affine, MM), low, affine)
        self.head = solid(faint(blurred(self.grid.values)), MM)
        self.flat = flatten(self.grid, self.head) if self.head.any() else self.grid.values

    def near_brain(self, affine_to_mni: Matrix) -> Any:
        """(I, J, K) True in the brain and `REACH_MM` around it, in view."""
        from scipy import ndimage as ndi

        t = template(MM)
        i, j, k = np.indices(self.head.shape).reshape(3, -1)
        ras = np.stack([i, j, k], axis=1) * MM + self.grid.origin
        at = (moved(affine_to_mni, ras) - t.origin) / t.mm
        distance = ndi.map_coordinates(t.distance_mm, at.T, order=1, cval=99.0)
        return (distance.reshape(self.head.shape) <= REACH_MM) & self.grid.seen


def _how_far(movement: Matrix, centre: Vector) -> tuple[float, float]:
    """Millimetres that the middle of the brain moved, and degrees that the head turned."""
    angle = np.degrees(np.arccos(np.clip((np.trace(movement[:3, :3]) - 1) / 2, -1, 1)))
    return float(np.linalg.norm(moved(movement, centre) - centre)), float(angle)


def _is_still(fixed: Picture, moving: Picture, centre: Vector) -> bool:
    """Whether no small move from where the header puts it would show more of the head."""
    there, here = (replace(side, values=blurred(side.values)) for side in (fixed, moving))
    _, movement = Sight(there, here, centre).climbed(np.eye(4), sizes=False)
    mm, degrees = _how_far(movement, centre[None])
    return mm <= STILL_MM and degrees <= STILL_DEG


def _rigid(fixed: Picture, moving: Picture, centre: Vector) -> Matrix:
    """The best rigid movement from a few small turns."""
    import SimpleITK as sitk

    stage = Stage((fixed, moving), iterations=40, step_mm=4.0, smallest_mm=0.05)
    arrived = []
    with one_thread():
        for turn in STARTS_DEG:
            start = sitk.Euler3DTransform()
            start.SetCenter(centre.tolist())
            start.SetRotation(*np.deg2rad(turn).tolist())
            arrived.append(stage.run(start))
        _, transform = settled(stage, *max(arrived, key=lambda f: f[0]))
    return matrix_of(transform)
