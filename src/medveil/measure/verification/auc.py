"""Area under the ROC: the chance that a mated pair scores higher than a non-mated one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.measure.verification.tally import Tally, tally_of


def auc(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> float:
    """AUC = P(m > n) + P(m = n) / 2 (Mann-Whitney). 0.5 is chance, lower is more private.

    Below 0.5 the scores are the wrong way round; an attacker who notices turns them over.
    Source: Hanley & McNeil, Radiology 143 (1982).

    Args:
        mated, non_mated: scores, higher means more likely the same person.

    Raises:
        UsageError: one side is empty or holds a value that is not finite.

    >>> auc([3, 5, 7, 9], [1, 2, 4, 6, 8])
    0.7
    >>> auc([1, 1, 1], [1, 1, 1, 1])
    0.5
    """
    return auc_of(tally_of(mated, non_mated))


def auc_of(tally: Tally) -> float:
    """`auc` of a tally that is defined."""
    below = np.cumsum(tally.non_mated) - tally.non_mated
    wins = tally.mated @ (below + 0.5 * tally.non_mated)
    return float(wins / (tally.mated.sum() * tally.non_mated.sum()))
