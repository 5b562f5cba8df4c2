"""Visits: scans.tsv and sessions.tsv leave as two columns, a new name and a moved time.

    filename                        acq_time                       any other column
    anat/sub-01_T1w.nii.gz          2024-03-01T10:20:30            goes, whatever it holds
      │ renamed                       │ moved by the person's days
    anat/sub-K3F..._T1w.nii.gz      2022-11-14T10:20:30

Days move, the time of day stays to the fraction of a second: what lies between two scans of a person is exactly what it
was. What is no date as BIDS writes one becomes n/a. Only with a key: without one nothing can move a date, so both
tables stay behind.
"""

from __future__ import annotations

from collections.abc import Mapping

from medveil.protect.header.dates import MISSING, shift_iso

SCAN, SESSION, TIME = "filename", "session_id", "acq_time"


def clean_visits(column: str, times: Mapping[str, str], days: int) -> list[dict[str, str]]:
    """The rows of one table of one person, in the order given.

    Args:
        column: SCAN or SESSION.
        times: new name to the acq_time of the source.
        days: the person's shift.

    >>> clean_visits(SESSION, {"ses-1": "2024-03-01T10:20:30", "ses-2": "spring"}, -1)
    [{'session_id': 'ses-1', 'acq_time': '2024-02-29T10:20:30'}, {'session_id': 'ses-2', 'acq_time': 'n/a'}]
    """
    return [{column: name, TIME: shift_iso(time, days) or MISSING} for name, time in times.items()]
