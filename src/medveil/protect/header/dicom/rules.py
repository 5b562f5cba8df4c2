"""Table E.1-1 of DICOM PS3.15 as data, and the options that soften it: what becomes of an element it names.

    basic profile:  X remove   Z empty   D dummy value   U new unique identifier
    options:        K keep     C clean

A combined code (Z/D, X/Z, X/Z/D ...) leaves the choice to the type of the attribute in its object. Without that
knowledge the right-most is taken: it is valid for every type. The table is `table.tsv`, written by
`benchmarks/metadata/make_table.py` from the standard; its first lines say which edition it is.

Source: DICOM PS3.15, Annex E (table E.1-1, options E.3.1 to E.3.12), codes CID 7050.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Literal

from medveil.core.errors import UsageError

Action = Literal["X", "Z", "D", "U", "K", "C"]
ODD = "odd"  # the row of all private attributes


@dataclass(frozen=True)
class Options:
    """Which options of the confidentiality profiles apply on top of the basic profile.

    Args:
        modified_dates: shift the dates of a subject by one number of days (intervals stay); otherwise dates go.
        full_dates: keep dates and times as they are.
        times: keep times of day where dates are shifted or kept. They hold the intervals within a visit (and the decay
            of PET), but exact to the fraction of a second they also fit a hospital's log; without, they go.
        issuers: tell equal patient IDs of several issuers apart. BIDS files know no issuer.
        safe_private: keep the private elements known to hold acquisition facts only (`private.SAFE`).
        uids: keep unique identifiers as they are.
        device: keep the identity of the scanner (serial numbers, station).
        institution: keep the identity of the institution.
        characteristics: keep age (grouped from 90 years on), sex, size and weight.
        descriptors: keep descriptions, but only their words that are known acquisition words.
        structured: keep content trees, each item cleaned.
        graphics: keep graphic annotations, each item cleaned; overlay planes and curves always go.
        secondary_capture: take screen captures, which often carry burned-in names.
        structured_reports: take structured reports and presentation states.
    """

    modified_dates: bool = True
    full_dates: bool = False
    times: bool = True
    issuers: bool = False
    safe_private: bool = True
    uids: bool = False
    device: bool = False
    institution: bool = False
    characteristics: bool = False
    descriptors: bool = False
    structured: bool = False
    graphics: bool = False
    secondary_capture: bool = False
    structured_reports: bool = False

    def __post_init__(self) -> None:
        if self.modified_dates and self.full_dates:
            raise UsageError(
                "dicom options: dates are kept or shifted, not both", hint="choose one of the two"
            )

    def describe(self) -> str:
        """The options in words."""
        on = [f.name.replace("_", " ") for f in fields(self) if getattr(self, f.name)]
        return "basic profile" + (f" with {', '.join(on)}" if on else "")


@dataclass(frozen=True)
class Row:
    """One row: the action of the basic profile, and those of the options that name it."""

    basic: str
    options: tuple[tuple[str, str], ...] = ()

    def action(self, options: Options) -> Action:
        """What becomes of the element. Where two options speak, cleaning wins over keeping."""
        said = {what for name, what in self.options if getattr(options, name)}
        if "C" in said:
            return "C"
        if "K" in said:
            return "K"
        return _mildest(self.basic)


def basic_action(row: Row) -> Action:
    """What the basic profile does, without any option."""
    return _mildest(row.basic)


def _mildest(code: str) -> Action:
    """The right-most of a combined code.

    >>> _mildest("X/Z"), _mildest("X/Z/D"), _mildest("X/Z/U*"), _mildest("X")
    ('Z', 'D', 'U', 'X')
    """
    last = code.rsplit("/", maxsplit=1)[-1].rstrip("*")
    if last not in ("X", "Z", "D", "U"):
        raise UsageError(f"confidentiality table: action {code!r} is unknown")
    return last  # type: ignore[return-value]


@cache
def table() -> dict[int, Row]:
    """Tag (as a number) to row, for all plain tags; patterns (50xx, 60xx, odd groups) are the engine's own."""
    return {int(tag, 16): row for tag, row in _rows() if "x" not in tag and tag != ODD}


@cache
def edition() -> str:
    """Which table this is: the source as stamped, and the first signs of its SHA-256."""
    head = [line for line in _text().splitlines() if line.startswith("# ")]
    stamped = {k: v for k, _, v in (line[2:].partition(": ") for line in head)}
    return f"{stamped['edition']} (sha256 {stamped['sha256 of the source'][:12]})"


def patterns() -> dict[str, Row]:
    """The rows that are no plain tag: `50xxxxxx`, `60xx3000`, `60xx4000`, `odd`."""
    return {tag: row for tag, row in _rows() if "x" in tag or tag == ODD}


def _rows() -> list[tuple[str, Row]]:
    rows = []
    for line in _text().splitlines():
        if line.startswith("#"):
            continue
        tag, basic, *rest = line.split("\t")
        pairs = [part.partition("=") for part in (rest[0].split() if rest else [])]
        rows.append((tag, Row(basic, tuple((name, what) for name, _, what in pairs))))
    return rows


@cache
def _text() -> str:
    return (files("medveil.protect.header.dicom") / "table.tsv").read_text(encoding="utf-8")
