"""Diversity: what looking alike is worth if all who look alike have the same diagnosis.

    class        diagnosis        distinct   entropy
    34 F  x 3    AD, AD, AD           1      exp 0    = 1      everybody in it is known to have AD
    35 M  x 4    AD, AD, HC, MCI      3      exp 1.04 = 2.83

k-anonymity hides who is who and not what they have. l is counted in the class that is worst off: as the number of distinct
values, and as exp(entropy), which also sees that nine of ten have the same. A missing value counts as no value,
because it protects nobody: what is not in the table cannot be learnt from it, for that row alone. Classes in which
nothing is known are passed over.

Source: Machanavajjhala et al., l-diversity, ACM TKDD 1 (2007).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from medveil.core.estimate import Estimate
from medveil.measure.tables.classes import MISSING_CODE, Classes, Ints, encoded


def sensitive_codes(rows: Sequence[Mapping[str, str]], column: str) -> Ints:
    """(N,) coded values of a sensitive column, -1 where missing."""
    return encoded(rows, [column])[:, 0]


def diversity(classes: Classes, sensitive: Ints) -> tuple[Estimate, Estimate]:
    """Distinct and entropy l-diversity of one sensitive column, in the class worst off.

    Args:
        classes: who looks like whom; `sensitive`: (N,) codes, see `sensitive_codes`.
    """
    distinct: list[int] = []
    entropy: list[float] = []
    for members in classes.groups():
        values = sensitive[members]
        values = values[values != MISSING_CODE]
        if not values.size:
            continue
        share = np.unique(values, return_counts=True)[1] / values.size
        distinct.append(len(share))
        entropy.append(float(np.exp(-(share * np.log(share)).sum())))
    known = int((sensitive != MISSING_CODE).sum())
    kinds = len(np.unique(sensitive[sensitive != MISSING_CODE]))
    most = f"; the column has {kinds} values" if kinds else "; no value is known"
    return (
        Estimate("l_distinct", float(min(distinct)) if distinct else None, n=known, better="higher",
                 note="fewest distinct values among rows that look alike" + most),
        Estimate("l_entropy", min(entropy) if entropy else None, n=known, better="higher",
                 note="exp of the smallest entropy among rows that look alike" + most),
    )  # fmt: skip
