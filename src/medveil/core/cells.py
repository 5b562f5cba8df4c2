"""Cells: what a cell of a table says, so that `34`, `34.0` and ` 34 ` are one value.

    text ──missing?──> None
         ──number───> "34"          `34.00` and `34` are one value
         ──else─────> lower case    `Male` and `male` are one value

Whoever compares two tables reads them like this, so a measure that counts spellings as different people would
call a table more telling than it is, and an attack that did so would be weaker than it need be.
"""

from __future__ import annotations

import math
import re
from datetime import date

MISSING = frozenset({"", "n/a", "na", "nan", "null"})
"""What counts as missing, in lower case. BIDS writes `n/a`; the others come from R, pandas and databases."""

_BAND = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)", re.IGNORECASE)  # noqa: RUF001 - a dash
_OPEN = re.compile(r"(?:(\d+(?:\.\d+)?)\s*\+|>=\s*(\d+(?:\.\d+)?))")
_YEAR_FIRST = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ].*)?")


def is_missing(text: str) -> bool:
    """Whether a cell says nothing.

    >>> is_missing(" N/A "), is_missing("0")
    (True, False)
    """
    return text.strip().lower() in MISSING


def number(text: str) -> float | None:
    """The finite number a cell holds, or None.

    >>> number("34.50"), number("nan"), number("89+")
    (34.5, None, None)
    """
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def canonical(text: str) -> str | None:
    """One spelling for each value; None where the cell is missing.

    >>> canonical("34.0"), canonical(" Male"), canonical("n/a")
    ('34', 'male', None)
    """
    if is_missing(text):
        return None
    value = number(text)
    return " ".join(text.lower().split()) if value is None else f"{value + 0.0:.12g}"


def span(text: str) -> tuple[float, float] | None:
    """Lowest and highest number that a cell allows: a number, a band (`30-39`) or an open end (`89+`).

    None for what is neither. Both ends belong to a band.

    >>> span("34"), span("30-39"), span("89+"), span("old")
    ((34.0, 34.0), (30.0, 39.0), (89.0, inf), None)
    """
    text = text.strip()
    value = number(text)
    if value is not None:
        return value, value
    band = _BAND.fullmatch(text)
    if band is not None:
        low, high = float(band[1]), float(band[2])
        return (low, high) if low <= high else None
    above = _OPEN.fullmatch(text)
    return (float(above[1] or above[2]), math.inf) if above is not None else None


def day(text: str) -> int | None:
    """The day of a date or date and time as ISO 8601 writes it, counted from year 1; None for anything else.

    >>> day("2020-03-01T12:30:00") - day("2020-02-28")
    2
    """
    match = _YEAR_FIRST.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3])).toordinal()
    except ValueError:
        return None
