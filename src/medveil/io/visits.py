"""Visits: when each person was scanned, as the tables of a BIDS folder say.

    sub-01/sub-01_sessions.tsv              session_id  acq_time
    sub-01/ses-1/sub-01_ses-1_scans.tsv     filename    acq_time

Both are read; the same visit told twice is the same day, and so counts once.
"""

from __future__ import annotations

from medveil.core.cells import is_missing
from medveil.core.errors import InputRefused
from medveil.io import tables
from medveil.io.bids import Inventory

COLUMN = "acq_time"


def visits(inventory: Inventory) -> tuple[dict[str, list[str]], int]:
    """Dates of each subject's visits, by label; and how many tables could not be read."""
    found: dict[str, list[str]] = {}
    unread = 0
    for place in inventory.tables:
        subject = place.parts[0]
        if not place.name.endswith(("scans.tsv", "sessions.tsv")) or not subject.startswith("sub-"):
            continue
        try:
            rows = tables.read_tsv(inventory.root / place)
        except InputRefused:
            unread += 1
            continue
        dates = [row.get(COLUMN, "") for row in rows]
        found.setdefault(subject, []).extend(d for d in dates if not is_missing(d))
    return {subject: dates for subject, dates in found.items() if dates}, unread
