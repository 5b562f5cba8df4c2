"""Combinations: which few facts single out how many people.

    age            3 of 100 stand alone by it
    sex            0
    age + sex     12, of whom 9 by neither alone: those 9 are *minimal* uniques of the pair

An attacker need not know every column. So all combinations of up to four are looked at, and for each: how many rows
look like no other, and how many of these no smaller part of the combination singles out. Rows that stand alone by
two facts are riskier than rows that need six.

Twenty columns have 6,195 combinations of up to four. The work is bounded by counting beforehand, not by a clock, so that the
same table always gives the same answer: smaller combinations first, among equally small ones those of columns with
the most distinct values; how many were left out is told.

Source: the minimal sample uniques of Elliot, Manning & Ford, Int. J. Uncertainty 10 (2002).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.core.table_risk import Combination
from medveil.measure.tables.classes import MISSING_CODE, Classes, Ints, Missing

MOST_CELLS = 40_000_000
"""Rows times combinations that are looked at, some ten seconds' work at most."""


def singled_out(
    codes: Ints,
    labels: Sequence[str],
    *,
    upto: int = 4,
    missing: Missing = "own",
    most_cells: int = MOST_CELLS,
) -> tuple[list[Combination], int]:
    """Every combination of up to so many columns with its uniques, the most telling first; and how many were left out.

    Args:
        codes: (N, C), see `encoded`; `labels`: (C,) what to call the columns.
        upto: largest number of columns, 1 to 4.
        missing: how a missing cell counts.
        most_cells: bound of the work.

    Raises:
        UsageError: `upto` is not 1 to 4.
    """
    if not 1 <= upto <= 4:
        raise UsageError(f"combinations: up to {upto} columns, expected 1 to 4")
    n, c = codes.shape
    order = sorted(range(c), key=lambda i: (-len(np.unique(codes[:, i])), i))
    jokers = int((codes == MISSING_CODE).any(axis=1).sum()) if missing == "any" else 0
    # Rows with jokers are held against all others, which is some twenty times quicker a row than sorting.
    work = n * max(jokers / 20, 1.0)
    budget = max(int(most_cells / work), c)  # single columns always
    total = sum(comb(c, size) for size in range(1, min(upto, c) + 1))
    alone: dict[tuple[int, ...], npt.NDArray[np.bool_]] = {}
    out = []
    for size in range(1, min(upto, c) + 1):
        for chosen in combinations(order, size):
            if len(alone) >= budget:
                break
            key = tuple(sorted(chosen))
            one = Classes.of(codes[:, key], missing).matches == 1 if jokers else _alone(codes[:, key])
            alone[key] = one
            parts = [alone.get(part) for part in combinations(key, size - 1)] if size > 1 else []
            by_less = np.zeros(n, dtype=np.bool_)
            for part in parts:
                by_less |= one & part if part is not None else False
            out.append(
                Combination(tuple(labels[i] for i in key), int(one.sum()), int((one & ~by_less).sum()))
            )
    out.sort(key=lambda found: (len(found.columns), -found.uniques, found.columns))
    return out, total - len(alone)


def _alone(codes: Ints) -> npt.NDArray[np.bool_]:
    """(N,) rows that no other row equals."""
    low, spread = codes.min(axis=0), np.ptp(codes, axis=0) + 1
    if float(np.prod(spread.astype(np.float64))) > 2.0**62:
        return np.asarray(Classes.of(codes).matches == 1, dtype=np.bool_)
    key = np.zeros(len(codes), dtype=np.int64)
    for c in range(codes.shape[1]):
        key = key * spread[c] + (codes[:, c] - low[c])
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(count[place] == 1, dtype=np.bool_)
