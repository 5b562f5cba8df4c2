"""Estimate: a number that knows how sure it is and what to hold it against."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Estimate:
    """One measured quantity.

    Args:
        name: stable key (`auc`, `eer`, `linkability`, `rank_1`).
        value: point estimate; None if it is undefined for these data (the reason stands in `note`).
        low, high: interval at `level`, or None where none can be given.
        level: confidence level of the interval.
        n: how many independent units (subjects) it rests on.
        unit: '', 'bit', 'mm', 'dB', ...
        better: which direction is more private / more faithful: 'lower', 'higher' or '' (neither).
        chance: value of an attacker who guesses, where that is known or was permuted.
        p_value: permutation p for "no better than chance", where computed.
        note: how it was computed, one sentence.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    n: int = 0
    unit: str = ""
    better: Literal["lower", "higher", ""] = ""
    chance: float | None = None
    p_value: float | None = None
    note: str = ""

    def __str__(self) -> str:
        if self.value is None:
            return "undefined"
        unit = f" {self.unit}" if self.unit else ""
        if self.low is None or self.high is None:
            return f"{self.value:.3g}{unit}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]{unit}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
