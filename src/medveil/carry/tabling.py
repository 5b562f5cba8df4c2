"""Tabling: what the participants table gives away, as it came and as it leaves."""

from __future__ import annotations

from collections.abc import Mapping

from medveil.carry.naming import Naming
from medveil.carry.protecting import Protected
from medveil.core.cohort import Cohort
from medveil.core.table_risk import TableRisk
from medveil.io.bids import Inventory
from medveil.io.visits import visits
from medveil.measure.tables.assess import assess


def told(inventory: Inventory, protected: Protected, naming: Naming) -> dict[str, TableRisk]:
    """The risk of the table under `original` and `release`; a side without a table is left out.

    Days between visits leave with a key, which moves dates; without one they count for the original only.
    """
    names = naming.pseudonyms() if inventory.layout == "bids" else None
    dates = {names.subject(who): days for who, days in visits(inventory)[0].items()} if names else {}
    both = {"original": risk(inventory), "release": _risk(protected.cohort, dates)}
    return {label: found for label, found in both.items() if found is not None}


def risk(inventory: Inventory) -> TableRisk | None:
    """The risk of a folder's participants table and of the dates of its visits; None if there is no table."""
    return _risk(inventory.cohort, visits(inventory)[0])


def _risk(cohort: Cohort, dates: Mapping[str, list[str]]) -> TableRisk | None:
    rows = list(cohort.participants.values())
    return assess(rows, visits=dates) if rows else None
