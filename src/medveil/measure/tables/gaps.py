"""Gaps: people who came several times are known by the days between their visits.

    visits   2019-03-04   2019-06-12   2020-06-11      gaps  100 d, 365 d
    shifted  2011-01-20   2011-04-30   2012-04-29      gaps  100 d, 365 d     the same

Shifting all dates of a person by one secret number of days is the usual protection, and leaves these gaps as they were.
Whoever knows when somebody was seen (a calendar, an invoice, another release) finds them again if nobody else has the same
gaps. Rounding dates to weeks helps little; saying only which visit it was helps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from medveil.core.cells import day, is_missing
from medveil.core.estimate import Estimate
from medveil.measure.tables.classes import Classes
from medveil.measure.tables.intervals import uniques_interval


def gaps(dates: Sequence[str]) -> tuple[int, ...] | None:
    """Days between one person's visits in the order of time; None with fewer than two different days.

    >>> gaps(["2020-03-01T10:00:00", "2020-02-28", "2020-02-28T18:00:00"])
    (2,)
    """
    days = sorted({d for d in (day(text) for text in dates if not is_missing(text)) if d is not None})
    return tuple(b - a for a, b in pairwise(days)) or None


def gap_risk(visits: Mapping[str, Sequence[str]]) -> dict[str, Estimate]:
    """How many people with several visits have gaps that nobody else has.

    Args:
        visits: dates of each person's visits, as `acq_time` writes them.

    Returns:
        `gap_uniques` (share of them) and `gap_k` (smallest group with the same gaps); empty if nobody came twice.
    """
    signatures = [g for g in (gaps(dates) for dates in visits.values()) if g is not None]
    if not signatures:
        return {}
    names = {g: i for i, g in enumerate(sorted(set(signatures)))}
    classes = Classes.of(np.array([[names[g]] for g in signatures], dtype=np.int64))
    low, high = uniques_interval(classes)
    n = len(signatures)
    smallest = min(Counter(signatures).values())
    return {
        "gap_uniques": Estimate(
            "gap_uniques", classes.uniques / n, low, high, n=n, better="lower",
            note="share of the people with several visits whose gaps in days nobody else has; a shift of all "
            "dates does not change it",
        ),
        "gap_k": Estimate("gap_k", float(smallest), n=n, better="higher",
                          note="fewest people with the same gaps in days between visits"),
    }  # fmt: skip
