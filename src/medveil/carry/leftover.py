"""Leftover: what of a source is still in the bytes of its release, by a search of every one of them.

    source ──> names, IDs, texts, UIDs ──────────────────────────┐
           └─> days of each person, but those that a shifted day ┴──> search ──> lines without a value
               of the same person happens to equal

What a release holds on purpose is no leftover: labels of BIDS that no key has changed, elements that an option of the
header step keeps, acquisition words, medveil's own words in its own pages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import medveil
from medveil.carry.naming import Naming, places_of
from medveil.io.bids import Inventory
from medveil.io.chance import left_behind
from medveil.io.residual import Identifier, Residue, places
from medveil.io.source_identifiers import identifiers_by_subject
from medveil.protect.header.dates import day_of
from medveil.protect.header.dicom import Dicom
from medveil.protect.header.dicom.terms import PROTOCOL_WORDS

KEPT_BY = {
    "device": ("DeviceSerialNumber", "StationName", "PerformedStationName"),
    "institution": ("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"),
}
_FARTHEST_SHIFT = 731  # days that a key moves dates by at most, when nobody knows the key


@dataclass(frozen=True)
class Leftover:
    """What a search found.

    Args:
        searched: how many identifiers were looked for.
        problems: one line for each kind in each place; a place is a number in the sorted list of files and folders.
    """

    searched: int
    problems: list[str]


def leftover(
    release: Path, inventory: Inventory, steps: Sequence[dict[str, Any]], naming: Naming, *, keyed: bool
) -> Leftover:
    """Search every byte of a release for what its source says about people.

    Args:
        release: the folder that medveil wrote.
        inventory: of the source.
        steps: of the manifest, whose options say what is kept on purpose.
        naming: with the release's key if it is known.
        keyed: whether the release was made by a key.

    Raises:
        InputRefused: a file of either could not be read.
    """
    header = next((s for s in steps if s.get("use") == Dicom.name), {})
    without = [k for option, keywords in KEPT_BY.items() if header.get(option) for k in keywords]
    kinds = [kind for kind, option in (("date", "full_dates"), ("uid", "uids")) if header.get(option)]
    own = (
        ""
        if keyed or inventory.layout != "bids"
        else " ".join(map(str, places_of(inventory, Naming()))).lower()
    )
    by_subject = {
        subject: [
            i for i in found if i.kind not in kinds and not _means_nothing(i) and not _stands_in(i, own)
        ]
        for subject, found in identifiers_by_subject(inventory, without=without).items()
    }
    everything = list(dict.fromkeys(i for found in by_subject.values() for i in found))
    numbers = {path: n for n, path in enumerate(places(release), start=1)}
    everywhere = [i for i in everything if i.kind != "date" or not keyed]
    found = _in(release, everywhere, numbers)
    if keyed:
        found |= _days(release, by_subject, naming, numbers)
    total = len(numbers)
    return Leftover(len(everything), [_line(residue, total) for residue in sorted(found)])


def _in(place: Path, identifiers: Iterable[Identifier], numbers: dict[Path, int]) -> set[Residue]:
    """Residues below a place, with the numbers that its files and folders have in the whole release."""
    own = places(place)
    return {
        Residue(numbers[own[r.place - 1]], r.kind, r.where, r.count)
        for r in left_behind(place, identifiers, own_words)
    }


def _days(
    release: Path, by_subject: dict[str, list[Identifier]], naming: Naming, numbers: dict[Path, int]
) -> set[Residue]:
    """Days of the source that no key has moved there.

    A day that somebody's moved day equals proves nothing elsewhere, but in the files of the person it was of: there
    only that person's moved days belong.
    """
    pseudonyms = naming.pseudonyms()
    days = {
        s: {d for i in found if i.kind == "date" and (d := day_of(i.value))}
        for s, found in by_subject.items()
    }
    every = {day for own in days.values() for day in own}
    if pseudonyms is None:
        near = {d for d in every if any(d < other <= d + timedelta(_FARTHEST_SHIFT) for other in every)}
        return _in(release, _dates(every - near), numbers)
    moved = {
        subject: {day + timedelta(pseudonyms.date_shift_days(subject)) for day in own}
        for subject, own in days.items()
        if subject
    }
    anybodys = {day for own in moved.values() for day in own}
    found = _in(release, _dates(every - anybodys), numbers)
    for subject, own in moved.items():
        folder = release / pseudonyms.subject(subject)
        left = (days[subject] & anybodys) - own
        if left and folder.is_dir():
            found |= _in(folder, _dates(left), numbers)
    return found


def _dates(days: Collection[date]) -> list[Identifier]:
    return [Identifier("date", f"{day:%Y%m%d}") for day in sorted(days)]


def _means_nothing(identifier: Identifier) -> bool:
    """Whether a text is made of acquisition words alone, which a release may hold as well."""
    if identifier.kind in ("date", "uid"):
        return False
    words = re.findall(r"[^\W_]+", identifier.value)
    return all(len(w) <= 2 or w.upper() in PROTOCOL_WORDS for w in words)


def _stands_in(identifier: Identifier, kept: str) -> bool:
    """Whether names of the release hold it on purpose."""
    day = day_of(identifier.value) if identifier.kind == "date" else None
    text = f"{day:%Y%m%d}" if day else identifier.value.strip().lower()
    return text in kept


def _line(residue: Residue, total: int) -> str:
    at = f"place {residue.place} of {total}"
    if not residue.kind:
        return f"{at}: could not be searched to the end"
    what = {"id": "ID", "uid": "UID"}.get(residue.kind, residue.kind)
    many = what if residue.count == 1 else f"{what}s"
    return f"{at}: {residue.count} {many} of the source left in its {'name' if residue.where == 'file name' else residue.where}"


@cache
def own_words() -> frozenset[str]:
    """Words that medveil writes whoever its documents are about: those in its texts, without comments and docstrings."""
    words: set[str] = set()
    root = Path(medveil.__file__).parent
    rooms = [
        root / room
        for room in (
            "report",
            "core",
            "attack",
            "protect/deface",
            "measure/guesses",
            "measure/tables",
            "carry",
        )
    ]
    for path in sorted(p for room in rooms for p in room.rglob("*") if p.suffix in (".py", ".j2", ".css")):
        text = path.read_text(encoding="utf-8")
        for piece in _constants(text) if path.suffix == ".py" else [text]:
            words |= set(re.findall(r"[^\W_]{4,}", piece.lower()))
    return frozenset(words)


def _constants(source: str) -> list[str]:
    tree = ast.parse(source)
    docs = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    return [n.value for n in ast.walk(tree)
            if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in docs]  # fmt: skip
