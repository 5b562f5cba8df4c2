"""The receiver operating characteristic: how many mates are found at each price in false accepts.

A pair is accepted if score >= t. With t falling from above the largest score,

    FPR(t) = #{n >= t} / Nn,    TPR(t) = #{m >= t} / Nm,    miss(t) = 1 - TPR(t).

scikit-learn's `roc_curve` draws the same points and is the oracle in the tests; it sorts at every call,
which a thousand bootstrap rounds can't afford.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.measure.verification.tally import Floats, Tally, tally_of


def roc(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> tuple[Floats, Floats]:
    """ROC points, from (0, 0) to (1, 1).

    Args:
        mated, non_mated: scores, higher means more likely the same person.

    Returns:
        fpr, tpr: (L + 1,) each, not falling; L is the number of distinct scores.

    >>> fpr, tpr = roc([2, 3], [1, 2])
    >>> fpr.tolist(), tpr.tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0])
    """
    return roc_points(tally_of(mated, non_mated))


def roc_points(tally: Tally) -> tuple[Floats, Floats]:
    """`roc` of a tally that is defined."""
    fpr = np.concatenate([[0.0], np.cumsum(tally.non_mated[::-1])])
    tpr = np.concatenate([[0.0], np.cumsum(tally.mated[::-1])])
    return fpr / fpr[-1], tpr / tpr[-1]


def errors(tally: Tally) -> tuple[Floats, Floats]:
    """Miss and false-accept rates by rising threshold, from (0, 1) to (1, 0); (L + 1,) each."""
    fpr, tpr = roc_points(tally)
    return 1.0 - tpr[::-1], fpr[::-1]


def tpr_at(tally: Tally, fpr: Floats) -> Floats:
    """TPR on the ROC polyline at given FPRs; on a vertical piece its upper end."""
    x, y = roc_points(tally.merged())
    return np.interp(fpr, x, y)
