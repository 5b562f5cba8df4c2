"""Dates: all days of one person move by one secret number, so what lay between them stays.

    20240229 ──┐                          ┌── 20230712
               ├── minus 232 days ────────┤              17 days lie between them, before and after
    20240317 ──┘                          └── 20230729

A day is read from any of the ways in which DICOM and BIDS write one, moved, and written back in the same way;
hours, fractions and offsets from UTC stay as they are. What is not a date comes back as None, so that the
caller removes it: a name typed into a date must not pass because it could not be moved.

A month or a year without a day is a span of days, and so is what it becomes. It is written as a month or a
year only if one holds the whole span; otherwise it comes back as None:

    202403   minus 60 days   1 to 31 January 2024, inside one month      202401
    202403   minus 70 days   22 December 2023 to 21 January 2024         None: no month, no year holds it
    202406   minus 10 days   22 May to 20 June 2024, inside one year     2024

So nothing false is ever said: a coarse date never contradicts the order of the exact ones beside it.

Source: DICOM PS3.5 section 6.2 (DA, DT, TM; ranges in PS3.4 C.2.2.2.5); ISO 8601 as BIDS 1.9 uses it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

PADDING = " \t\r\n\0"
MISSING = "n/a"  # of BIDS tables
_LONGEST = 64  # signs; the longest range of two DT has 53
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_DA = re.compile(r"([0-9]{4})(?:([0-9]{2})([0-9]{2})?)?")
_OLD_DA = re.compile(r"([0-9]{4})\.([0-9]{2})\.([0-9]{2})")
_CLOCK = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_TM = re.compile(_CLOCK)
_OLD_TM = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?")
_OFFSET = r"[+](?:0[0-9]|1[0-3])[0-5][0-9]|[+]1400|-(?!0000)(?:0[0-9]|1[01])[0-5][0-9]|-1200"
_DT = re.compile(rf"([0-9]{{4}})(?:([0-9]{{2}})(?:([0-9]{{2}})({_CLOCK})?)?)?({_OFFSET})?")
_ISO_CLOCK = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?)?"
_ISO = re.compile(
    rf"([0-9]{{4}})(?:-([0-9]{{2}})(?:-([0-9]{{2}})({_ISO_CLOCK}(?:Z|[+-][0-2][0-9]:?[0-5][0-9])?)?)?)?"
)
_WORDS = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")

Span = tuple[int, int | None, int | None]  # year, month, day; a month or a day that is not said is None


def moved(year: int, month: int | None, day: int | None, days: int) -> Span | None:
    """The smallest written date that holds the moved one, or None: no such day, or nothing that holds it.

    >>> moved(2024, 3, 1, -1), moved(2024, 3, None, -60), moved(2024, 3, None, -70)
    ((2024, 2, 29), (2024, 1, None), None)
    """
    try:
        first = date(year, 1 if month is None else month, 1 if day is None else day)
        last = first
        if day is None:
            end = 12 if month is None else month
            last = date(year, end, calendar.monthrange(year, end)[1])
        first, last = first + timedelta(days), last + timedelta(days)
    except (ValueError, OverflowError):  # 30 February, or outside the years 1 to 9999
        return None
    if day is not None:
        return first.year, first.month, first.day
    if first.year != last.year:
        return None
    same_month = month is not None and first.month == last.month
    return first.year, first.month if same_month else None, None


def shift_da(value: str, days: int) -> str | None:
    r"""A DICOM DA moved by `days`; empty stays empty.

    YYYYMMDD, YYYY.MM.DD of ACR-NEMA (written as YYYYMMDD), YYYYMM and YYYY, several values between backslashes,
    and ranges of queries (`20240101-`, `-20240131`, `20240101-20240131`). None if any of it is no date.

    >>> shift_da("20240301", -1), shift_da("2024.03.01", -1), shift_da("DOE", -1)
    ('20240229', '20240229', None)
    """
    return _each(value, lambda text: _range(text, lambda one: _da(one, days), _is_day))


def shift_dt(value: str, days: int) -> str | None:
    """A DICOM DT moved by `days`: hours, fraction and offset from UTC stay; see `shift_da` for the rest.

    >>> shift_dt("20240301235959.123456+0100", -1), shift_dt("2024-0500", 0)
    ('20240229235959.123456+0100', '2024-0500')
    """
    return _each(value, lambda text: _range(text, lambda one: _dt(one, days), _is_day))


def shift_iso(value: str, days: int) -> str | None:
    """A date of a BIDS table or sidecar (`2024-03-01T10:20:30.5`) moved by `days`; n/a stays n/a.

    >>> shift_iso("2024-03-01T10:20:30.500", -1), shift_iso("2024-03-01", -1), shift_iso("spring", -1)
    ('2024-02-29T10:20:30.500', '2024-02-29', None)
    """
    text = value.strip(PADDING)
    if text in ("", MISSING):
        return text
    match = _ISO.fullmatch(text)
    span = _move(match, days)
    if match is None or span is None:
        return None
    return "-".join(_digits(span)) + (match[4] or "")


def shift_words(value: str, days: int) -> str | None:
    """A date with the English name of its month (`01-MAR-2024`) moved by `days`; the case of the name is kept.

    >>> shift_words("1-Mar-2024", -1), shift_words("01-MAR-24", -1)
    ('29-Feb-2024', None)
    """
    match = _WORDS.fullmatch(value.strip(PADDING))
    if match is None or match[2].lower() not in MONTHS:
        return None
    span = moved(int(match[3]), MONTHS.index(match[2].lower()) + 1, int(match[1]), days)
    if span is None or span[1] is None:
        return None
    name = MONTHS[span[1] - 1]
    name = name.upper() if match[2].isupper() else name if match[2].islower() else name.capitalize()
    return f"{span[2]:02d}-{name}-{span[0]:04d}"


def shift_any(value: str, days: int) -> str | None:
    """A date in whichever of the ways above it is written, tried in the order ISO, DA, DT, words."""
    for shift in (shift_iso, shift_da, shift_dt, shift_words):
        text = shift(value, days)
        if text is not None:
            return text
    return None


def keep_tm(value: str) -> str | None:
    """A DICOM TM as it is, in today's form (HHMMSS.FFFFFF, parts and ranges too), or None if it is no time.

    >>> keep_tm("10:20:30"), keep_tm("102030.5 "), keep_tm("DOE")
    ('102030', '102030.5', None)
    """

    def one(text: str) -> str | None:
        if _OLD_TM.fullmatch(text):
            return text.replace(":", "")
        return text if _TM.fullmatch(text) else None

    return _each(value, lambda text: _range(text, one, lambda end: True))


def day_of(value: str) -> date | None:
    """The day of one exact date (DA, DT, ISO or with a month's name); None for a coarse one, or what is none."""
    text = value.strip(PADDING)
    for pattern in (_DA, _OLD_DA, _DT, _ISO):
        match = pattern.fullmatch(text)
        if match is not None and match[3]:
            span = _move(match, 0)
            return None if span is None else date(int(match[1]), int(match[2]), int(match[3]))
    shifted = shift_words(text, 0)
    if shifted is None:
        return None
    day, month, year = shifted.split("-")
    return date(int(year), MONTHS.index(month.lower()) + 1, int(day))


def _each(value: str, one: Callable[[str], str | None]) -> str | None:
    """`one` for every value between backslashes; None if it is None for any of them."""
    parts = [part.strip(PADDING) for part in value.strip(PADDING).split("\\")]
    shifted = [one(part) if part else "" for part in parts]
    known = [part for part in shifted if part is not None]
    return "\\".join(known) if len(known) == len(shifted) else None


def _range(text: str, one: Callable[[str], str | None], may_end: Callable[[str], bool]) -> str | None:
    """`one` for a value, or for both ends of a range, of which one may be open."""
    if len(text) > _LONGEST:
        return None
    value = one(text)
    if value is not None:  # the sign of an offset from UTC is no range
        return value
    for i in [i for i, sign in enumerate(text) if sign == "-"]:
        ends = [end.strip(PADDING) for end in (text[:i], text[i + 1 :])]
        new = ["" if not end else one(end) if may_end(end) else None for end in ends]
        if any(ends) and new[0] is not None and new[1] is not None:
            return f"{new[0]}-{new[1]}"
    return None


def _is_day(text: str) -> bool:
    return day_of(text) is not None


def _da(text: str, days: int) -> str | None:
    span = _move(_DA.fullmatch(text) or _OLD_DA.fullmatch(text), days)
    return None if span is None else "".join(_digits(span))


def _dt(text: str, days: int) -> str | None:
    match = _DT.fullmatch(text)
    span = _move(match, days)
    return (
        None if match is None or span is None else "".join((*_digits(span), match[4] or "", match[5] or ""))
    )


def _move(match: re.Match[str] | None, days: int) -> Span | None:
    if match is None:
        return None
    month, day = (None if part is None else int(part) for part in match.group(2, 3))
    return moved(int(match[1]), month, day, days)


def _digits(span: Span) -> list[str]:
    return [f"{span[0]:04d}", *(f"{part:02d}" for part in span[1:] if part is not None)]
