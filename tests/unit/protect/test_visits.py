"""Visits: two columns, moved days, times of day kept; the same number of days as in DICOM files."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medveil.protect.header.dates import shift_da
from medveil.protect.header.sidecar import clean_sidecar
from medveil.protect.header.visits import SCAN, SESSION, TIME, clean_visits

MOMENTS = st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2045, 1, 1)), min_size=1, max_size=5)
DAYS = st.integers(-36_525, -1)


def test_a_row_by_hand() -> None:
    rows = clean_visits(SCAN, {"anat/x_T1w.nii.gz": "2024-03-01T10:20:30.123456"}, -1)
    assert rows == [{"filename": "anat/x_T1w.nii.gz", "acq_time": "2024-02-29T10:20:30.123456"}]


@pytest.mark.parametrize(
    "time",
    ["", "n/a", "Jane", "born 1970", "01/03/2024", "2024-02-30", "2024-03-01T10:20:30 Jane", "20240301T102030",
     "0001-01-01", "2024-03-01T25:00:00", "1.7e9"],
)  # fmt: skip
def test_what_is_no_date_becomes_missing(time: str) -> None:
    assert clean_visits(SESSION, {"ses-1": time}, -1) == [{"session_id": "ses-1", "acq_time": "n/a"}]


@given(MOMENTS, DAYS)
def test_what_lies_between_stays_exactly_and_is_what_dicom_says(moments: list[datetime], days: int) -> None:
    times = {f"ses-{n}": moment.isoformat() for n, moment in enumerate(moments)}
    new = [datetime.fromisoformat(row[TIME]) for row in clean_visits(SESSION, times, days)]
    assert [after - before for after, before in zip(new, moments, strict=True)] == [timedelta(days)] * len(
        new
    )
    assert [f"{after:%Y%m%d}" for after in new] == [shift_da(f"{m:%Y%m%d}", days) for m in moments]


@given(st.datetimes(datetime(1990, 1, 1), datetime(2045, 1, 1)), DAYS)
def test_a_sidecar_keeps_the_day_alone_moved_as_tables_are(moment: datetime, days: int) -> None:
    kept, removed = clean_sidecar(
        {"AcquisitionDateTime": moment.isoformat(), "AcquisitionDate": f"{moment:%Y%m%d}"}, days
    )
    day = clean_visits(SCAN, {"x": moment.date().isoformat()}, days)[0][TIME]
    assert kept == {"AcquisitionDateTime": day, "AcquisitionDate": day}
    assert date.fromisoformat(day) == moment.date() + timedelta(days)
    assert removed == []


@pytest.mark.parametrize(
    "value", ["Jane", "2024", "2024-03", "", 20240301, None, ["2024-03-01"], "2024-02-30"]
)
def test_a_sidecar_date_that_is_no_day_goes(value: object) -> None:
    assert clean_sidecar({"AcquisitionDateTime": value}, -1) == ({}, ["AcquisitionDateTime"])


@pytest.mark.parametrize(
    "key", ["AcquisitionTime", "StudyDate", "SeriesDate", "ContentDate", "PatientBirthDate"]
)
def test_other_dates_and_times_of_a_sidecar_go_even_with_a_key(key: str) -> None:
    assert clean_sidecar({key: "2024-03-01"}, -1) == ({}, [key])
