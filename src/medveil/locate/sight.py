"""Sight: how much one image shows of another at a pose, and the climb to where it shows most.

Mutual information of a sample of points, each at the voxel nearest by: rough, and a thousand times faster than an
optimiser's step. The climb asks all small moves at once and takes the best, so it steps over what is small and
rugged and stops where a gradient would drift.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector
from medveil.locate.register import Picture
from medveil.locate.starts import turned

BINS = 16
MOST_POINTS = 6000
STEPS = (1.0, 0.5, 0.25)
STEP_DEG, STEP_MM, STEP_SIZE = 12.0, 8.0, 1.08
MOST_MOVES = 12  # with steps of one length

Shades = npt.NDArray[np.int64]


class Sight:
    """One image (`fixed`) as seen in another (`moving`), over all that `fixed` says is compared.

    Args:
        about: (3,) mm of `fixed`, about which it is turned.
        inner: (I, J, K) where `fixed` counts once more: a brain whose outline alone is misled by bright fluid, and
            whose contrast alone may be little.
    """

    def __init__(self, fixed: Picture, moving: Picture, about: Vector, inner: Mask | None = None) -> None:
        where = fixed.where if fixed.where is not None else np.ones(fixed.values.shape, dtype=bool)
        at = np.argwhere(where)
        np.random.default_rng(0).shuffle(at)  # the same every time
        at = at[:MOST_POINTS]
        values = fixed.values[tuple(at.T)]
        self.about = about
        self.points = at * fixed.mm + fixed.origin - about
        self.inner = None if inner is None else inner[tuple(at.T)]
        self.shades = np.minimum(values / max(float(values.max()), 1e-6) * BINS, BINS - 1).astype(np.int64)
        bright = moving.values / max(float(moving.values.max()), 1e-6)
        seen = np.minimum(bright * (BINS - 1), BINS - 2).astype(np.int64) + 1  # 0: nobody knows
        self.patient = seen if moving.where is None else np.where(moving.where, seen, 0)
        self.moving = moving

    def of(self, turns: Vector, centres: Vector, n: int | None = None) -> npt.NDArray[np.float64]:
        """(P,) nats at (P, 3, 3) turns with their sizes, `about` put to (P, 3) centres, by the first `n` points."""
        at = centres[:, None] + self.points[:n] @ turns.transpose(0, 2, 1)
        shown, shades = nearest(self.patient, (at - self.moving.origin) / self.moving.mm), self.shades[:n]
        nats = _information(shades, shown)
        if self.inner is None:
            return nats
        inner = self.inner[:n]
        return nats + _information(shades[inner], shown[:, inner])

    def placed(self, turn: Matrix, centre: Vector) -> Matrix:
        """(4, 4) mm of `fixed` to mm of `moving`."""
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = turn, centre - turn @ self.about
        return affine

    def climbed(self, affine: Matrix, *, sizes: bool = True) -> tuple[float, Matrix]:
        """Where small turns, shifts and sizes lead, each the best of all, and the nats there."""
        turn, centre = affine[:3, :3], affine[:3, :3] @ self.about + affine[:3, 3]
        best = float(self.of(turn[None], centre[None])[0])
        for step in STEPS:
            turns = np.stack([turned(tuple(d)) for d in _six(STEP_DEG * step)])
            grow = np.array([STEP_SIZE**step, STEP_SIZE**-step] if sizes else [])[:, None, None]
            for _ in range(MOST_MOVES):
                around = np.concatenate([turns @ turn, np.broadcast_to(turn, (6, 3, 3)), grow * turn])
                shifts = np.concatenate([np.zeros((6, 3)), _six(STEP_MM * step), np.zeros((len(grow), 3))])
                nats = self.of(around, centre + shifts)
                i = int(nats.argmax())
                if nats[i] <= best:
                    break
                best, turn, centre = float(nats[i]), around[i], centre + shifts[i]
        return best, self.placed(turn, centre)


def _six(length: float) -> Vector:
    """(6, 3) both ways along each axis."""
    return np.concatenate([np.eye(3), -np.eye(3)]) * length


def nearest(volume: Shades, at: Vector) -> Shades:
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
