"""Classes: which rows of a table look alike to somebody who knows the quasi-identifiers.

    age sex          pattern   matches
    34  F    ──────>    0         2        rows 1 and 3 look alike
    35  F    ──────>    1         1        row 2 stands alone: it is *unique*
    34  F    ──────>    0         2
    n/a F    ──────>    2         1 as a value of its own, 4 as a joker

Missing cells are counted in one of two ways, and every note says in which. `own`: missing is a value like any
other. No class is ever larger than that, so no risk is understated; it is what other tools print. `any`: missing fits
every value, which is what a hunter meets who knows the true value. Then rows look alike without forming classes
(a joker fits both 34 and 35, which do not fit each other), and a risk is taken row by row.

Source: Sweeney, IJUFKS 10 (2002), k-anonymity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from medveil.core.cells import canonical
from medveil.core.errors import UsageError

Ints = npt.NDArray[np.int64]
Missing = Literal["own", "any"]
MISSING_CODE = -1


def encoded(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> Ints:
    """(N, C) whole numbers: equal within a column where the cells say the same, -1 where one is missing."""
    out = np.full((len(rows), len(columns)), MISSING_CODE, dtype=np.int64)
    for c, column in enumerate(columns):
        codes: dict[str, int] = {}
        for r, row in enumerate(rows):
            value = canonical(row.get(column, ""))
            if value is not None:
                out[r, c] = codes.setdefault(value, len(codes))
    return out


@dataclass(frozen=True, eq=False, repr=False)
class Classes:
    """Who looks like whom.

    Args:
        codes: (N, C), see `encoded`.
        missing: how a missing cell counts.
        pattern: (N,) which of the distinct rows each row is; `patterns`: (D, C) those rows; `count`: (D,) how
            many rows are each.
        matches: (N,) how many rows look like each row, itself included.
    """

    codes: Ints
    missing: Missing
    pattern: Ints
    patterns: Ints
    count: Ints
    matches: Ints

    @staticmethod
    def of(codes: Ints, missing: Missing = "own") -> Classes:
        """Sort the rows of a coded table.

        Raises:
            UsageError: no rows, or no columns.
        """
        if codes.ndim != 2 or not codes.size:
            raise UsageError("table: expected at least one row and one quasi-identifier")
        patterns, pattern, count = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
        pattern = pattern.reshape(-1).astype(np.int64)
        count = count.astype(np.int64)
        like = count.copy()
        if missing == "any":
            jokers = np.flatnonzero((patterns == MISSING_CODE).any(axis=1))
            for j in jokers:
                fits = _fits(patterns, patterns[j])
                like[j] = count[fits].sum()
                fits[jokers] = False  # what jokers see in each other they count themselves
                like[fits] += count[j]
        return Classes(codes, missing, pattern, patterns, count, like[pattern])

    @property
    def n(self) -> int:
        return len(self.codes)

    @property
    def smallest(self) -> int:
        """k: how many rows the row looks like that looks like fewest."""
        return int(self.matches.min())

    @property
    def uniques(self) -> int:
        """How many rows look like no other."""
        return int((self.matches == 1).sum())

    def groups(self) -> Iterator[Ints]:
        """Indices of the rows that look alike: the classes, or with jokers the company of each distinct row."""
        order = np.argsort(self.pattern, kind="stable")
        members = np.split(order, np.cumsum(self.count)[:-1])
        for p in range(len(self.patterns)):
            if self.missing == "own" or not (self.patterns == MISSING_CODE).any():
                yield members[p]
            else:
                fits = np.flatnonzero(_fits(self.patterns, self.patterns[p]))
                yield np.sort(np.concatenate([members[q] for q in fits]))

    def falling_below(self, size: int) -> Ints:
        """(N,) how many other rows would look like fewer than `size` if each row were not there."""
        out = np.zeros(self.n, dtype=np.int64)
        if self.missing == "own" or not (self.patterns == MISSING_CODE).any():
            out[self.matches == size] = size - 1  # all the others of its class
            return out
        for i in np.flatnonzero(self.matches == size):
            alike = np.flatnonzero(_fits(self.codes, self.codes[i]))
            out[alike[alike != i]] += 1
        return out

    def __repr__(self) -> str:
        return f"Classes({self.n} rows, {self.codes.shape[1]} columns)"


def _fits(patterns: Ints, one: Ints) -> npt.NDArray[np.bool_]:
    """(D,) which rows agree with `one` wherever both say something."""
    known = one != MISSING_CODE
    there = patterns[:, known]
    return np.asarray(((there == one[known]) | (there == MISSING_CODE)).all(axis=1), dtype=np.bool_)
