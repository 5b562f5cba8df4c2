"""Leak table: of the markers planted in each class, how many came out.

    marker ── found in an output ────────────────────────────> leaked (or allowed, if its place was declared)
           ── not found, its file has an output ─────────────> kept out
           ── not found, its file has to have one, hasn't ───> missing: no success, nothing was proved

The last line closes a hole of the MIDI-B scorer, for which a file that is not there has no name left in it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from medveil.core.estimate import Estimate
from medveil.measure.leak.marker import Marker


@dataclass(frozen=True)
class Row:
    """One class of the table; leaked + allowed + missing + kept out = planted."""

    group: str
    planted: int
    leaked: int
    allowed: int
    missing: int

    @property
    def kept_out(self) -> int:
        return self.planted - self.leaked - self.allowed - self.missing


@dataclass(frozen=True)
class LeakTable:
    """What came out, by class and marker by marker (markers are made up, so they may be shown)."""

    rows: tuple[Row, ...]
    leaked: tuple[Marker, ...]
    allowed: tuple[Marker, ...]
    missing_files: tuple[str, ...]

    @property
    def total(self) -> Row:
        """All classes together."""
        sums = [sum(getattr(r, n) for r in self.rows) for n in ("planted", "leaked", "allowed", "missing")]
        return Row("total", *sums)

    def estimate(self) -> Estimate:
        """Share of the planted markers that leaked."""
        total = self.total
        return Estimate(
            "leaked_share",
            total.leaked / total.planted if total.planted else None,
            n=total.planted,
            better="lower",
            note="share of planted markers found in the output; a count over one planted set, so it has no interval",
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": [{**asdict(r), "kept_out": r.kept_out} for r in (*self.rows, self.total)],
            "leaked": [_shown(m) for m in self.leaked],
            "allowed": [_shown(m) for m in self.allowed],
            "missing_files": list(self.missing_files),
            "leaked_share": self.estimate().to_json(),
        }

    def lines(self) -> list[str]:
        """What a person reads."""
        width = max(len(r.group) for r in (*self.rows, self.total))
        out = [f"{'class':<{width}}  planted  leaked  allowed  missing"]
        for r in (*self.rows, self.total):
            out.append(f"{r.group:<{width}}  {r.planted:7d}  {r.leaked:6d}  {r.allowed:7d}  {r.missing:7d}")
        out += [f"leaked: {m.group}: {m.place}" for m in self.leaked]
        out += [f"missing: {place}" for place in self.missing_files]
        return out


def leak_table(
    markers: Sequence[Marker],
    found: Collection[int],
    missing_files: Collection[str] = (),
    allowed: Collection[str] = (),
) -> LeakTable:
    """Sort every marker into the table.

    Args:
        markers: all that were planted.
        found: numbers (places in `markers`) of those that are in the output.
        missing_files: planted files that have to have an output and have none.
        allowed: places or classes that the de-identifier declares to keep, exactly as markers name them.
    """
    groups: dict[str, list[int]] = {}
    for number, marker in enumerate(markers):
        groups.setdefault(marker.group, []).append(number)
    met = set(found)
    permitted = {n for n in met if {markers[n].place, markers[n].group} & set(allowed)}
    absent = {n for n, m in enumerate(markers) if n not in met and m.file in set(missing_files)}
    rows = tuple(
        Row(group, len(ns), len((met - permitted) & set(ns)), len(permitted & set(ns)), len(absent & set(ns)))
        for group, ns in groups.items()
    )
    leaked = tuple(markers[n] for n in sorted(met - permitted))
    return LeakTable(
        rows, leaked, tuple(markers[n] for n in sorted(permitted)), tuple(sorted(set(missing_files)))
    )


def summed(tables: Mapping[str, LeakTable]) -> list[str]:
    """Several de-identifiers side by side, markers leaked: one line a class, one column each."""
    names = list(tables)
    groups = [r.group for r in next(iter(tables.values())).rows] + ["total"]
    planted = {r.group: r.planted for t in tables.values() for r in (*t.rows, t.total)}
    cells = {n: {r.group: r.leaked for r in (*t.rows, t.total)} for n, t in tables.items()}
    out = ["| class | planted | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    out += [
        f"| {g} | {planted[g]} | " + " | ".join(str(cells[n].get(g, 0)) for n in names) + " |" for g in groups
    ]
    return out


def _shown(marker: Marker) -> dict[str, str]:
    return {"group": marker.group, "format": marker.format, "file": marker.file, "place": marker.place}
