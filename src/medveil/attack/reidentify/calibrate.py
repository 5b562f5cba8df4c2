"""Calibrate: take out what all scans share and what all photographs share; what is left is the person.

A render has shut eyes, no brows and clay for skin, a photograph has hair and colour: any two pictures of one kind
look more alike than two of different kinds of one person. Subtracting the mean of each kind removes that. The
means come from people other than the one in hand, so nobody's image is measured against itself, and no label is
used that ties a scan to a photograph: the attacker has none. For that reason the mean of the scans still holds
the scan of the candidate, wherever it is; to leave that out as well would take the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Centring = Literal["auto", "background", "leave-own-out", "none"]


@dataclass(frozen=True, eq=False, repr=False)
class Side:
    """One feature vector an item, with the subject each belongs to by the labels of its own side.

    Args:
        features: (N, D) float64.
        subject: (N,) strings.
    """

    features: Array
    subject: Array

    def per_subject(self) -> Array:
        """(S, D): mean of each subject, in the order of their sorted labels."""
        names, index = np.unique(self.subject, return_inverse=True)
        total = np.zeros((len(names), self.features.shape[1]))
        np.add.at(total, index, self.features)
        return np.asarray(total / np.bincount(index)[:, None])

    def __repr__(self) -> str:
        return f"Side({len(self.features)} items)"


def others_mean(side: Side) -> Array:
    """(N, D): for each item, the mean over the subjects other than its own; zeros if there are none."""
    names, index = np.unique(side.subject, return_inverse=True)
    means = side.per_subject()  # (S, D)
    if len(names) < 2:
        return np.zeros_like(side.features)
    return np.asarray(((means.sum(axis=0) - means) / (len(names) - 1))[index])


def mean_of(side: Side) -> Array:
    """(D,): mean over subjects, each with the same weight however many images they have."""
    return np.asarray(side.per_subject().mean(axis=0))


def others_spread(side: Side) -> Array:
    """(N, D): for each item, the standard deviation over the subjects other than its own.

    Ones where there is nothing to compare with: under two others, or a feature that does not vary.
    """
    names, index = np.unique(side.subject, return_inverse=True)
    means, n = side.per_subject(), len(names)
    if n < 3:
        return np.ones_like(side.features)
    centred = means - means.mean(axis=0)  # keeps the sums of squares from cancelling
    total, squares = centred.sum(axis=0) - centred, (centred**2).sum(axis=0) - centred**2
    variance = squares / (n - 1) - (total / (n - 1)) ** 2
    return _or_one(variance, means)[index]


def spread_of(side: Side) -> Array:
    """(D,): standard deviation over subjects; ones for a feature that does not vary."""
    means = side.per_subject()
    return _or_one(means.var(axis=0), means)


def _or_one(variance: Array, means: Array) -> Array:
    spread = np.sqrt(np.maximum(variance, 0))
    return np.where(spread > 1e-6 * np.abs(means).max(axis=0) + 1e-12, spread, 1.0)


def directions(x: Array) -> Array:
    """Rows scaled to unit length; a row without length (nothing was seen) stays zero."""
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.where(length > 1e-9, x / np.maximum(length, 1e-9), 0.0)


def cosine(a: Array, b: Array) -> Array:
    """(A, B) cosine of each row of a with each row of b; 0 where a row has no length."""
    return np.asarray(directions(a) @ directions(b).T)


FEWEST_TO_NORMALISE = 5


def symmetric_norm(score: Array, subject: Array) -> Array:
    """Scores measured against their own row and column (s-norm of speaker recognition, Kenny 2010).

        s'(scan, person) = mean of (s - mean of the scan's row) / spread of the row         (z-norm)
                           and     (s - mean of the person's column) / spread of the column (t-norm)

    No truth enters: every row and column holds its mated score as well, if there is one. A side with fewer than
    `FEWEST_TO_NORMALISE` people is left out, since the spread of so few says nothing; with neither the scores
    stay what they were. A row or column that does not vary gives 0.

    Args:
        score: (N, G).
        subject: (N,) whose scans the rows are: columns are measured over people, each with the same weight.
    """
    parts = []
    if score.shape[1] >= FEWEST_TO_NORMALISE:
        parts.append(_standard(score, score.mean(axis=1, keepdims=True), score.std(axis=1, keepdims=True)))
    if len(np.unique(subject)) >= FEWEST_TO_NORMALISE:
        people = Side(score, subject).per_subject()  # (S, G)
        parts.append(_standard(score, people.mean(axis=0), people.std(axis=0)))
    return np.asarray(np.mean(parts, axis=0)) if parts else score


def _standard(score: Array, mean: Array, spread: Array) -> Array:
    return np.where(spread > 1e-9, (score - mean) / np.maximum(spread, 1e-9), 0.0)
