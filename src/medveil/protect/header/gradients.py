"""Tables of diffusion gradients (.bval, .bvec): numbers as they are written, or nothing.

Without them a diffusion image cannot be used, and stripping them is what its users complain about most. They are
plain text, so anything can be typed into one: every word must be a number of the kind that belongs there. A number
that passes leaves as it was written, digit by digit, so what is fitted to it does not change.
Source: BIDS 1.10, diffusion imaging data; the tables are those of FSL.
"""

from __future__ import annotations

import math
import re

from medveil.core.errors import InputRefused

MOST_VOLUMES = 10_000
MOST_BVAL = 100_000.0  # s/mm2; far beyond any scanner, far below a date written as a number
MOST_BVEC = 1.01  # components of a unit vector, or of 0; some room for rounding
_NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]{0,19})(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,3})?"
)


def clean_bval(text: str) -> str:
    """One row of b-values in s/mm2, as written.

    Raises:
        InputRefused: not one row, a word that is no number, a number outside 0 to MOST_BVAL, too many.

    >>> clean_bval("0  1000.0 995")
    '0 1000.0 995\\n'
    """
    rows = _rows(text, "bval", 0.0, MOST_BVAL)
    if len(rows) != 1:
        raise InputRefused("bval: expected one row of numbers")
    return _text(rows)


def clean_bvec(text: str) -> str:
    """Three rows of direction cosines, one column a volume (or three columns, one row a volume), as written.

    Raises:
        InputRefused: neither shape, a word that is no number, a number that no unit vector holds, too many.
    """
    rows = _rows(text, "bvec", -MOST_BVEC, MOST_BVEC)
    if not (len(rows) == 3 or all(len(row) == 3 for row in rows)) or len({len(row) for row in rows}) != 1:
        raise InputRefused("bvec: expected three rows of equal length, or rows of three numbers")
    return _text(rows)


def _rows(text: str, what: str, low: float, high: float) -> list[list[str]]:
    rows = [row for row in (line.split() for line in text.splitlines()) if row]
    if not 1 <= max(len(rows), *(len(row) for row in rows), 0) <= MOST_VOLUMES:
        raise InputRefused(f"{what}: is empty, or holds more than {MOST_VOLUMES} volumes")
    for word in (word for row in rows for word in row):
        if not _NUMBER.fullmatch(word):
            raise InputRefused(f"{what}: holds a word that is no plain number")
        number = float(word)
        if not (math.isfinite(number) and low <= number <= high):
            raise InputRefused(f"{what}: holds a number outside {low:g} to {high:g}")
    return rows


def _text(rows: list[list[str]]) -> str:
    return "".join(" ".join(row) + "\n" for row in rows)
