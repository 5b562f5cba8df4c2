"""One value, judged by its representation: text as text, numbers as numbers, dates as dates.

A coded field may hold a name and a number field a sentence: what the header says about a value (its VR) is a
claim, so each kept value is checked against it, on its bytes, without decoding the rest.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from typing import Any

TEXT = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "AE"})
DATES = frozenset({"DA", "DT", "TM"})
NUMBERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "AT"})
NUMERALS = frozenset({"DS", "IS"})
BINARY = frozenset({"OB", "OW", "OF", "OD", "OL", "OV"})
STRINGS = TEXT | DATES | NUMERALS | {"CS", "AS", "UI"}

_SIZE = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "AT": 4, "FL": 4, "FD": 8, "UV": 8, "SV": 8}
_NUMERAL = {
    "DS": re.compile(rb" *[+-]?(\d{1,28}\.?\d{0,28}|\.\d{1,28})([eE][+-]?\d{1,4})? *"),
    "IS": re.compile(rb" *[+-]?\d{1,12} *"),
}


def strings(element: Any) -> list[str]:
    """The values of a string element, raw (bytes, one sign a byte) or decoded, without padding."""
    value = element.value
    if value is None:
        return []
    if isinstance(value, bytes):
        text = value.decode("latin-1")
    elif isinstance(value, list | tuple) or (hasattr(value, "__iter__") and not isinstance(value, str)):
        parts = list(value) if type(value).__name__ != "PersonName" else [value]
        text = "\\".join(_text(v) for v in parts)
    else:
        text = _text(value)
    return [part.strip(" \0") for part in text.split("\\")] if text else []


def _text(value: Any) -> str:
    # pydicom keeps the digits as they stood in the file beside the number.
    return str(getattr(value, "original_string", None) or value)


def is_empty(element: Any) -> bool:
    """Whether there is no value at all."""
    value = element.value
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


def is_numeral(element: Any, vr: str) -> bool:
    """Whether every value of a DS or IS is a number and nothing else (or empty)."""
    value = element.value
    if not isinstance(value, bytes):
        value = "\\".join(strings(element)).encode("utf-8", errors="surrogateescape")
    return _are_numerals(value, vr)


@lru_cache(4096)  # files of a series hold the same numbers
def _are_numerals(value: bytes, vr: str) -> bool:
    pattern = _NUMERAL[vr]
    body = value[:-1] if value.endswith(b"\0") else value  # one byte of padding, as some writers do
    return all(not part.strip(b" ") or pattern.fullmatch(part) for part in body.split(b"\\"))


def is_number(element: Any, vr: str, most: int | None = None) -> bool:
    """Whether raw binary numbers have the right length, at most so many, and do not read as a line of text."""
    value = element.value
    if not isinstance(value, bytes):
        return True  # decoded by pydicom, so they are numbers
    size = _SIZE.get(vr, 2)
    if len(value) % size or (most is not None and len(value) > most * size):
        return False
    if len(value) < 8 or not all(32 <= b < 127 for b in value):
        return True
    letters = sum(65 <= b <= 90 or 97 <= b <= 122 for b in value)
    if 2 * letters < len(value):
        return True
    # Eight letters read as one double are nearly always far from anything that is measured.
    return vr == "FD" and len(value) == 8 and 1e-9 < abs(struct.unpack("<d", value)[0]) < 1e9


def dummy(vr: str) -> Any:
    """A value that is valid for the VR and says nothing.

    >>> dummy("DA"), dummy("LO"), dummy("DS")
    ('19000101', 'REMOVED', '0')
    """
    fixed = {
        "DA": "19000101", "DT": "19000101000000", "TM": "000000", "AS": "000Y", "DS": "0", "IS": "0", "CS": "REMOVED",
        "UR": "urn:removed",
    }  # fmt: skip
    if vr in fixed:
        return fixed[vr]
    if vr in BINARY or vr == "UN":
        return b"\0\0"
    return 0 if vr in NUMBERS else "REMOVED"
