"""Assignment: who is who if nobody can be two people.

    scores (people of the release x candidates) ──Hungarian──> pairs ──> + more than all scores differ by

An attacker who knows that each candidate is in the release once gives the likeliest of all one-to-one maps, not to
each probe its own favourite (Finn et al. 2015 and those after them match freely; both are reported). The
claims are still scores of all pairs: every pair of the map is lifted above every pair that is not, and within
both groups the order stays. So rank one IS the map, and AUC says what the map is worth as evidence.

Kuhn 1955, by scipy's `linear_sum_assignment`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def one_to_one(score: Array, subject: Array) -> Array:
    """(N, G) scores, those of the best one-to-one map of people to candidates lifted above all others.

    Args:
        score: (N, G) of probe images and candidates.
        subject: (N,) label of each probe image in the release: its images are one person, whoever that is.
    """
    from scipy.optimize import linear_sum_assignment

    people, index = np.unique(subject, return_inverse=True)
    total = np.zeros((len(people), score.shape[1]))
    np.add.at(total, index, score)
    mean = total / np.bincount(index)[:, None]
    chosen = np.zeros(mean.shape, dtype=bool)
    chosen[linear_sum_assignment(mean, maximize=True)] = True
    return np.asarray(score + chosen[index] * (np.ptp(score) + 1.0))
