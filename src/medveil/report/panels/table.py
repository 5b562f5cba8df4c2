"""The table: what a participants table gives away of the people in it, with no image looked at."""

from __future__ import annotations

from typing import Any

from medveil.core.findings import Findings
from medveil.report import words
from medveil.report.panels.base import Panel

NAMES = {
    "k": "k, the smallest group of people who look alike",
    "sample_uniques": "people who look like nobody else",
    "below_5": "people in groups of fewer than 5",
    "below_11": "people in groups of fewer than 11",
    "prosecutor_max": "prosecutor risk, the person easiest to find",
    "prosecutor_mean": "prosecutor risk, on average",
    "journalist_max": "journalist risk, the person easiest to find",
    "marketer": "marketer risk",
    "population_uniques": "people unique in the population too",
    "gap_k": "k by the days between visits",
    "gap_uniques": "people with days between visits that nobody else has",
}
MOST_COMBINATIONS = 12


def context(findings: Findings) -> dict[str, Any] | None:
    """The released table; where nothing is released of it, the page has nothing to say."""
    risk, before = findings.tables.get("release"), findings.tables.get("original")
    if risk is None:
        return None
    return {
        "lead": risk.said,
        "warnings": [words.sentence(w) for w in risk.warnings],
        "rows": [
            {
                "name": NAMES.get(name, words.phrase(name)),
                "before": _number(name, before.estimates[name].value)
                if before and name in before.estimates
                else words.NONE,
                "value": _number(name, e.value),
                "interval": words.interval(e),
                "chance": words.number(e.chance, 2) if e.chance is not None else words.NONE,
                "note": e.note,
            }
            for name, e in ((n, risk.estimates[n]) for n in words.in_order(risk.estimates, tuple(NAMES)))
        ],
        "combinations": [
            {"columns": ", ".join(c.columns), "uniques": c.uniques, "minimal": c.minimal}
            for c in risk.combinations[:MOST_COMBINATIONS]
        ],
        "left_out": risk.combinations_left_out,
        "rows_in_all": risk.rows,
        "columns": [(c.label, c.role, c.reason) for c in risk.columns],
        "sensitive": [
            (
                s.column,
                ", ".join(f"{words.phrase(name)} {words.full(e)}" for name, e in sorted(s.estimates.items())),
            )
            for s in risk.sensitive
        ],
    }


def _number(name: str, value: float | None) -> str:
    """Sizes of groups are whole, shares and risks have two decimals."""
    return words.number(value, 0 if name in ("k", "gap_k") else 2)


PANEL = Panel("table", "What the table gives away", "Table", context)
