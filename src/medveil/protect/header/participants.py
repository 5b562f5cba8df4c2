"""Participants: four columns stay, the rest goes.

`participant_id` (a BIDS label), `sex` and `age` pass; handedness too. Ages are whole years, and everybody
from 89 on is '89+': BIDS recommends it, and it is one year stricter than HIPAA's Safe Harbor (45 CFR
164.514(b)(2)(i)(C): ages over 89 in one group). Any other column is dropped: `group`, since
a diagnosis is health data that the steward should decide on, not a default; sites and dates, since they
single people out. Age and sex together may still do so in a small cohort: that is measured, not cleaned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

COLUMNS = ("participant_id", "age", "sex", "handedness")
OLDEST = 89  # years; from there on, ages are one group
MISSING = "n/a"

_SEX = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "other": "O"}
_HAND = {"r": "R", "right": "R", "l": "L", "left": "L", "a": "A", "ambidextrous": "A"}


def clean_participants(rows: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The rows with the allowlisted columns that the table has; a value that is no such fact becomes n/a.

    A row whose participant_id is not a BIDS label (`sub-` and letters or digits) is dropped as a whole: the
    identifier may be a name.
    """
    kept = []
    present = [c for c in COLUMNS if any(c in row for row in rows)]
    for row in rows:
        if re.fullmatch(r"sub-[A-Za-z0-9+]+", row.get("participant_id", "")):
            kept.append({c: _CLEAN[c](row.get(c, "")) for c in present})
    return kept


def dropped_columns(rows: Sequence[Mapping[str, str]]) -> int:
    """How many columns `clean_participants` drops; their names may identify, so they are counted only."""
    return len({c for row in rows for c in row} - set(COLUMNS))


def clean_age(text: str) -> str:
    """Whole years as text, '89+' from 89 on, n/a for anything else.

    >>> clean_age("34.7"), clean_age("91"), clean_age("born 1950")
    ('34', '89+', 'n/a')
    """
    match = re.fullmatch(r"\s*(\d{1,3})(?:\.\d*)?\+?\s*", text)
    if match is None:
        return MISSING
    years = int(match[1])
    if years > 130:
        return MISSING
    return f"{OLDEST}+" if years >= OLDEST else str(years)


_CLEAN: dict[str, Callable[[str], str]] = {
    "participant_id": str,
    "age": clean_age,
    "sex": lambda text: _SEX.get(text.strip().lower(), MISSING),
    "handedness": lambda text: _HAND.get(text.strip().lower(), MISSING),
}
