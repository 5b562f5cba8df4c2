"""Cells: what is one value, what is missing, what is a number, a band or a date."""

from __future__ import annotations

import math

import pytest

from medveil.core.cells import canonical, day, is_missing, number, span


@pytest.mark.parametrize("text", ["", "  ", "n/a", "N/A", "NA", "nan", "NULL"])
def test_missing(text: str) -> None:
    assert is_missing(text)
    assert canonical(text) is None


@pytest.mark.parametrize("text", ["0", "none", "-", "no"])
def test_not_missing(text: str) -> None:
    assert not is_missing(text)


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (("34", "34.0", " 34.00 ", "3.4e1", "+34"), "34"),
        (("0", "-0", "0.0"), "0"),
        (("Male", "male ", "MALE"), "male"),
        (("very  old", "Very old"), "very old"),
    ],
)
def test_spellings_of_one_value(texts: tuple[str, ...], value: str) -> None:
    assert {canonical(t) for t in texts} == {value}


def test_numbers_that_differ_stay_different() -> None:
    assert canonical("34.5") != canonical("34")
    assert canonical("1234567.8") != canonical("1234567.9")


@pytest.mark.parametrize("text", ["inf", "nan", "1_000", "12a", "", "0x10"])
def test_no_number(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("34.5", (34.5, 34.5)),
        ("30-39", (30, 39)),
        ("30 to 39", (30, 39)),
        ("89+", (89, math.inf)),
        (">= 89", (89, math.inf)),
        ("39-30", None),
        ("1980-05-02", None),
        ("old", None),
        ("", None),
    ],
)
def test_spans(text: str, ends: tuple[float, float] | None) -> None:
    assert span(text) == ends


@pytest.mark.parametrize(
    "text", ["2020-13-01", "2020-02-30", "01.02.2020", "2020", "yesterday", "", "0000-01-01"]
)
def test_no_date(text: str) -> None:
    assert day(text) is None


def test_dates_with_and_without_time_are_one_day() -> None:
    assert day("2020-02-29") == day("2020-02-29T23:59:59.123") == day("20200229") == day("2020-02-29 01:00")
