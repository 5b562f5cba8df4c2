"""Residual: is anything that names the source's people still in the bytes of an output?

    source ──> its names, numbers, dates, UIDs ──spellings──┐
    output ──> every byte, every packed byte, every name ───┴──> residues: how many, of which kind, in which file

A cleaner that says it removed a name is one witness; the bytes that left are another. Values are never shown, and
neither are file names, which could be the leak: a residue gives the kind and the number of the file in the order
of the sorted places, from 1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from medveil.core.errors import InputRefused
from medveil.io.search import Needle, Needles
from medveil.io.spellings import date_spellings, spellings
from medveil.io.unpacking import Found, Unpacker

Kind = Literal["name", "id", "date", "uid", "text"]
Where = Literal["file name", "bytes", "packed bytes", "not searched"]

SHORTEST = 4  # signs of an identifier; fewer stand in every file
SHORTEST_NUMBER = 6  # of one that is digits alone: 4- and 5-digit numbers stand in every table
SHORTEST_ANYWHERE = 6  # shorter ones count only where they stand alone: "mark" is no leak in "benchmark"
_BLOCK = 1 << 20
# Words that fields for names and numbers hold when nobody filled them in, or that every image file holds.
STOP = frozenset(
    """
    anon anonymised anonymized anonymous brain case clinic computed control de-identified deidentified
    derived doctor dummy female frau head herr hospital image institution magnetic male miss missing mister
    mrs none null original other patient phantom philips primary prof radiology redacted removed research
    scan scanner secondary series session siemens test tomography toshiba unknown unspecified volunteer
    """.split()  # noqa: SIM905 - quotes would hide the words
)


@dataclass(frozen=True, repr=False)
class Identifier:
    """One value of the source that must not come out; `kind` says what it is, and only that is ever shown."""

    kind: Kind
    value: str

    def __repr__(self) -> str:
        return f"Identifier({self.kind}, ...)"


@dataclass(frozen=True, order=True)
class Residue:
    """One kind of identifier, found in one output file.

    Args:
        place: number of the file (or folder) among the sorted places of the output, from 1.
        kind: kind of the identifier; '' where a file could not be searched.
        where: in its name, in its bytes, in bytes packed inside it, or not searched to the end.
        count: how many different identifiers of that kind.
    """

    place: int
    kind: str
    where: Where
    count: int = 1


def residues(folder: Path, identifiers: Iterable[Identifier]) -> list[Residue]:
    """Everything of the source that is left in an output folder (or file); [] is good.

    Each identifier is searched whole, and a name also by its parts. Identifiers too short or too common to tell
    anything are not searched (`searchable` says which those are).

    Raises:
        InputRefused: there is no such output, or it can't be read.
    """
    wanted = [i for i in dict.fromkeys(identifiers) if searchable(i)]
    needles = Needles(n for owner, i in enumerate(wanted) for n in needles_of(owner, i))
    out: dict[tuple[int, str, Where], set[int]] = {}
    for number, path in enumerate(places(folder), start=1):
        name = Unpacker(needles)
        name.close(name_of(path, folder))
        found = search_file(path, needles)
        met: dict[Where, set[int]] = {"file name": name.found.plain, "bytes": found.plain,
                                      "packed bytes": found.packed - found.plain}  # fmt: skip
        for where, owners in met.items():
            for owner in owners:
                out.setdefault((number, wanted[owner].kind, where), set()).add(owner)
        if found.incomplete:
            out[number, "", "not searched"] = {0}
    return sorted(Residue(*key, count=len(owners)) for key, owners in out.items())


def searchable(identifier: Identifier) -> bool:
    """Whether finding this value would mean anything: long enough, and no word that every file holds."""
    value = identifier.value.strip().strip("\0").lower()
    if identifier.kind == "uid":
        return len(value) > 10 and not value.startswith("1.2.840.10008.")
    digits = re.sub(r"[\W_]", "", value)
    if digits.isdecimal() and len(digits) < SHORTEST_NUMBER:
        return False
    return len(digits) >= SHORTEST and value not in STOP and len(set(digits)) > 1


def places(folder: Path) -> list[Path]:
    """Every file, link and folder of an output, sorted; a file is its own only place.

    Raises:
        InputRefused: it is not there.
    """
    if not folder.exists():
        raise InputRefused("output: is not there, nothing can be searched")
    return sorted(folder.rglob("*")) if folder.is_dir() else [folder]


def name_of(path: Path, folder: Path) -> bytes:
    """Last part of a place, and where a link points: all that the place itself can give away."""
    target = os.readlink(path) if path.is_symlink() else ""
    return os.fsencode(path.name) + (b"\0" + os.fsencode(target) if target else b"")


def search_file(path: Path, needles: Needles) -> Found:
    """Search the bytes of one file, packed ones too; folders and links have none.

    Raises:
        InputRefused: the system could not read it.
    """
    search, block = Unpacker(needles), b""
    if path.is_file() and not path.is_symlink():
        try:
            with open(path, "rb") as file:
                while following := file.read(_BLOCK):
                    search.feed(block)
                    block = following
        except OSError:
            raise InputRefused("output: a file of it could not be read, so it is not searched") from None
    search.close(block)
    return search.found


def needles_of(owner: int, identifier: Identifier) -> list[Needle]:
    value = identifier.value.strip().strip("\0")
    if identifier.kind == "date" and (day := _day(value)):
        return [Needle(raw, owner, exact) for raw, exact in date_spellings(day).items() if len(raw) >= 6]
    texts = {value}
    if identifier.kind == "name":
        parts = re.split(r"[\^=\s,]+", value)
        texts |= {p for p in parts if searchable(Identifier("name", p))}
    out = []
    for text in texts:
        alone = len(text) < SHORTEST_ANYWHERE and text.isascii()
        for raw, exact in spellings(text).items():
            if len(raw) >= SHORTEST:
                out.append(Needle(raw, owner, exact, alone))
    return out


def _day(value: str) -> date | None:
    for pattern in ("%Y%m%d", "%Y-%m-%d", "%Y.%m.%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(value[: 8 if pattern == "%Y%m%d" else 10], pattern).date()
        except ValueError:
            continue
    return None
