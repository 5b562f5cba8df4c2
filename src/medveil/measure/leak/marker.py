"""Marker: a made-up identifier, planted in one place, that must not come out of any de-identifier.

    class   what a person calls it      "private", "nested", "file names"
    place   where exactly it lies       visit-1/...: (0040,0275).(0040,0007)
    kind    what it looks like          text | date | time | uid | age | number

Each value is drawn once and planted for one purpose, so whatever is found says which place leaked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from medveil.core.errors import InputRefused
from medveil.core.seeds import Seeds
from medveil.io.spellings import date_spellings, spellings

Kind = Literal["text", "date", "time", "uid", "age", "number"]
KINDS = ("text", "date", "time", "uid", "age", "number")
FORMAT, VERSION = "medveil-canaries", 1
_LETTERS = "BCDFGHJKLMNPQRSTVWXYZ"  # no vowels: no word of any format comes out by chance
_TURKISH = "ŞĞİışğ"
_KANJI = "山川森林石田雪風海空松竹梅鶴亀"


@dataclass(frozen=True)
class Marker:
    """One planted value.

    Args:
        group: class of the leak table it counts in.
        format: dicom, nifti or bids.
        file: place of the planted file below the planted folder, '/' between parts.
        place: where in that file.
        kind: what it looks like.
        value: the text (a number marker: the four letters whose bytes are the number).
    """

    group: str
    format: str
    file: str
    place: str
    kind: Kind
    value: str

    def spellings(self) -> list[tuple[bytes, bool]]:
        """The bytes to look for, and whether their case matters; at least one, each of 4 bytes or more."""
        if self.kind in ("number", "age"):
            raw = self.value.encode()
            return [(raw, True)] if self.kind == "age" else [(raw, True), (raw[::-1], True)]
        found = spellings(self.value)
        if self.kind == "date":
            y, m, d = int(self.value[:4]), int(self.value[4:6]), int(self.value[6:8])
            found = date_spellings(date(y, m, d))
        if self.kind == "time":
            h, m_, s = self.value[:2], self.value[2:4], self.value[4:]
            found |= spellings(f"{h}:{m_}:{s}")
        least = 6 if self.kind == "text" and not self.value.isascii() else 8
        return [(raw, exact) for raw, exact in found.items() if len(raw) >= least]

    def to_json(self) -> dict[str, Any]:
        """The marker with its spellings in hexadecimal, for a key file any tool can use."""
        coded = [{"hex": raw.hex(), "exact": exact} for raw, exact in self.spellings()]
        return {**vars(self), "spellings": coded}

    @staticmethod
    def from_json(row: Any) -> Marker:
        """A marker from a key file.

        Raises:
            InputRefused: a field is missing or of another type.
        """
        names = ("group", "format", "file", "place", "kind", "value")
        if not isinstance(row, dict) or not all(isinstance(row.get(n), str) and row[n] for n in names):
            raise InputRefused("key: a marker lacks a field, or holds one that is no text")
        if row["kind"] not in KINDS:
            raise InputRefused("key: a marker has a kind that is not known")
        return Marker(**{n: row[n] for n in names})


@dataclass
class Mint:
    """Draws values no other draw gives, and notes where each was planted.

    Args:
        seeds: where the values come from; the same seeds give the same values.
    """

    seeds: Seeds
    markers: list[Marker] = field(default_factory=list)
    file: str = ""
    format: str = "dicom"

    def __post_init__(self) -> None:
        self._rng = self.seeds.stream("measure/leak/mint")
        self._seen: set[str] = set()

    def plant(self, group: str, place: str, kind: Kind = "text") -> str:
        """A new value, noted as planted in the current file."""
        value = self.draw(kind)
        self.note(group, place, kind, value)
        return value

    def note(self, group: str, place: str, kind: Kind, value: str) -> None:
        """Note a value that was drawn before as planted here."""
        self.markers.append(Marker(group, self.format, self.file, place, kind, value))

    def draw(self, kind: Kind = "text") -> str:
        """A new value, not noted."""
        while (value := self._draw(kind)) in self._seen:
            pass
        if kind != "age":
            self._seen.add(value)
        return value

    def letters(self, alphabet: Sequence[str], count: int) -> str:
        """A new word over an alphabet, not noted."""
        while (word := "".join(self._rng.choice(list(alphabet), count))) in self._seen:
            pass
        self._seen.add(word)
        return word

    def turkish(self) -> str:
        """A word that ISO 8859-9 stores in one byte a letter and UTF-8 does not."""
        return self.letters(_TURKISH, 8)

    def kanji(self) -> str:
        """A word of JIS X 0208."""
        return self.letters(_KANJI, 6)

    def _draw(self, kind: Kind) -> str:
        rng: np.random.Generator = self._rng
        if kind == "text":
            return "ZQ" + "".join(rng.choice(list(_LETTERS), 9))
        if kind == "number":
            return "".join(rng.choice(list(_LETTERS), 4))
        if kind == "date":
            return f"{date(1927, 1, 1) + timedelta(days=int(rng.integers(0, 13000))):%Y%m%d}"
        if kind == "time":
            h, m, s, f = (int(rng.integers(0, n)) for n in (24, 60, 60, 1_000_000))
            return f"{h:02d}{m:02d}{s:02d}.{f:06d}"
        if kind == "uid":
            return f"1.3.6.1.4.1.5962.{rng.integers(10**8, 10**9)}.{rng.integers(10**8, 10**9)}"
        return "094Y"
