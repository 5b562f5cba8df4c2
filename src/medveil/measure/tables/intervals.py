"""Intervals: how sure one can be of a share of unique rows.

They speak of other samples of the same size from the same people; of the table in hand a share is exact. Three ways
suggest themselves, and two are wrong (benchmarks/linkage_table has their coverage):

    bootstrap   draws rows twice, and a row that is drawn twice is not unique: finds far too few, holds nothing
    Wilson      takes rows one by one; but two rows of one pair stop being unique together: too narrow
    occupancy   balls in boxes, of unknown and unequal sizes: what is used here

F1, F2, F3 are how many classes have one, two, three rows. The variance of F1 over samples of n rows is (Karlin 1967, with
the correction for n being fixed)

    sum p1 - sum p1^2 - (sum p1 (1 - rate))^2 / n,    p1 = rate e^-rate, the chance of a class to have one row

where sum p1 and sum p1 rate are estimated by F1 and 2 F2. The middle term is 2 sum p2 e^-rate, and by Jensen's inequality not
less than 2 F2 exp(-3 F3 / F2): so the variance is rather too large than too small, and exact where all values are equally
common. It enters Wilson's interval as the number of rows that are worth as much as independent ones.

Where a missing cell fits everything there are no boxes, and for sizes above two no such formula: there a jackknife
(rows left out one at a time; its variance is never too small on average, Efron & Stein 1981) or Wilson, the wider.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from medveil.measure.tables.classes import Classes
from medveil.measure.verification.bootstrap import wilson

Z95 = 1.959963984540054


def uniques_interval(classes: Classes) -> tuple[float, float]:
    """Interval (95 %) of the share of rows that look like no other."""
    if classes.missing != "own":
        return below_interval(classes, 2)
    n = classes.n
    one, two, three = (int((classes.count == size).sum()) for size in (1, 2, 3))
    share = one / n
    if one == n:
        factor = 2.0  # the limit of what follows, for ever rarer pairs
    elif one == 0:
        factor = 1.0
    else:
        both = 2 * two * math.exp(-3 * three / two) if two else 0.0
        variance = one - both - (one - 2 * two) ** 2 / n
        factor = max(1.0, variance / (n * share * (1 - share)))
    return wilson(share, max(1, round(n / factor)))


def below_interval(classes: Classes, size: int) -> tuple[float, float]:
    """Interval (95 %) of the share of rows that look like fewer than `size`: jackknife or Wilson, the wider at each end."""
    n = classes.n
    few = classes.matches < size
    share = float(few.mean())
    low, high = wilson(share, n)
    if n < 3:
        return low, high
    # Without row i: it is not counted itself, and those who needed it fall below the size.
    remaining = few.sum() - few + classes.falling_below(size)
    half = Z95 * variance(remaining / (n - 1)) ** 0.5
    return max(0.0, min(low, share - half)), min(1.0, max(high, share + half))


def mean_risk_interval(classes: Classes) -> tuple[float, float] | None:
    """Jackknife interval (95 %) of classes per row, the mean of 1 / class size; None where jokers leave no classes.

    Without a row, its class is gone if it was the only one in it.
    """
    n = classes.n
    if classes.missing != "own" or n < 3:
        return None
    number = len(classes.count)
    half = Z95 * variance((number - (classes.matches == 1)) / (n - 1)) ** 0.5
    return max(1.0 / n, number / n - half), min(1.0, number / n + half)


def variance(left_out: npt.NDArray[np.float64]) -> float:
    """Jackknife variance of a statistic from its (N,) values with one row left out.

    >>> round(variance(np.array([1.0, 2.0, 3.0])), 6)  # 2/3 * (1 + 0 + 1)
    1.333333
    """
    n = len(left_out)
    return float((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
