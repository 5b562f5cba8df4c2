"""Population: among how many people somebody would have to look who does not know that you are in the table.

    sample class of f rows ── in a population ──> F people look alike, F >= f
    prosecutor  knows that the person is in the table            1 / f
    journalist  does not, and picks the row easiest to find      largest 1 / F
    marketer    does not, and links all rows                     mean 1 / F

F is nowhere in the table, so a population must be stated, and the note repeats what was stated. Either another
table says how many people have which values (`CountedPopulation`); or a size is given, and how people spread over the
values is assumed (`AssumedPopulation`). Then the other N - n people fall into the class of a row with chance p each, F = f +
Poisson((N - n) p), and what is printed is the mean of 1 / F, and the chance that F = 1: that a row which is
unique in the sample is unique among everybody.

A missing cell fits every value here, whatever it counts as within the table: a register knows the age that the
table leaves out.

Source: El Emam & Dankar, JAMIA 15 (2008), prosecutor and journalist; Skinner & Elliot, JRSS B 64 (2002), sample
and population uniques.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from medveil.core.cells import number
from medveil.core.errors import InputRefused, UsageError
from medveil.measure.tables.classes import MISSING_CODE, Classes, encoded

Floats = npt.NDArray[np.float64]
Rows = Sequence[Mapping[str, str]]


@dataclass(frozen=True, eq=False, repr=False)
class AmongAll:
    """What a population makes of each row.

    Args:
        inverse: (N,) mean of 1 / F, the chance to pick the right person of F who look alike.
        alone: (N,) chance that nobody else in the population looks like the row.
        size: how many people there are; `note`: what was stated or assumed, one sentence.
    """

    inverse: Floats
    alone: Floats
    size: int
    note: str

    def __repr__(self) -> str:
        return f"AmongAll({len(self.inverse)} rows)"


class Population(Protocol):
    """Something that knows, or assumes, how many people look like each row."""

    def among_all(self, rows: Rows, columns: Sequence[str], classes: Classes) -> AmongAll: ...


@dataclass(frozen=True, repr=False)
class CountedPopulation:
    """A table of the population: one row a person, or a column with how many people a row stands for.

    Args:
        rows: cells in the same spelling as the table's (the same bands, the same words).
        count: name of the column with the number of people, None where each row is one person.

    A row of the sample that fewer people fit than rows look like it contradicts the claim that the sample was
    drawn from this population; its F is raised to f, and the note says how many rows that befell.
    """

    rows: Rows
    count: str | None = None

    def among_all(self, rows: Rows, columns: Sequence[str], classes: Classes) -> AmongAll:
        """F for each row of a table.

        Raises:
            UsageError: a quasi-identifier is no column of the population; it has no rows.
            InputRefused: a count is not a whole number, or negative.
        """
        if not self.rows:
            raise UsageError("population: has no rows")
        lost = [c for c in columns if not any(c in row for row in self.rows)]
        if lost:
            raise UsageError(
                f"population: {len(lost)} of the quasi-identifiers are not among its columns",
                hint="use the same column names, or name fewer quasi-identifiers",
            )
        people = self._people()
        both = encoded([*rows, *self.rows], columns)
        sample, everybody = both[: len(rows)], both[len(rows) :]
        distinct, which = np.unique(everybody, axis=0, return_inverse=True)
        weight = np.bincount(which.reshape(-1), weights=people, minlength=len(distinct))
        wanted, place = np.unique(sample, axis=0, return_inverse=True)
        fits = np.array([weight[_fit(distinct, one)].sum() for one in wanted])[place.reshape(-1)]
        raised = int((fits < classes.matches).sum())
        size = int(people.sum())
        total = np.maximum(fits, classes.matches)
        note = f"among {size} people of a table that was given" + (
            f"; {raised} rows look like fewer of them than of the sample, which counts instead"
            if raised
            else ""
        )
        return AmongAll(1.0 / total, (total == 1).astype(np.float64), size, note)

    def _people(self) -> Floats:
        if self.count is None:
            return np.ones(len(self.rows))
        out = []
        for row in self.rows:
            value = number(row.get(self.count, ""))
            if value is None or value < 0 or value != int(value):
                raise InputRefused("population: its column of counts holds a cell that is no whole number")
            out.append(value)
        return np.array(out)

    def __repr__(self) -> str:
        return f"CountedPopulation({len(self.rows)} rows)"


@dataclass(frozen=True)
class AssumedPopulation:
    """A population of which only the size is known; the sample is part of it.

    Args:
        size: how many people, the sample included.
        spread: `independent`: each column has the sample's shares, and columns know nothing of each other;
            `uniform`: all combinations of values are equally common.
        levels: for `uniform`, how many values a column has; the sample's number where not said.
    """

    size: int
    spread: Literal["independent", "uniform"] = "independent"
    levels: Mapping[str, int] = field(default_factory=dict)

    def among_all(self, rows: Rows, columns: Sequence[str], classes: Classes) -> AmongAll:
        """Mean of 1 / F for each row of a table, F = f + Poisson((size - n) p).

        Raises:
            UsageError: smaller than the sample, or a number of levels below 1.
        """
        from scipy.special import hyp1f1

        n = classes.n
        if self.size < n:
            raise UsageError(f"population: {self.size} people, expected at least the {n} of the table")
        if any(level < 1 for level in self.levels.values()):
            raise UsageError("population: expected at least one level for each column")
        p = np.ones(n)
        for c, column in enumerate(columns):
            p *= self._share(classes.codes[:, c], self.levels.get(column))
        others = (self.size - n) * p  # (N,) mean number of further people who look like the row
        f = classes.matches.astype(np.float64)
        # Mean of 1 / (f + X) for X Poisson: the integral of t^(f-1) e^(-mean (1-t)) over 0..1.
        inverse = np.asarray(hyp1f1(1.0, f + 1.0, -others) / f, dtype=np.float64)
        alone = np.where(f == 1, np.exp(-others), 0.0)
        how = {
            "independent": "each column has the sample's shares and columns are independent (an assumption)",
            "uniform": "all combinations of values are equally common (an assumption)",
        }[self.spread]
        return AmongAll(inverse, alone, self.size, f"among {self.size} people of whom {how}")

    def _share(self, codes: npt.NDArray[np.int64], level: int | None) -> Floats:
        """(N,) how large a share of the population has each row's value in one column."""
        known = codes != MISSING_CODE
        if not known.any():
            return np.ones(len(codes))
        values, place, count = np.unique(codes[known], return_inverse=True, return_counts=True)
        out = np.ones(len(codes))
        if self.spread == "uniform":
            out[known] = 1.0 / (level or len(values))
        else:
            out[known] = count[place] / known.sum()
        return out


def _fit(distinct: npt.NDArray[np.int64], one: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    known = one != MISSING_CODE
    there = distinct[:, known]
    return np.asarray(((there == one[known]) | (there == MISSING_CODE)).all(axis=1), dtype=np.bool_)
