"""Assess: a table in, all its risks out.

rows ──columns by name──> quasi-identifiers ──classes──> k, uniques, prosecutor
                                  │               └──population──> journalist, marketer
                                  ├──combinations──> which few facts single people out
                                  └──classes──> l-diversity, t-closeness of the sensitive columns
visits ──gaps──> who is known by the days between their visits
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from medveil.core.cells import is_missing, number
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.quasi import Column, columns_of, judged, kind_of
from medveil.core.table_risk import SensitiveRisk, TableRisk
from medveil.measure.tables.classes import MISSING_CODE, Classes, Missing, encoded
from medveil.measure.tables.closeness import closeness
from medveil.measure.tables.combinations import singled_out
from medveil.measure.tables.diversity import diversity, sensitive_codes
from medveil.measure.tables.gaps import gap_risk
from medveil.measure.tables.intervals import below_interval, mean_risk_interval, uniques_interval
from medveil.measure.tables.population import Population

ROW_NAME = "participant_id"
SHOWN_PER_SIZE = 10
"""Combinations of each size that are kept for the report."""
_HOW = {
    "own": "a missing cell counts as a value of its own, so no class is larger than it may be",
    "any": "a missing cell fits every value, so rows with gaps hide others and themselves",
}


def assess(
    rows: Sequence[Mapping[str, str]],
    *,
    quasi: Sequence[str] | None = None,
    sensitive: Sequence[str] | None = None,
    missing: Missing = "own",
    population: Population | None = None,
    visits: Mapping[str, Sequence[str]] | None = None,
    upto: int = 4,
) -> TableRisk:
    """Everything that a table of participants gives away.

    Args:
        rows: one row a person, cells by column, as `participants.tsv` is read.
        quasi, sensitive: names of columns; None to guess from their names.
        missing: how a missing cell counts, see `classes`.
        population: among whom somebody would look who does not know who is in the table; None: not measured.
        visits: dates of each person's visits.
        upto: largest combination of columns that is looked at, 1 to 4.

    Raises:
        UsageError: no rows, a person with two rows, an unknown setting, a named column that is not there.
    """
    if not rows:
        raise UsageError("table: has no rows")
    if missing not in _HOW:
        raise UsageError("table: missing must be `own` or `any`")
    _refuse_twins(rows)
    names = columns_of(rows)
    columns = judged(names, quasi=quasi, sensitive=sensitive)
    chosen = [name for name in names if columns[name].role == "quasi-identifier"]
    wanted = [name for name in names if columns[name].role == "sensitive"]
    estimates = dict(gap_risk(visits or {}))
    old, fractions = _ages(rows, [c for c in names if _is_age(c)])
    warnings = _warnings(columns, old, fractions, len(rows))
    if not chosen:
        return TableRisk(
            len(rows), tuple(columns.values()), _HOW[missing], 0, estimates, ages_over_89=old,
            ages_with_fraction=fractions,
            warnings=(*warnings, "no column was taken for a quasi-identifier: k and uniques are not measured"),
        )  # fmt: skip
    codes = encoded(rows, chosen)
    classes = Classes.of(codes, missing)
    estimates |= _prosecutor(classes, missing)
    if population is not None:
        estimates |= _among_all(rows, chosen, classes, population)
    found, left_out = singled_out(codes, [columns[c].label for c in chosen], upto=upto, missing=missing)
    kept: Counter[int] = Counter()
    shown = []
    for one in found:
        kept[len(one.columns)] += 1
        if kept[len(one.columns)] <= SHOWN_PER_SIZE:
            shown.append(one)
    return TableRisk(
        rows=len(rows),
        columns=tuple(columns.values()),
        missing=_HOW[missing],
        missing_cells=int((codes == MISSING_CODE).sum()),
        estimates=estimates,
        combinations=tuple(shown),
        combinations_left_out=left_out,
        sensitive=tuple(_sensitive(classes, rows, c, columns[c].label) for c in wanted),
        ages_over_89=old,
        ages_with_fraction=fractions,
        warnings=warnings,
    )


def _prosecutor(classes: Classes, missing: Missing) -> dict[str, Estimate]:
    """Risks from somebody who knows that a person is in the table."""
    n, matches = classes.n, classes.matches
    how = _HOW[missing]
    low, high = uniques_interval(classes)
    mean_low, mean_high = mean_risk_interval(classes) or (None, None)
    out = [
        Estimate("k", float(classes.smallest), n=n, better="higher",
                 note=f"how many rows the least common row looks like; {how}"),
        Estimate("sample_uniques", classes.uniques / n, low, high, n=n, better="lower",
                 note="share of rows that look like no other; interval for other samples of this size, by "
                 f"occupancy (a bootstrap repeats rows and so hides uniques); {how}"),
        Estimate("prosecutor_max", 1.0 / classes.smallest, n=n, better="lower", chance=1.0 / n,
                 note="chance to pick the right row of the person easiest to find, for somebody who knows that "
                 f"the person is in the table; {how}"),
        Estimate("prosecutor_mean", float((1.0 / matches).mean()), mean_low, mean_high, n=n, better="lower",
                 chance=1.0 / n, note="the same on average over all rows (jackknife interval)"),
    ]  # fmt: skip
    for size in (5, 11):
        share = float((matches < size).mean())
        low, high = below_interval(classes, size)
        out.append(
            Estimate(f"below_{size}", share, low, high, n=n, better="lower",
                     note=f"share of rows that look like fewer than {size} (jackknife or Wilson interval, the wider)")
        )  # fmt: skip
    return {e.name: e for e in out}


def _among_all(
    rows: Sequence[Mapping[str, str]], chosen: Sequence[str], classes: Classes, population: Population
) -> dict[str, Estimate]:
    """Risks from somebody who does not know who is in the table."""
    found = population.among_all(rows, chosen, classes)
    n, chance = classes.n, 1.0 / found.size
    uniques = classes.matches == 1
    out = [
        Estimate("journalist_max", float(found.inverse.max()), n=n, better="lower", chance=chance,
                 note=f"chance to pick the right person for the row easiest to find, {found.note}"),
        Estimate("marketer", float(found.inverse.mean()), n=n, better="lower", chance=chance,
                 note=f"share of rows that would be linked rightly if all were linked, {found.note}"),
        Estimate("population_uniques", float(found.alone[uniques].mean()) if uniques.any() else None,
                 n=int(uniques.sum()), better="lower",
                 note=f"of the unique rows, the share that nobody else looks like, {found.note}"),
    ]  # fmt: skip
    return {e.name: e for e in out}


def _sensitive(classes: Classes, rows: Sequence[Mapping[str, str]], column: str, label: str) -> SensitiveRisk:
    found = (*diversity(classes, sensitive_codes(rows, column)), closeness(classes, rows, column))
    return SensitiveRisk(label, {e.name: e for e in found})


def _refuse_twins(rows: Sequence[Mapping[str, str]]) -> None:
    labels = [row[ROW_NAME] for row in rows if not is_missing(row.get(ROW_NAME, ""))]
    twice = sum(count > 1 for count in Counter(labels).values())
    if twice:
        raise UsageError(
            f"table: {twice} participants have more than one row, expected one row a person",
            hint="dates of several visits are given as visits, not as rows",
        )


def _is_age(name: str) -> bool:
    kind = kind_of(name)
    return kind is not None and kind.name == "age"


def _ages(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> tuple[int, int]:
    """Rows with an age of 90 or more (HIPAA: all ages over 89 in one group), and rows with parts of a year."""
    old = fractions = 0
    for row in rows:
        ages = [a for a in (number(row.get(c, "")) for c in columns) if a is not None]
        old += any(np.floor(a) > 89 for a in ages)
        fractions += any(a != np.floor(a) for a in ages)
    return old, fractions


def _warnings(columns: Mapping[str, Column], old: int, fractions: int, n: int) -> tuple[str, ...]:
    """What a steward should read first; counts and labels only."""
    said = []
    direct = [c.label for name, c in columns.items() if c.role == "identifier" and c.kind != "participant"]
    if direct:
        said.append("columns that name people: " + ", ".join(direct))
    unknown = [c.label for c in columns.values() if c.role == "not judged" and not c.kind]
    if unknown:
        said.append("columns that no rule knows, so nobody counted them: " + ", ".join(unknown))
    if old:
        said.append(
            f"{old} of {n} people are given with an age over 89; 45 CFR 164.514 wants them in one group"
        )
    if fractions:
        said.append(
            f"{fractions} of {n} ages have parts of a year, which single out more than whole years do"
        )
    return tuple(said)
