"""Equal error rate: the point at which misses and false accepts are equally many.

On finite data there are three of them:

- `rocch`: on the convex hull of the ROC. It equals the largest minimum detection cost over all priors, never
  exceeds 0.5 and never exceeds the interpolated one (Brümmer & de Villiers, BOSARIS, 2013). The main one here.
- `interpolated`: on the ROC polyline, the usual scikit-learn recipe.
- `step`: mean of the two rates at the threshold where they differ least, as VoicePrivacy and audmetric
  print it; the lowest such threshold if there are several.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.measure.verification.pav import blocks
from medveil.measure.verification.roc import errors
from medveil.measure.verification.tally import Tally, tally_of

Kind = Literal["rocch", "interpolated", "step"]


def eer(mated: npt.ArrayLike, non_mated: npt.ArrayLike, kind: Kind = "rocch") -> float:
    """Equal error rate. 0.5 is chance, higher is more private.

    Args:
        mated, non_mated: scores, higher means more likely the same person.
        kind: which of the three, see the head of this file.

    Raises:
        UsageError: one side is empty, a score is not finite, or `kind` is unknown.

    >>> [round(eer([3, 5, 7, 9], [1, 2, 4, 6, 8], kind), 4) for kind in ("rocch", "interpolated", "step")]
    [0.3333, 0.4, 0.45]
    """
    return eer_of(tally_of(mated, non_mated), kind)


def eer_of(tally: Tally, kind: Kind = "rocch") -> float:
    """`eer` of a tally that is defined."""
    if kind == "rocch":
        return crossing(blocks(tally.merged()))
    if kind == "interpolated":
        return crossing(tally.merged())
    if kind == "step":
        miss, accept = errors(tally)
        gap = np.abs(miss - accept)
        best = int((gap <= gap.min() + 1e-12).argmax())  # the first of those that tie, rounding aside
        return float(miss[best] + accept[best]) / 2
    raise UsageError(f"eer: no kind {kind}", hint="known are rocch, interpolated, step")


def crossing(tally: Tally) -> float:
    """Where the polyline through the error rates meets the diagonal."""
    miss, accept = errors(tally)
    gap = miss - accept  # rises from -1 to 1
    after = int(np.searchsorted(gap, 0.0))
    before = after - 1
    part = -gap[before] / (gap[after] - gap[before])
    return float(miss[before] + part * (miss[after] - miss[before]))
