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
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector
from medveil.locate.register import CENTRE, Picture, apart_mm
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
BINS = 16
POINTS, POINTS_TO_BE_INSIDE = 1000, 100
CLIMBING, APART_MM, ARRIVED_APART_MM = 24, 16.0, 8.0
STEPS = (1.0, 0.5, 0.25)
STEP_DEG, STEP_MM, STEP_SIZE = 12.0, 8.0, 1.08
MOST_MOVES = 12  # with steps of one length

Shades = npt.NDArray[np.int64]


def cast(
    fixed: Picture, moving: Picture, room: Mask, origin: Vector, mm: float, most: int
) -> tuple[Start, ...]:
    """The most promising poses, best first, as starts that are nearly right.

    Args:
        fixed, moving: the template and the patient, both as blurred as cubes of 8 mm.
        room: (I, J, K) True in the head and beyond the field of view, on a grid with this origin and edge.
        most: how many.
    """
    sight = _Sight(fixed, moving)
    found = sorted(_visited(sight, room, origin, mm), key=lambda f: -f[0])
    hills = _apart([affine for _, affine in found], APART_MM, CLIMBING)
    arrived = sorted((_climbed(sight, hill) for hill in hills), key=lambda f: -f[0])
    return tuple(
        Start(placed=a, distant=False) for a in _apart([a for _, a in arrived], ARRIVED_APART_MM, most)
    )


class _Sight:
    """How much a patient shows of the template at a pose: mutual information in nats, from voxels nearest by.

    What is compared reaches a little beyond the brain, for its outline, and the brain itself counts once more: either
    alone is misled sooner, by bright fluid or by little contrast.
    """

    def __init__(self, fixed: Picture, moving: Picture) -> None:
        where = fixed.where if fixed.where is not None else np.ones(fixed.values.shape, dtype=bool)
        at = np.argwhere(where)
        np.random.default_rng(0).shuffle(at)  # the same every time
        values = fixed.values[tuple(at.T)]
        self.points = at * fixed.mm + fixed.origin - CENTRE
        self.inner = template(fixed.mm).brain[tuple(at.T)]
        self.shades = np.minimum(values / max(float(values.max()), 1e-6) * BINS, BINS - 1).astype(np.int64)
        bright = moving.values / max(float(moving.values.max()), 1e-6)
        seen = np.minimum(bright * (BINS - 1), BINS - 2).astype(np.int64) + 1  # 0: nobody knows
        self.patient = seen if moving.where is None else np.where(moving.where, seen, 0)
        self.moving = moving

    def of(self, turns: Vector, centres: Vector, n: int | None = None) -> npt.NDArray[np.float64]:
        """(P,) nats at (P, 3, 3) turns with their sizes about (P, 3) centres, by the first `n` points."""
        points = self.points[:n]
        at = (centres[:, None] + points @ turns.transpose(0, 2, 1) - self.moving.origin) / self.moving.mm
        shown, inner = _nearest(self.patient, at), self.inner[:n]
        return _information(self.shades[:n], shown) + _information(self.shades[:n][inner], shown[:, inner])


def _visited(sight: _Sight, room: Mask, origin: Vector, mm: float) -> list[tuple[float, Matrix]]:
    """Every pose whose brain has room in the head, with its information."""
    places, depth_mm = _places(room, origin, mm)
    brain = sight.points[:POINTS_TO_BE_INSIDE]
    found: list[tuple[float, Matrix]] = []
    for nod, yaw, roll, size in product(NODS, LEANS, LEANS, SIZES):
        if np.hypot(yaw, roll) > MOST_LEAN:
            continue
        turn = size * turned((nod, yaw, roll))
        deep = places[depth_mm >= DEPTH_MM * size]
        inside = _nearest(room.astype(np.int64), (deep[:, None] + brain @ turn.T - origin) / mm).mean(1)
        deep = deep[inside >= LEAST_INSIDE]
        nats = sight.of(np.broadcast_to(turn, (len(deep), 3, 3)), deep, POINTS)
        found += [(float(n), _placed(turn, place)) for n, place in zip(nats, deep, strict=True)]
    return found


def _climbed(sight: _Sight, affine: Matrix) -> tuple[float, Matrix]:
    """Where small moves lead, each the best of all, until none is better."""
    turn, centre = affine[:3, :3], affine[:3, :3] @ CENTRE + affine[:3, 3]
    best = float(sight.of(turn[None], centre[None])[0])
    for step in STEPS:
        turns = np.stack([turned(tuple(d)) for d in _six(STEP_DEG * step)])
        sizes = np.array([STEP_SIZE**step, STEP_SIZE**-step])[:, None, None]
        for _ in range(MOST_MOVES):
            around = np.concatenate([turns @ turn, np.broadcast_to(turn, (6, 3, 3)), sizes * turn])
            centres = np.concatenate([np.zeros((6, 3)), _six(STEP_MM * step), np.zeros((2, 3))]) + centre
            nats = sight.of(around, centres)
            i = int(nats.argmax())
            if nats[i] <= best:
                break
            best, turn, centre = float(nats[i]), around[i], centres[i]
    return best, _placed(turn, centre)


def _six(length: float) -> Vector:
    """(6, 3) both ways along each axis."""
    return np.concatenate([np.eye(3), -np.eye(3)]) * length


def _placed(turn: Matrix, centre: Vector) -> Matrix:
    """(4, 4) MNI mm to patient mm, with the middle of the brain at `centre`."""
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = turn, centre - turn @ CENTRE
    return affine


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


def _nearest(volume: Shades, at: Vector) -> Shades:
    """(P, N) the voxels nearest to (P, N, 3) indices; 0 outside."""
    index = np.rint(at).astype(np.int32)
    known = np.all((index >= 0) & (index < volume.shape), axis=2)
    i, j, k = np.where(known[..., None], index, 0).transpose(2, 0, 1)
    return np.where(known, volume[i, j, k], 0)


def _information(template: Shades, patient: Shades) -> npt.NDArray[np.float64]:
    """(P,) mutual information in nats of (N,) shades of the template and (P, N) of the patient, 0 there unknown."""
    n = len(patient)
    pairs = (np.arange(n)[:, None] * BINS + template) * BINS + patient
    joint = np.bincount(pairs.ravel(), minlength=n * BINS**2).reshape(n, BINS, BINS).astype(np.float64)
    joint[:, :, 0] = 0.0
    joint /= np.maximum(joint.sum((1, 2), keepdims=True), 1.0)
    expected = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
    ratio = np.divide(joint, expected, out=np.ones_like(joint), where=joint > 0)
    return np.asarray((joint * np.log(ratio)).sum((1, 2)))
