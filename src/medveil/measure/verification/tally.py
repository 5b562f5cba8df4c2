"""Tally: how much mated and non-mated weight lies on each distinct score.

Every verification metric is a function of this and nothing else. Scores are sorted once onto a ladder;
a bootstrap round or a permutation then only re-weights its rungs, so a thousand rounds stay cheap.

    scores ── sort once ──> Ladder ── weights ──> Tally ──> AUC, EER, D_sys, min Cllr, ZEBRA, d'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tally:
    """Weight per distinct score, scores ascending. Tied scores share a rung, so they always move together.

    Args:
        mated, non_mated: (L,) weight of either kind on each rung, not negative.
    """

    mated: Floats
    non_mated: Floats

    @property
    def defined(self) -> bool:
        """Whether there is weight of both kinds; without it no verification metric exists."""
        return bool(self.mated.sum() > 0 and self.non_mated.sum() > 0)

    def merged(self) -> Tally:
        """The same tally with neighbouring rungs that hold non-mated weight only made one.

        Nothing that depends on the ROC polyline changes: such rungs lie on one horizontal piece of it.
        """
        has = self.mated > 0
        first = np.ones(len(has), dtype=np.bool_)
        first[1:] = has[1:] | has[:-1]
        start = np.flatnonzero(first)
        return Tally(np.add.reduceat(self.mated, start), np.add.reduceat(self.non_mated, start))


@dataclass(frozen=True, eq=False)
class Ladder:
    """The distinct values of a set of scores, and the rung on which each score stands.

    Args:
        values: (L,) distinct scores, ascending.
        rung: (P,) index into `values` of each score.
    """

    values: Floats
    rung: Ints

    @staticmethod
    def of(score: Floats) -> Ladder:
        values, rung = np.unique(score, return_inverse=True)
        return Ladder(values, rung.astype(np.int64))

    def tally(self, mated_weight: Floats, non_mated_weight: Floats) -> Tally:
        """Sum the weights of all pairs, (P,) each, rung by rung."""
        size = len(self.values)
        return Tally(summed(self.rung, mated_weight, size), summed(self.rung, non_mated_weight, size))


def summed(place: Ints, weight: Floats, size: int) -> Floats:
    """Sum of the weights at each of `size` places."""
    return np.asarray(np.bincount(place, weights=weight, minlength=size), dtype=np.float64)


def checked(scores: npt.ArrayLike, what: str) -> Floats:
    """Scores as a (N,) float64 array.

    Raises:
        UsageError: there are none, or one is not finite.
    """
    out = np.asarray(scores, dtype=np.float64).ravel()
    if out.size == 0:
        raise UsageError(
            f"scores: no {what} pairs, expected at least one",
            hint="a verification metric compares pairs of one person with pairs of two",
        )
    if not np.isfinite(out).all():
        raise UsageError(f"scores: a {what} score is not finite")
    return out


def tally_of(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> Tally:
    """Tally of two sets of scores, each pair with weight 1.

    >>> t = tally_of([2, 3], [1, 2, 2])
    >>> t.mated.tolist(), t.non_mated.tolist()
    ([0.0, 1.0, 1.0], [1.0, 2.0, 0.0])
    """
    m, n = checked(mated, "mated"), checked(non_mated, "non-mated")
    ladder = Ladder.of(np.concatenate([m, n]))
    kind = np.concatenate([np.ones(len(m)), np.zeros(len(n))])
    return ladder.tally(kind, 1.0 - kind)
