"""Ridge: many numbers from many numbers, from few people.

    brains ──SVD──> a mean and a few axes ──> features ──ridge, penalty by leave-one-out──> faces

Of a hundred people the 70 000 shades of a brain span a hundred dimensions at most, and of those only the first
few are more than noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

PENALTIES = np.logspace(-2, 4, 13)  # for features of unit spread, per person


@dataclass(frozen=True, eq=False, repr=False)
class Ridge:
    """A ridge regression.

    Args:
        mean, spread: (F,) of the features it was learned from.
        slopes: (F, T) targets per unit of spread.
        explained: share of the targets' variance that is predicted of people who were left out; negative
            where guessing their mean would have been better.
    """

    mean: Array
    spread: Array
    slopes: Array
    explained: float

    def predict(self, features: Array) -> Array:
        """(N, T) of (N, F)."""
        return np.asarray((features - self.mean) / self.spread @ self.slopes)

    def __repr__(self) -> str:
        return f"Ridge({len(self.mean)} features, explained={self.explained:.3g})"


def ridge(features: Array, targets: Array) -> Ridge:
    """Fit with the penalty that predicts left-out people best.

    Args:
        features: (S, F), one row a person. targets: (S, T), centred.

    The error of the left-out ones has a closed form, residual / (1 - leverage): Allen, Technometrics 16 (1974).
    """
    mean = features.mean(axis=0)
    spread = features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    x = (features - mean) / spread
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    best: tuple[float, Array] | None = None
    for penalty in PENALTIES * len(x):
        shrunk = s / (s**2 + penalty)
        fitted = u * (s * shrunk) @ (u.T @ targets)
        # The mean of the targets is learned as well: one more part of the leverage, the same for everybody.
        leverage = (u**2 * (s * shrunk)).sum(axis=1) + 1 / len(x)
        errors = (targets - fitted) / np.maximum(1 - leverage, 1e-3)[:, None]
        if best is None or (errors**2).sum() < best[0]:
            best = float((errors**2).sum()), vt.T * shrunk @ (u.T @ targets)
    assert best is not None  # noqa: S101 - PENALTIES is not empty
    return Ridge(mean, spread, best[1], 1 - best[0] / max(_left_out_variance(targets), 1e-12))


def _left_out_variance(targets: Array) -> float:
    """What guessing everybody by the mean of all the others would cost."""
    n = len(targets)
    return float(((targets - targets.mean(axis=0)) ** 2).sum() * (n / (n - 1)) ** 2)


def shades(brains: Array, subject: Array, components: int) -> Array:
    """(1 + d, V): mean, and the first axes along which people differ, d at most `components`.

    Args:
        brains: (N, V). subject: (N,) whose; each person counts once.
    """
    people, index = np.unique(subject, return_inverse=True)
    total = np.zeros((len(people), brains.shape[1]), dtype=np.float64)
    np.add.at(total, index, brains)
    rows = total / np.bincount(index)[:, None]
    mean = rows.mean(axis=0)
    rows -= mean
    # Of the small (S, S) matrix of products: the same axes, in a fraction of the time.
    power, u = np.linalg.eigh(rows @ rows.T)
    order = np.argsort(power)[::-1][: min(components, len(people) - 1)]
    keep = order[power[order] > 1e-9 * max(float(power.max()), 1e-12)]
    axes = (u[:, keep] / np.sqrt(power[keep])).T @ rows
    return np.concatenate([mean[None], axes])
