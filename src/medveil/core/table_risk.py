"""Table risk: what a table gives away of the people in it, as values that a report renders.

    columns ── what each was taken for, and why
    estimates ── k, uniques, prosecutor, journalist, marketer, gaps between visits
    combinations ── which few facts single out how many
    sensitive ── l-diversity and t-closeness of each sensitive column

Holds counts, and labels of columns that are made of known words; no cell of the table and no name of a row.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from medveil.core.errors import InputRefused
from medveil.core.estimate import Estimate
from medveil.core.listing import listed
from medveil.core.quasi import Column


@dataclass(frozen=True)
class Combination:
    """A combination of columns.

    Args:
        columns: their labels.
        uniques: rows that look like no other by these columns.
        minimal: those of them that no smaller part of the combination singles out.
    """

    columns: tuple[str, ...]
    uniques: int
    minimal: int


@dataclass(frozen=True)
class SensitiveRisk:
    """What those who look alike tell of one sensitive column: `l_distinct`, `l_entropy`, `t_closeness`."""

    column: str
    estimates: dict[str, Estimate]


@dataclass(frozen=True)
class TableRisk:
    """All that a report says of a table.

    Args:
        rows: how many people it has.
        columns: what each column was taken for.
        missing: how missing cells were counted, one sentence; `missing_cells`: how many quasi-identifying cells are.
        estimates: by name: `k`, `sample_uniques`, `below_5`, `below_11`, `prosecutor_max`, `prosecutor_mean`; with a
            population `journalist_max`, `marketer`, `population_uniques`; with visits `gap_uniques`, `gap_k`.
        combinations: the most telling ones of each size; `combinations_left_out`: how many were not looked at.
        sensitive: one entry a sensitive column.
        ages_over_89: rows with an age of 90 or more in years; `ages_with_fraction`: rows with parts of a year.
        warnings: sentences a steward should read.
    """

    rows: int
    columns: tuple[Column, ...]
    missing: str
    missing_cells: int
    estimates: dict[str, Estimate]
    combinations: tuple[Combination, ...] = ()
    combinations_left_out: int = 0
    sensitive: tuple[SensitiveRisk, ...] = ()
    ages_over_89: int = 0
    ages_with_fraction: int = 0
    warnings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def said(self) -> str:
        """The sentence a steward may repeat."""
        told = [c.label for c in self.columns if c.role == "quasi-identifier"]
        share = self.estimates.get("sample_uniques")
        if not told or share is None or share.value is None:
            return "No column of the table was taken for something an outsider may know."
        return (
            f"{round(share.value * self.rows)} of {self.rows} people can be picked out of the table by "
            f"{listed(told)} alone, by somebody who knows these facts of them."
        )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Any) -> TableRisk:
        """Rebuild from parsed JSON.

        Raises:
            InputRefused: a field is missing or unknown.
        """
        try:
            return TableRisk(
                **{
                    **data,
                    "columns": tuple(Column(**c) for c in data["columns"]),
                    "estimates": _estimates(data["estimates"]),
                    "combinations": tuple(
                        Combination(tuple(c["columns"]), c["uniques"], c["minimal"])
                        for c in data["combinations"]
                    ),
                    "sensitive": tuple(
                        SensitiveRisk(s["column"], _estimates(s["estimates"])) for s in data["sensitive"]
                    ),
                    "warnings": tuple(data["warnings"]),
                }
            )
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise InputRefused("table risk: a field is missing or unknown") from error


def _estimates(data: dict[str, Any]) -> dict[str, Estimate]:
    return {name: Estimate(**values) for name, values in data.items()}
