"""Inference: what images tell of people beside who they are, as findings that a report renders.

    guesses of sex, age, group ... + truth ──measure──> estimates by condition ──judge──> Inference

One `Inference` holds one property of people: how well it was guessed from the originals (the control), from the
release, and without any image at all, from what the released table says or from how people are in general.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from medveil.core.errors import InputRefused
from medveil.core.estimate import Estimate
from medveil.core.verdict import Verdict

TABLE, PRIOR = "table", "prior"
"""Conditions without an image: what the released table says; the most frequent class, or the median."""
ORIGINAL, RELEASE = "original", "release"
"""Labels of conditions begin with what was attacked; the way of looking follows (`release render`)."""
FEWEST_NUMBERS = 6  # with fewer different values a column of numbers is a column of classes


@dataclass(frozen=True)
class Inference:
    """How well one property was guessed, and the verdict one may draw from it.

    Args:
        attack: public name; `summary`: one sentence what it does; `settings`: its fields.
        attribute: the property: a column of the participants table, or `member`.
        numeric: True if it is a number (age), False if a class (sex).
        conditions: label to the estimates of that condition, by name.
        verdict: one of the three, with `reason`, one sentence or two in plain words.
        people: how many people were guessed; `classes`: how many of each class.
        baseline: label of the condition the release is held against: `table` or `prior`.
        stated: the released table gives the property itself, so the images have nothing left to give.
        smallest: smallest accuracy (for numbers: correlation) that so many people could have shown; None if even
            a perfect attack would not have shown.
    """

    attack: str
    summary: str
    settings: dict[str, Any]
    attribute: str
    numeric: bool
    conditions: dict[str, dict[str, Estimate]]
    verdict: Verdict
    reason: str
    people: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    baseline: str = PRIOR
    stated: bool = False
    smallest: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: Any) -> Inference:
        """Rebuild one from parsed JSON.

        Raises:
            InputRefused: a field is missing or unknown.
        """
        try:
            conditions = {
                label: {name: Estimate(**e) for name, e in estimates.items()}
                for label, estimates in data["conditions"].items()
            }
            return Inference(**{**data, "conditions": conditions})
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise InputRefused("inference: a field is missing or unknown") from error


def as_number(text: str) -> float | None:
    """The number that a cell of a table stands for; None if it is none. `89+` counts as 89.

    >>> as_number("34.5"), as_number("89+"), as_number("F"), as_number("nan")
    (34.5, 89.0, None, None)
    """
    plain = re.fullmatch(r"\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)\+?\s*", text)
    value = float(plain[1]) if plain else math.nan
    return value if math.isfinite(value) else None


def is_numeric(values: Iterable[str]) -> bool:
    """Whether a column holds numbers to be guessed as such: all of them numbers, and not just a few different.

    >>> is_numeric(["31", "45", "22", "67", "50", "38"]), is_numeric(["0", "1", "0", "1"]), is_numeric(["F", "M"])
    (True, False, False)
    """
    cells = list(values)
    return len(set(cells)) >= FEWEST_NUMBERS and all(as_number(c) is not None for c in cells)
