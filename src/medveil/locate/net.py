"""Net: every way a head can lie, looked at once, for heads that a few first guesses do not find.

    turns (nods and leans up to 50 degrees) x sizes x places deep inside the head
        ──is the brain inside the head?──> information of the brain's contrast there ──> the best, far apart
        ──each climbs: the best of 14 small turns, shifts and sizes, again and again, in ever smaller steps──> starts

An optimiser that follows a gradient climbs the nearest hill, from 20 degrees and a centimetre away at best. So
all hills are visited first, with a sample of the brain's points, and the truth then lies among the first few.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector
from medveil.locate.register import CENTRE, Picture, apart_mm
from medveil.locate.sight import Sight, nearest
from medveil.locate.starts import Start, turned
from medveil.locate.template import template

NODS = (-50.0, -32.0, -14.0, 4.0, 22.0, 40.0)
LEANS = (-44.0, -22.0, 0.0, 22.0, 44.0)
MOST_LEAN = 50.0  # degrees of yaw and roll together
SIZES = (0.71, 0.81, 0.92)  # of the template's brain: a small child's, a large child's, a grown person's
PLACES = 250  # as many are looked at, in a small head nearer together
UPPER_MM = 150.0  # of a head and what lies under it: there are brains
DEPTH_MM = 45.0  # under the skin, of the middle of a brain of size 1
LEAST_INSIDE = 0.97
POINTS, POINTS_TO_BE_INSIDE = 1000, 100
CLIMBING, APART_MM, ARRIVED_APART_MM = 24, 16.0, 8.0


def cast(
    fixed: Picture, moving: Picture, room: Mask, origin: Vector, mm: float, most: int
) -> tuple[Start, ...]:
    """The most promising poses, best first, as starts that are nearly right.

    Args:
        fixed, moving: the template and the patient, both as blurred as cubes of 8 mm.
        room: (I, J, K) True in the head and beyond the field of view, on a grid with this origin and edge.
        most: how many.
    """
    sight = Sight(fixed, moving, CENTRE, template(fixed.mm).brain)
    found = sorted(_visited(sight, room, origin, mm), key=lambda f: -f[0])
    hills = _apart([affine for _, affine in found], APART_MM, CLIMBING)
    arrived = sorted((sight.climbed(hill) for hill in hills), key=lambda f: -f[0])
    return tuple(
        Start(placed=a, distant=False) for a in _apart([a for _, a in arrived], ARRIVED_APART_MM, most)
    )


def _visited(sight: Sight, room: Mask, origin: Vector, mm: float) -> list[tuple[float, Matrix]]:
    """Every pose whose brain has room in the head, with its information."""
    places, depth_mm = _places(room, origin, mm)
    brain = sight.points[:POINTS_TO_BE_INSIDE]
    found: list[tuple[float, Matrix]] = []
    for nod, yaw, roll, size in product(NODS, LEANS, LEANS, SIZES):
        if np.hypot(yaw, roll) > MOST_LEAN:
            continue
        turn = size * turned((nod, yaw, roll))
        deep = places[depth_mm >= DEPTH_MM * size]
        inside = nearest(room.astype(np.int64), (deep[:, None] + brain @ turn.T - origin) / mm).mean(1)
        deep = deep[inside >= LEAST_INSIDE]
        nats = sight.of(np.broadcast_to(turn, (len(deep), 3, 3)), deep, POINTS)
        found += [(float(n), sight.placed(turn, place)) for n, place in zip(nats, deep, strict=True)]
    return found


def _apart(affines: list[Matrix], mm: float, most: int) -> list[Matrix]:
    """The first that are far from all before them."""
    out: list[Matrix] = []
    for affine in affines:
        if all(apart_mm(affine, other) > mm for other in out):
            out.append(affine)
        if len(out) == most:
            break
    return out


def _places(room: Mask, origin: Vector, mm: float) -> tuple[Vector, Vector]:
    """(N, 3) RAS mm of places inside a head, evenly spaced, and (N,) their depth under the skin in mm."""
    from scipy import ndimage as ndi

    depth = ndi.distance_transform_edt(np.pad(room, 1))[1:-1, 1:-1, 1:-1] * mm
    deep = depth >= DEPTH_MM * min(SIZES)
    deep[:, :, : -int(UPPER_MM / mm)] = False
    step = max(1, round(float(np.cbrt(deep.sum() / PLACES))))
    at = np.argwhere(deep[::step, ::step, ::step]) * step
    return at * mm + origin, depth[tuple(at.T)]
