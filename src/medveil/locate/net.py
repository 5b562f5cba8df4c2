"""Net: every way a head can lie, looked at once, for heads that a few first guesses do not find.

    turns (nods of 50 degrees, leans of 50) x sizes x places deep inside the head
        ──is the brain inside the head?──> information of the brain's contrast there ──> the best, far apart: starts

An optimiser climbs from 20 degrees and a centimetre away; from further it climbs another hill. So all hills are
visited without climbing, with a sample of the brain's points: the truth then lies among the first few.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector
from medveil.locate.register import CENTRE, Picture, apart_mm
from medveil.locate.starts import Start, turned

NODS = (-50.0, -32.0, -14.0, 4.0, 22.0, 40.0)
LEANS = (-44.0, -22.0, 0.0, 22.0, 44.0)
MOST_LEAN = 50.0  # degrees of yaw and roll together
SIZES = (0.71, 0.81, 0.92)  # of the template's brain: a small child's, a large child's, a grown person's
EVERY_MM = 12.0  # between two places
DEPTH_MM = 45.0  # under the skin, of the middle of a brain of size 1
LEAST_INSIDE = 0.97
BINS = 16
POINTS, POINTS_TO_BE_INSIDE = 1200, 120
APART_MM = 16.0


def cast(fixed: Picture, moving: Picture, head: Mask, origin: Vector, mm: float, most: int) -> tuple[Start, ...]:
    """The most promising poses, best first, as starts of the second stage.

    Args:
        fixed, moving: template and patient of the second stage.
        head: (I, J, K) True in the head and beyond the field of view, on a grid with this origin and edge.
        most: how many.
    """
    points, shades = _sample(fixed)
    brain = points[:: len(points) // POINTS_TO_BE_INSIDE]
    patient = _binned(moving)
    places, depth_mm = _places(head, origin, mm)
    found: list[tuple[float, Matrix]] = []
    for nod, yaw, roll, size in product(NODS, LEANS, LEANS, SIZES):
        if np.hypot(yaw, roll) > MOST_LEAN:
            continue
        matrix = size * turned((nod, yaw, roll))
        deep = places[depth_mm >= DEPTH_MM * size]
        inside = _looked_up(head, (deep[:, None] + brain @ matrix.T - origin) / mm).mean(1)
        deep = deep[inside >= LEAST_INSIDE]
        at = (deep[:, None] + points @ matrix.T - moving.origin) / moving.mm
        for nats, place in zip(_information(shades, _looked_up(patient, at)), deep, strict=True):
            affine = np.eye(4)
            affine[:3, :3], affine[:3, 3] = matrix, place - matrix @ CENTRE
            found.append((float(nats), affine))
    found.sort(key=lambda f: -f[0])
    out: list[Matrix] = []
    for _, affine in found:
        if all(apart_mm(affine, other) > APART_MM for other in out):
            out.append(affine)
        if len(out) == most:
            break
    return tuple(Start(placed=a, distant=False) for a in out)


def _sample(fixed: Picture) -> tuple[Vector, npt.NDArray[np.int64]]:
    """(N, 3) points of the template, mm from the centre of its brain, evenly picked, and (N,) their shade."""
    where = fixed.where if fixed.where is not None else np.ones(fixed.values.shape, dtype=bool)
    at = np.argwhere(where)
    rng = np.random.default_rng(0)
    at = at[rng.choice(len(at), min(POINTS, len(at)), replace=False)]
    values = fixed.values[tuple(at.T)]
    shades = np.minimum(values / max(float(values.max()), 1e-6) * BINS, BINS - 1).astype(np.int64)
    return at * fixed.mm + fixed.origin - CENTRE, shades


def _binned(moving: Picture) -> npt.NDArray[np.int64]:
    """The patient in as many shades; 0 where nobody knows."""
    values = moving.values / max(float(moving.values.max()), 1e-6)
    shades = np.minimum(values * (BINS - 1), BINS - 2).astype(np.int64) + 1
    return shades if moving.where is None else np.where(moving.where, shades, 0)


def _places(head: Mask, origin: Vector, mm: float) -> tuple[Vector, Vector]:
    """(N, 3) RAS mm of places inside a head, evenly spaced, and (N,) their depth under the skin in mm."""
    from scipy import ndimage as ndi

    depth = ndi.distance_transform_edt(np.pad(head, 1))[1:-1, 1:-1, 1:-1] * mm
    step = max(1, round(EVERY_MM / mm))
    at = np.argwhere(head[::step, ::step, ::step]) * step
    return at * mm + origin, depth[tuple(at.T)]


def _looked_up(volume: npt.NDArray[np.generic], at: Vector) -> npt.NDArray[np.generic]:
    """(P, N) the voxels nearest to (P, N, 3) indices; 0 outside."""
    index = np.rint(at).astype(np.int32)
    known = np.all((index >= 0) & (index < volume.shape), axis=2)
    i, j, k = np.where(known[..., None], index, 0).transpose(2, 0, 1)
    return np.where(known, volume[i, j, k], volume.dtype.type(0))


def _information(shades: npt.NDArray[np.int64], patient: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """(P,) mutual information in nats of (N,) shades of the template with (P, N) of the patient, 0 there unknown."""
    n = len(patient)
    pairs = (np.arange(n)[:, None] * BINS + shades) * BINS + patient
    joint = np.bincount(pairs.ravel(), minlength=n * BINS**2).reshape(n, BINS, BINS).astype(np.float64)
    joint[:, :, 0] = 0.0
    joint /= np.maximum(joint.sum((1, 2), keepdims=True), 1.0)
    product_of = joint.sum(2, keepdims=True) * joint.sum(1, keepdims=True)
    ratio = np.divide(joint, product_of, out=np.ones_like(joint), where=joint > 0)
    return np.asarray((joint * np.log(ratio)).sum((1, 2)))
