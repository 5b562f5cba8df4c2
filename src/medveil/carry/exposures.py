"""Exposures: what a folder gives away of its people, by how much it gives away; kinds and counts, never a value.

    direct    names, IDs, birth dates, faces, addresses, drawn text     says who it is
    linking   UIDs, dates, serial numbers, institutions, file names     says it together with another list
    facts     age, sex, size, how the image was made                    says it of few, or of none

What an element of DICOM means is asked of the table of the standard (`protect.header.dicom.rules`), what becomes of
it of the cleaner; a key of a sidecar means what the element means that it is named after; a column of a
table what `core.quasi` takes it for.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from medveil.core import quasi
from medveil.core.cells import is_missing
from medveil.core.errors import InputRefused
from medveil.core.secrets import Key
from medveil.io import bids, tables
from medveil.io.bids import Inventory
from medveil.io.source_identifiers import TABLES, like_dicom, name_words
from medveil.protect.header import vocabulary
from medveil.protect.header.dicom import elements, rules, values
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.rules import Options
from medveil.protect.header.pseudonyms import Pseudonyms
from medveil.protect.header.sidecar import clean_sidecar
from medveil.protect.text.flags import facts_of, risk

Severity = Literal["direct", "linking", "facts"]
SEVERITIES: tuple[Severity, ...] = ("direct", "linking", "facts")
Kind = tuple[Severity, str]

NAMES: Kind = ("direct", "names of people")
NUMBERS: Kind = ("direct", "IDs, addresses and notes about people")
BIRTH: Kind = ("direct", "birth dates")
FACES: Kind = ("direct", "faces, if these are heads")
DRAWN: Kind = ("direct", "text that may be drawn into pictures")
UIDS: Kind = ("linking", "unique identifiers (UIDs)")
DATES: Kind = ("linking", "exact dates and times")
DEVICE: Kind = ("linking", "serial numbers and stations of scanners")
PLACE: Kind = ("linking", "institutions and places")
TEXTS: Kind = ("linking", "free texts, which may hold names")
PRIVATE: Kind = ("linking", "private elements")
UNKNOWN: Kind = ("linking", "entries that no rule knows")
FILES: Kind = ("linking", "names of files and folders")
PACKED: Kind = ("linking", "names and bytes around or behind images")
PERSON: Kind = ("facts", "age, sex, size and the like")
HEALTH: Kind = ("facts", "health: diagnoses, scores, treatment")
MADE: Kind = ("facts", "how the images were made")

_BIRTH_TAGS = (0x00100030, 0x00100032, 0x00100033, 0x00100034)
_OPTIONS: tuple[tuple[str, Kind], ...] = (
    ("modified_dates", DATES), ("uids", UIDS), ("device", DEVICE), ("institution", PLACE),
    ("characteristics", PERSON), ("descriptors", TEXTS), ("structured", TEXTS), ("graphics", DRAWN),
)  # fmt: skip
_REASONS: dict[str, Kind | None] = {  # of the cleaner, where the table does not name the element
    "private": PRIVATE, "safe private": PRIVATE, "safe private of another shape": PRIVATE,
    "safe private of another representation": PRIVATE, "overlay or curve": DRAWN, "new UID": UIDS,
    "group length": None, "file meta": None, "padding": None, "empty": None, "registered UID": None,
    "sequence, its items cleaned": None,
    "character set": None, "risk flag": None, "time zone": DATES,
}  # fmt: skip
_COLUMNS: dict[str, Kind] = {
    "birth date": BIRTH, "date": DATES, "name": NAMES, "contact": NUMBERS, "record number": NUMBERS, "place": PLACE,
    "site": PLACE,
}  # fmt: skip
_HEADER_TEXTS = ("descrip", "aux_file", "db_name", "intent_name", "data_type")
# Modalities that are named in the summary; another value of the field may be anything.
_MODALITIES = frozenset(
    ["CR", "CT", "DX", "ES", "MG", "MR", "NM", "OT", "PT", "RF", "RTDOSE", "RTSTRUCT", "SC", "SEG", "US", "XA", "XC"]
)  # fmt: skip
_CHUNK = 250  # files that one process takes at a time


@dataclass(frozen=True)
class Exposure:
    """One kind of thing that gives people away: how many entries of it, in how many files."""

    severity: Severity
    kind: str
    count: int
    files: int


@dataclass
class Tally:
    """Counts of kinds while files are looked at."""

    entries: Counter[Kind] = field(default_factory=Counter)
    files: Counter[Kind] = field(default_factory=Counter)

    def add(self, kinds: Iterable[Kind] | Mapping[Kind, int]) -> None:
        """Count what one file holds."""
        found = Counter(kinds)
        self.entries.update(found)
        self.files.update(found.keys())

    def add_many(self, kind: Kind, count: int, *, files: int | None = None) -> None:
        """Count `count` entries of one kind, each in a file of its own unless `files` says otherwise."""
        if count > 0:
            self.entries[kind] += count
            self.files[kind] += count if files is None else files

    def exposures(self) -> list[Exposure]:
        """The worst first, and of one severity the most frequent first."""
        rank = {severity: n for n, severity in enumerate(SEVERITIES)}
        order = sorted(self.entries, key=lambda k: (rank[k[0]], -self.files[k], -self.entries[k], k[1]))
        return [Exposure(k[0], k[1], self.entries[k], self.files[k]) for k in order]


@dataclass
class Dicom:
    """What is in the DICOM files of a folder beside what they give away.

    Args:
        files, series: how many.
        modalities: of the series; a value that is no modality counts as "other".
        quarantined: reason to number of files that a release would not take.
        private_creators: how many different makers of private elements there are.
        burned_in: sign of text in the pixels (announced, likely, no sign) to number of files.
    """

    files: int = 0
    series: int = 0
    modalities: dict[str, int] = field(default_factory=dict)
    quarantined: dict[str, int] = field(default_factory=dict)
    private_creators: int = 0
    burned_in: dict[str, int] = field(default_factory=dict)


@cache
def of_element(tag: int) -> Kind | None:
    """What an element gives away if it holds something, by the row of table E.1-1 that names it; None without a row."""
    row = rules.table().get(tag)
    if row is None:
        return None
    if tag in _BIRTH_TAGS:
        return BIRTH
    options = {name for name, _ in row.options}
    for option, kind in _OPTIONS:
        if option in options:
            return kind
    return NAMES if elements.vr(tag) == "PN" else NUMBERS


def of_dicom(inventory: Inventory, tally: Tally, *, jobs: int = 1) -> Dicom:
    """Look at the header of every DICOM file: counts go into `tally`, the rest comes back."""
    from joblib import Parallel, delayed

    paths = [path for series in inventory.series.values() for path in series.paths]
    chunks = [paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK)]
    creators: set[str] = set()
    quarantined: Counter[str] = Counter()
    risks: Counter[str] = Counter()
    for found in Parallel(n_jobs=min(jobs, len(chunks) or 1))(delayed(_headers)(chunk) for chunk in chunks):
        tally.entries.update(found.tally.entries)
        tally.files.update(found.tally.files)
        creators |= found.creators
        quarantined.update(found.quarantined)
        risks.update(found.risks)
    modalities = Counter(
        s.modality if s.modality in _MODALITIES else "other" for s in inventory.series.values()
    )
    return Dicom(len(paths), len(inventory.series), dict(modalities.most_common()),
                 dict(quarantined.most_common()), len(creators), dict(risks.most_common()))  # fmt: skip


@dataclass(repr=False)
class _Headers:
    """What some files hold; goes from one process to another."""

    tally: Tally = field(default_factory=Tally)
    creators: set[str] = field(default_factory=set)
    quarantined: Counter[str] = field(default_factory=Counter)
    risks: Counter[str] = field(default_factory=Counter)


def _headers(paths: Sequence[Path]) -> _Headers:
    from pydicom import dcmread

    out, names = _Headers(), Pseudonyms(Key.new())
    for path in paths:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom's warnings show values
            try:
                header = dcmread(path, stop_before_pixels=True)
                out.creators |= set(_creators(header))
                found = Counter(_kinds(header, names))
                sign = risk(facts_of(header))
            except Quarantine as error:
                out.quarantined[error.reason] += 1
                continue
            except Exception:  # noqa: BLE001 - whatever a broken file does to the parser
                out.quarantined["could not be parsed"] += 1
                continue
        out.risks[sign] += 1
        if sign != "no sign":
            found[DRAWN] += 1
        out.tally.add(found)
    return out


def _kinds(header: Any, names: Pseudonyms) -> Iterator[Kind]:
    """The kind of each entry of a header that holds something.

    Raises:
        Quarantine: a release would not take the file.
    """
    cleaned = clean(header, names, Options())
    empty = {int(tag) for tag, element in header.items() if values.is_empty(element)}
    for counts in (cleaned.tally.dropped, cleaned.tally.replaced, cleaned.tally.kept):
        kept = counts is cleaned.tally.kept
        for path, found in counts.items():
            for (tag, reason), times in found.items():
                if not path and (tag in empty or elements.tag(tag) not in header):
                    continue  # nothing in it, or put there by the cleaner
                kind = (
                    _REASONS[reason]
                    if reason in _REASONS
                    else of_element(tag) or (MADE if kept else TEXTS if reason == "not allowed" else UNKNOWN)
                )
                yield from [kind] * times if kind else []


def _creators(header: Any) -> Iterator[str]:
    for tag, element in header.items():
        if int(tag) >> 16 & 1 and 0x10 <= int(tag) & 0xFFFF <= 0xFF:
            yield "\\".join(values.strings(element))


def of_header(problems: Iterable[str]) -> list[Kind]:
    """What `io.formats.check` found beside an image, as kinds."""
    out = []
    for problem in problems:
        if problem.startswith(("gzip", "bytes")):
            out.append(PACKED)
        elif not problem.startswith(("header field ", "numbers")) or problem[13:] in _HEADER_TEXTS:
            out.append(TEXTS)
        else:
            out.append(MADE)
    return out


def of_sidecar(data: Mapping[str, Any]) -> Iterator[Kind]:
    """The kind of each key of a sidecar, nested ones too."""
    kept, _ = clean_sidecar(data)
    for key, value in data.items():
        yield MADE if key in kept and kept[key] == value else _of_key(key)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from of_sidecar(inner)


def _of_key(key: str) -> Kind:
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(like_dicom(key))
    kind = of_element(tag) if tag is not None else None
    return kind or (MADE if key in vocabulary.REMOVED_KEYS or tag is not None else UNKNOWN)


def of_tables(inventory: Inventory, tally: Tally) -> None:
    """Count the cells of the tables of people and visits that hold something, by what their column is."""
    for place in inventory.tables:
        if not place.name.endswith(TABLES):
            continue
        try:
            rows = tables.read_tsv(inventory.root / place)
        except InputRefused:
            tally.add([UNKNOWN])
            continue
        cells = Counter(c for row in rows for c, cell in row.items() if not is_missing(cell))
        found: Counter[Kind] = Counter()
        for column, count in cells.items():
            if column not in ("participant_id", "session_id", "filename"):
                found[_of_column(column)] += count
        tally.add(found)


def _of_column(column: str) -> Kind:
    kind = quasi.kind_of(column)
    if kind is None:
        return UNKNOWN
    return _COLUMNS.get(kind.name) or (HEALTH if kind.role == "sensitive" else PERSON)


def of_names(inventory: Inventory, tally: Tally) -> None:
    """Count names of files that hold more than words of acquisition; labels of BIDS are not among them."""
    named = [s.place for s in inventory.skipped]
    if inventory.layout != "bids":
        named += [r.place for r in inventory.cohort if r.place and r.place not in inventory.series]
        named += [place for series in inventory.series.values() for place in series.places]
    for place in named:
        if any(True for _ in name_words(PurePosixPath(place))):
            tally.add([FILES])


def of_description(inventory: Inventory, tally: Tally) -> None:
    """Count the texts of dataset_description.json: authors, acknowledgements, where it came from."""
    try:
        said = bids.read_sidecar([inventory.root / "dataset_description.json"])
    except InputRefused:
        return
    tally.add([TEXTS for key in said if key not in ("BIDSVersion", "DatasetType", "License")])
