"""Ages and dates of birth: nobody older than 89 can be told from another who is.

    094Y   ->  090Y          091Y   ->  090Y          089Y, 018M, 003W, 010D stay
    born 19300101, last seen 20240101 (94)  ->  no date of birth at all: it would say the age again

HIPAA's Safe Harbor (45 CFR 164.514(b)(2)(i)(C)) lets ages over 89 be one group of "90 or older" and counts any
date that gives such an age away, the year of birth too. So a date of birth is judged by the age at the LAST
day that the release holds of the person, not at the day of one image. BIDS groups from 89 on; `participants`
does as BIDS says.

Age and dates must agree, or one corrects the other: where both dates are known, the age is counted from the
original ones, in completed years. Somebody born on 29 February completes a year on 1 March of a common year.
"""

from __future__ import annotations

import re
from typing import Literal

from medveil.protect.header.dates import PADDING, day_of, shift_any

GROUP = 90  # years; this age and all above it are one group
OLDEST = 130  # years; above it, it is no age of a person
Birth = Literal["remove", "year", "shift"]

_AS = re.compile(r"([0-9]{1,3})([DWMY])")
_UNIT_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
_SLACK_YEARS = 0.05  # scanners round months and weeks in their own ways


def years_between(birth: str, on: str) -> int | None:
    """Completed years from a date of birth to another day; None if a date is coarse or no date, or the age
    is below 0 or above 130.

    >>> years_between("19340630", "20240629"), years_between("19340630", "20240630")
    (89, 90)
    """
    born, day = day_of(birth), day_of(on)
    if born is None or day is None:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if 0 <= years <= OLDEST else None


def cap_age(value: str) -> str | None:
    """A DICOM AS of which ages from 90 on are 090Y; empty stays empty, what is no age is None.

    A missing zero is added (`94Y`); a number without its unit is not guessed at.

    >>> cap_age("094Y"), cap_age("089Y"), cap_age("18M"), cap_age("94")
    ('090Y', '089Y', '018M', None)
    """
    text = value.strip(PADDING).upper()
    match = _AS.fullmatch(text)
    if match is None:
        return None if text else ""
    number, unit = int(match[1]), match[2]
    years = number * _UNIT_YEARS[unit]
    if years > OLDEST:
        return None
    return f"{GROUP:03d}Y" if years >= GROUP else f"{number:03d}{unit}"


def released_age(value: str, birth: str, on: str) -> str | None:
    """The AS that may leave: counted from the original dates if both are known, otherwise the stated one, capped.

    Months, weeks and days are kept of a stated age that fits the dates: they matter in small children.

    Args:
        value: the stated age, AS, or empty.
        birth: the original date of birth, or empty.
        on: the original day of the image or study.

    >>> released_age("030Y", "19300101", "20240101"), released_age("018M", "20220601", "20240101")
    ('090Y', '018M')
    """
    stated, years = cap_age(value), years_between(birth, on)
    if years is None:
        return stated
    if stated and stated[-1] != "Y":
        said = int(stated[:-1]) * _UNIT_YEARS[stated[-1]]
        if years - _SLACK_YEARS <= said <= years + 1 + _SLACK_YEARS:
            return stated
    return f"{min(years, GROUP):03d}Y"


def released_birth(value: str, days: int, *, last: str, policy: Birth) -> str | None:
    """The date of birth that may leave, or None for none.

    Args:
        value: the original date of birth, in any way that `dates` reads.
        days: the person's shift.
        last: the latest original day that the release holds of this person.
        policy: `remove`; `year`: 1 January of the year of the moved date, so an age counted from it is right to
            within a year; `shift`: moved like all dates of the person, so ages are what they were, except that an
            age may differ by one within a few days of a birthday, since years differ in length.

    >>> released_birth("19800615", -100, last="20240101", policy="shift")
    '19800307'
    >>> released_birth("19800615", -100, last="20240101", policy="year")
    '19800101'
    >>> released_birth("19300615", -100, last="20240101", policy="year") is None
    True
    """
    years = years_between(value, last)
    if policy == "remove" or years is None or years >= GROUP:
        return None  # without a known age it cannot be known to be under 90
    shifted = shift_any(value, days)
    born = None if shifted is None else day_of(shifted)
    if born is None or policy == "shift":
        return shifted
    separator = "-" if "-" in value else ""
    return separator.join((f"{born.year:04d}", "01", "01"))
