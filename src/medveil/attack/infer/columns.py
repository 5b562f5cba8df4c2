"""Columns: what the other columns of a table say of each person, as numbers for a learner.

    age 34, hand R ──> (34 - mean) / sd │ R? 1 │ L? 0       the column that is guessed is never among them

Means, spreads and levels are those of the people one learns from. A missing cell takes the mean, or no level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.inference import as_number, is_numeric

Array = npt.NDArray[Any]
Row = Mapping[str, str]
MISSING = ("", "n/a")
IDENTIFIER = "participant_id"
MOST_LEVELS = 12  # a column with more different words names people rather than describes them
FEWEST_OF_A_LEVEL = 2


@dataclass(frozen=True, eq=False, repr=False)
class Columns:
    """How to turn rows into numbers.

    Args:
        numbers: column to (mean, standard deviation); `words`: column to its levels.
    """

    numbers: Mapping[str, tuple[float, float]]
    words: Mapping[str, tuple[str, ...]]

    @staticmethod
    def learn(rows: Sequence[Row], known: Sequence[Row], attribute: str) -> Columns:
        """From the rows of people one learns from; only columns that the attacker knows of the probes too."""
        shared = {c for row in known for c, v in row.items() if v not in MISSING}
        numbers, words = {}, {}
        for column in sorted(shared - {attribute, IDENTIFIER}):
            cells = [row[column] for row in rows if row.get(column, "") not in MISSING]
            if is_numeric(cells):
                values = np.array([as_number(c) for c in cells], dtype=np.float64)
                numbers[column] = (float(values.mean()), float(values.std()) or 1.0)
                continue
            levels = sorted({c for c in cells if cells.count(c) >= FEWEST_OF_A_LEVEL})
            if 2 <= len(levels) <= MOST_LEVELS:
                words[column] = tuple(levels)
        return Columns(numbers, words)

    @property
    def width(self) -> int:
        return len(self.numbers) + sum(len(levels) for levels in self.words.values())

    def matrix(self, rows: Sequence[Row]) -> Array:
        """(N, `width`) numbers of these rows."""
        out = np.zeros((len(rows), self.width))
        for i, row in enumerate(rows):
            cells = []
            for column, (mean, sd) in self.numbers.items():
                value = as_number(row.get(column, ""))
                cells.append(0.0 if value is None else (value - mean) / sd)
            for column, levels in self.words.items():
                cells += [float(row.get(column, "") == level) for level in levels]
            out[i] = cells
        return out

    def __repr__(self) -> str:
        return f"Columns({len(self.numbers)} of numbers, {len(self.words)} of words)"
