"""Dates and ages: days move together, nothing false is said, what is no date does not pass."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.protect.header import ages, dates
from medveil.protect.header.ages import cap_age, released_age, released_birth, years_between
from medveil.protect.header.dates import (
    day_of,
    keep_tm,
    shift_any,
    shift_da,
    shift_dt,
    shift_iso,
    shift_words,
)

DAYS = st.dates(date(1900, 1, 1), date(2100, 12, 31))
SHIFT = st.integers(-50_000, -1)
WRITTEN = {  # each way to write a day, and the function that moves it
    "DA": (lambda d: f"{d:%Y%m%d}", shift_da),
    "DA of ACR-NEMA": (lambda d: f"{d:%Y.%m.%d}", shift_da),
    "DT": (lambda d: f"{d:%Y%m%d}235959.999999-0330", shift_dt),
    "DT with an hour": (lambda d: f"{d:%Y%m%d}10", shift_dt),
    "ISO": (lambda d: f"{d:%Y-%m-%d}", shift_iso),
    "ISO with a time": (lambda d: f"{d:%Y-%m-%d}T00:00:00.000Z", shift_iso),
    "words": (lambda d: f"{d.day:02d}-{dates.MONTHS[d.month - 1].upper()}-{d.year}", shift_words),
}


@pytest.mark.parametrize(
    ("value", "days", "expected"),
    [
        ("20240301", -1, "20240229"),  # a leap year
        ("20230301", -1, "20230228"),  # a common one
        ("21000301", -1, "21000228"),  # divisible by 100, not by 400
        ("20000301", -1, "20000229"),
        ("20240229", -366, "20230228"),
        ("20240101", -1, "20231231"),
        ("20240115", -730, "20220115"),
        ("20240115", 0, "20240115"),
        ("20240115 ", -1, "20240114"),  # padding
        ("20240115\0", -1, "20240114"),
        ("2024.01.15", -1, "20240114"),  # ACR-NEMA
        ("", -1, ""),
        ("  ", -1, ""),
        ("20240115\\20240301", -1, "20240114\\20240229"),
        ("20240115\\\\20240301", -1, "20240114\\\\20240229"),
        ("20240115-20240301", -1, "20240114-20240229"),
        ("20240301-", -1, "20240229-"),
        ("-20240301", -1, "-20240229"),
        ("00020101", -365, "00010101"),
        ("99991231", -1, "99991230"),
    ],
)
def test_a_da_moves_by_days(value: str, days: int, expected: str) -> None:
    assert shift_da(value, days) == expected


@pytest.mark.parametrize(
    "value",
    [
        "DOE", "20240230", "20230229", "20241301", "20240100", "20240001", "00000101", "2024011", "202401155",
        "240115", "2024/01/15", "2024.1.15", "20240115X", "20240115\nDOE", "\u0662\u0660\u0662\u0664\u0660\u0661\u0661\u0665", "2024-01-15", "-", "--",
        "20240115-DOE", "DOE-20240115", "20240115-20240116-20240117", "20240115\\DOE", "2024-2025", "202401-",
        "+2024011", "1e7",
    ],
)  # fmt: skip
def test_what_is_no_da_does_not_pass(value: str) -> None:
    assert shift_da(value, -1) is None
    assert shift_da(value, 0) is None


def test_a_date_that_would_leave_the_calendar_does_not_pass() -> None:
    assert shift_da("00010101", -1) is None  # the dummy date that some tools write
    assert shift_da("99991231", 1) is None
    assert shift_da("20240101", -(10**12)) is None


@pytest.mark.parametrize(
    ("value", "days", "expected"),
    [
        ("202403", -60, "202401"),  # 1 to 31 January 2024
        ("202403", -61, None),  # 31 December 2023 to 30 January 2024
        ("202406", -10, "2024"),  # 22 May to 20 June
        ("202302", -31, "202301"),  # 1 to 28 January: 28 days fit into a longer month
        ("202302", 3, "2023"),  # 4 February to 3 March
        ("202402", 31, "202403"),  # 3 to 31 March
        ("2024", -1, None),
        ("2023", -365, "2022"),  # both are common years, so the span is exactly the year before
        ("2024", -366, None),  # 31 December 2022 to 30 December 2023: 2024 is longer
        ("2024", 0, "2024"),
        ("202400", 0, None),
        ("202413", 0, None),
    ],
)
def test_a_coarse_date_is_written_only_if_it_stays_true(value: str, days: int, expected: str | None) -> None:
    assert shift_da(value, days) == expected
    assert shift_dt(value, days) == expected


@settings(deadline=None)
@given(DAYS, SHIFT, st.booleans())
def test_a_coarse_date_always_holds_the_moved_day(day: date, days: int, has_month: bool) -> None:
    coarse = f"{day:%Y%m}" if has_month else f"{day:%Y}"
    true = shift_da(f"{day:%Y%m%d}", days)
    moved = shift_da(coarse, days)
    assert true is not None
    assert moved is None or true.startswith(moved)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20240301235959.123456+0100", "20240229235959.123456+0100"),
        ("20240301235959.1-1200", "20240229235959.1-1200"),
        ("20240301000000+1400", "20240229000000+1400"),
        ("2024030112", "2024022912"),
        ("202403011230", "202402291230"),
        ("20240301123060", "20240229123060"),  # a leap second
        ("20240301+0000", "20240229+0000"),
        ("20240301-0500", "20240229-0500"),  # an offset, no range
        ("20240301-20240302", "20240229-20240301"),
        ("20240301120000-0500-20240302120000-0500", "20240229120000-0500-20240301120000-0500"),
        ("20240301120000-", "20240229120000-"),
        ("202406+0100", "2024+0100"),
        ("", ""),
    ],
)
def test_a_dt_keeps_its_hours_and_its_offset(value: str, expected: str) -> None:
    assert shift_dt(value, -1) == expected


@pytest.mark.parametrize(
    "value",
    ["2024030124", "202403011260", "20240301123061", "20240301123000.", "20240301123000.1234567",
     "20240301.5", "20240301-0000", "20240301+1401", "20240301-1201", "20240301+0160", "20240301Z",
     "20240301T120000", "20240230120000", "2024030112 DOE", "DOE+0100"],
)  # fmt: skip
def test_what_is_no_dt_does_not_pass(value: str) -> None:
    assert shift_dt(value, -1) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-03-01T10:20:30.500000", "2024-02-29T10:20:30.500000"),
        ("2024-03-01T10:20:30Z", "2024-02-29T10:20:30Z"),
        ("2024-03-01T10:20:30+01:00", "2024-02-29T10:20:30+01:00"),
        ("2024-03-01 10:20", "2024-02-29 10:20"),
        ("2024-03-01", "2024-02-29"),
        ("2024-06", "2024"),
        ("n/a", "n/a"),
        ("", ""),
    ],
)
def test_an_iso_date_moves_in_its_own_form(value: str, expected: str) -> None:
    assert shift_iso(value, -1) == expected


@pytest.mark.parametrize(
    "value",
    ["2024-02-30", "2024-3-1", "20240301", "2024-03-01T25:00:00", "2024-03-01T10", "2024-03-01T10:20:30 DOE",
     "2024-03-01t10:20", "N/A?", "24-03-01", "2024-W09-5"],
)  # fmt: skip
def test_what_is_no_iso_date_does_not_pass(value: str) -> None:
    assert shift_iso(value, -1) is None


def test_names_of_months_keep_their_case_and_other_languages_do_not_pass() -> None:
    assert shift_words("01-MAR-2024", -1) == "29-FEB-2024"
    assert shift_words("1-mar-2024", -1) == "29-feb-2024"
    assert shift_words("01-Mar-2024", -1) == "29-Feb-2024"
    for value in (
        "01-MRZ-2024",
        "01-MAR-24",
        "30-FEB-2024",
        "00-MAR-2024",
        "MAR-2024",
        "01-MAR-2024 DOE",
        "",
    ):
        assert shift_words(value, -1) is None


def test_any_of_the_ways_is_tried() -> None:
    assert shift_any("2024-03-01T10:20:30", -1) == "2024-02-29T10:20:30"
    assert shift_any("20240301", -1) == "20240229"
    assert shift_any("20240301102030.5", -1) == "20240229102030.5"
    assert shift_any("01-MAR-2024", -1) == "29-FEB-2024"
    assert shift_any("John Doe", -1) is None
    assert shift_any("2024", -1) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("102030.123456", "102030.123456"), ("10", "10"), ("1020", "1020"), ("10:20:30.5", "102030.5"),
     ("102030 ", "102030"), ("", ""), ("10\\11", "10\\11"), ("10-11", "10-11"), ("-1100", "-1100"),
     ("235960", "235960"),
     ("24", None), ("1060", None), ("102061", None), ("102030.", None), ("1.5", None), ("DOE", None),
     ("10\\DOE", None), ("10-DOE", None), ("-", None), ("19700101", None)],
)  # fmt: skip
def test_a_time_stays_and_what_is_none_goes(value: str, expected: str | None) -> None:
    assert keep_tm(value) == expected


@pytest.mark.parametrize("first", WRITTEN)
@settings(deadline=None)
@given(one=DAYS, other=DAYS, days=SHIFT)
def test_what_lies_between_two_dates_stays_in_every_way_of_writing(
    first: str, one: date, other: date, days: int
) -> None:
    for second in WRITTEN:
        moved = []
        for name, day in ((first, one), (second, other)):
            write, shift = WRITTEN[name]
            text = shift(write(day), days)
            assert text is not None
            moved.append(day_of(text))
        assert None not in moved
        assert moved[0] - moved[1] == one - other
        assert moved[0] == one + timedelta(days)


@settings(deadline=None)
@given(DAYS, SHIFT)
def test_moving_there_and_back_gives_the_same_text(day: date, days: int) -> None:
    for name in ("DA", "DT", "ISO with a time", "words"):
        write, shift = WRITTEN[name]
        there = shift(write(day), days)
        assert there is not None
        assert shift(there, -days) == write(day)


@settings(deadline=None)
@given(st.text(max_size=20), SHIFT)
def test_no_text_stops_the_functions_and_no_letters_come_out_of_dicom_dates(text: str, days: int) -> None:
    for function in (shift_da, shift_dt):
        moved = function(text, days)
        assert moved is None or set(moved) <= set("0123456789.+-\\")
    for value in (shift_iso(text, days), shift_words(text, days), shift_any(text, days), cap_age(text)):
        assert value is None or isinstance(value, str)


def test_a_value_far_too_long_for_a_date_costs_no_time() -> None:
    assert shift_dt("1-" * 5_000_000, -1) is None
    assert shift_da("20240115" + " " * 100, -1) == "20240114"
    longest = "20240115101010.123456+0100-20240116101010.123456+0100"
    assert shift_dt(longest, -1) == "20240114101010.123456+0100-20240115101010.123456+0100"


# Ages and dates of birth


@pytest.mark.parametrize(
    ("value", "expected"),
    [("094Y", "090Y"), ("090Y", "090Y"), ("089Y", "089Y"), ("130Y", "090Y"), ("018M", "018M"), ("999M", "999M"),
     ("003W", "003W"), ("010D", "010D"), ("000Y", "000Y"), ("94Y", "090Y"), ("094y ", "090Y"), ("", ""),
     ("131Y", None), ("999Y", None), ("94", None), ("1094Y", None), ("DOE", None), ("-01Y", None), ("\u0660\u0663\u0660Y", None),
     ("030Y DOE", None)],
)  # fmt: skip
def test_ages_from_90_on_are_one_group(value: str, expected: str | None) -> None:
    assert cap_age(value) == expected


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    [
        ("19340630", "20240629", 89),
        ("19340630", "20240630", 90),
        ("20000229", "20230228", 22),  # the birthday of a leap day is 1 March
        ("20000229", "20230301", 23),
        ("20000229", "20240229", 24),
        ("19800101", "1990-06-01T10:20:30", 10),
        ("20240101", "20240101", 0),
        ("20240102", "20240101", None),
        ("18500101", "20240101", None),
        ("1980", "20240101", None),
        ("", "20240101", None),
        ("19800101", "DOE", None),
    ],
)
def test_years_are_counted_when_completed(birth: str, on: str, years: int | None) -> None:
    assert years_between(birth, on) == years


@pytest.mark.parametrize(
    ("stated", "birth", "expected"),
    [
        ("043Y", "19800615", "043Y"),
        ("042Y", "19800615", "043Y"),  # the dates are right
        ("", "19800615", "043Y"),
        ("DOE", "19800615", "043Y"),
        ("030Y", "19300101", "090Y"),
        ("094Y", "", "090Y"),
        ("094Y", "DOE", "090Y"),
        ("", "", ""),
        ("DOE", "", None),
        ("018M", "20220615", "018M"),
        ("024M", "20220103", "024M"),  # rounded up two days before the birthday
        ("060M", "20220615", "001Y"),
        ("005D", "20231227", "005D"),
    ],
)
def test_an_age_agrees_with_the_dates(stated: str, birth: str, expected: str | None) -> None:
    assert released_age(stated, birth, "20240101") == expected


@pytest.mark.parametrize("policy", ["shift", "year"])
@pytest.mark.parametrize("birth", ["19300615", "", "DOE", "1980", "198006", "20240102", "18000101"])
def test_no_date_of_birth_of_the_old_the_unborn_and_the_unknown(birth: str, policy: ages.Birth) -> None:
    assert released_birth(birth, -100, last="20240101", policy=policy) is None


def test_a_date_of_birth_follows_its_policy() -> None:
    assert released_birth("19800615", -200, last="20240101", policy="shift") == "19791128"
    assert released_birth("19800615", -200, last="20240101", policy="year") == "19790101"
    assert released_birth("1980-06-15", -200, last="20240101", policy="year") == "1979-01-01"
    assert released_birth("19800615", -200, last="20240101", policy="remove") is None
    assert released_birth("19800615", -200, last="", policy="shift") is None  # the age is not known


def test_the_age_at_the_last_day_decides_and_not_the_one_at_the_first() -> None:
    assert released_birth("19340630", -10, last="20240629", policy="shift") == "19340620"
    assert released_birth("19340630", -10, last="20240630", policy="shift") is None


@settings(deadline=None)
@given(DAYS, st.integers(0, 32_000), SHIFT)
def test_ages_from_moved_dates_are_right_to_a_birthday(birth: date, lived: int, days: int) -> None:
    on = birth + timedelta(lived)
    true = years_between(f"{birth:%Y%m%d}", f"{on:%Y%m%d}")
    born = released_birth(f"{birth:%Y%m%d}", days, last=f"{on:%Y%m%d}", policy="shift")
    day = shift_da(f"{on:%Y%m%d}", days)
    assert true is not None
    assert born is not None
    assert day is not None
    after = years_between(born, day)
    assert after is not None
    assert abs(after - true) <= 1
    year = released_birth(f"{birth:%Y%m%d}", days, last=f"{on:%Y%m%d}", policy="year")
    assert year is not None
    assert year.endswith("0101")
    assert year[:4] == born[:4]
