"""Score rows: a score table read line by line, in memory that does not grow with it.

    line ──csv──> cells ──┬── (probe subject, image) ────> a number for each label, given once
                          ├── (gallery subject, image) ──> likewise
                          └── score ─────────────────────> float64
                                 a few hundred thousand at a time: Chunk

Errors name the line and the column, never what stands there.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from medveil.core.claims import COLUMNS, PairClaims
from medveil.core.errors import InputRefused

FORMULA = ("=", "+", "-", "@", "\t", "\r")
DEFAULTS = {"probe_image": "", "gallery_image": "", "attack": "external", "condition": "release"}
_NEEDED = ("probe_subject", "gallery_subject", "score")
_LONGEST = 1 << 20  # characters in a line
_CHUNK = 1 << 17  # rows
_UTF8 = "save it as CSV in UTF-8"

RECORD = np.dtype([("group", "<i4"), ("probe", "<i4"), ("gallery", "<i4"), ("line", "<i8"), ("score", "<f8")])
Records = npt.NDArray[np.void]


@dataclass(frozen=True)
class Labels:
    """Pairs of labels in the order in which they were first seen; their place is their number."""

    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def number(self, key: tuple[str, str]) -> int:
        return self.seen.setdefault(key, len(self.seen))

    def columns(self) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.str_]]:
        """First and second label of each, (N,) strings."""
        one, two = ([key[i] for key in self.seen] for i in (0, 1))
        return np.array(one, dtype=np.str_), np.array(two, dtype=np.str_)


@dataclass(frozen=True)
class Names:
    """All labels of a table: groups are (attack, condition), the others (subject, image)."""

    groups: Labels = field(default_factory=Labels)
    probes: Labels = field(default_factory=Labels)
    gallery: Labels = field(default_factory=Labels)


def score_rows(path: Path, names: Names) -> Iterator[Records]:
    """The rows of a table, as arrays of `RECORD`; `names` is filled on the way.

    A name that ends in .tsv, or a header line with a tab and no comma, means tabs; everything else is CSV.

    Raises:
        InputRefused: not text, no header, a column missing or named twice, a row with too few or many cells, an empty
            cell, a score that is no finite number, a quote that does not end; by line number.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            yield from _parsed(file, names, tabs=path.suffix == ".tsv")
    except UnicodeDecodeError:
        raise InputRefused("table: is not UTF-8 text", hint=_UTF8) from None
    except FileNotFoundError:
        raise InputRefused("table: the file is not there") from None
    except OSError:
        raise InputRefused("table: the system could not read it") from None


def claims_of(records: Records, names: Names) -> list[PairClaims]:
    """One PairClaims for each (attack, condition), in order of appearance.

    Raises:
        InputRefused: there are no rows, or a pair of images has two scores in one group.
    """
    if not len(records):
        raise no_rows()
    probes, gallery = names.probes.columns(), names.gallery.columns()
    found = []
    for group, (attack, condition) in enumerate(names.groups.seen):
        mine = records[records["group"] == group]
        refuse_twice(mine, len(names.gallery.seen))
        p, q = mine["probe"], mine["gallery"]
        score = np.ascontiguousarray(mine["score"])
        refuse_other_case({*probes[0][p].tolist()}, {*gallery[0][q].tolist()})
        sides = probes[0][p], probes[1][p], gallery[0][q], gallery[1][q]
        found.append(PairClaims(*sides, score, attack, condition, {}))
    return found


def refuse_twice(records: Records, gallery: int) -> None:
    """Refuse a pair of images that has two scores, be they equal or not: nobody can say which one holds."""
    key = records["probe"].astype(np.int64) * gallery + records["gallery"]
    order = np.argsort(key, kind="stable")
    again = order[1:][key[order][1:] == key[order][:-1]]
    if len(again):
        raise twice(int(records["line"][again.min()]))


def refuse_other_case(probes: set[str], gallery: set[str]) -> None:
    """Refuse labels that have no equal on the other side, but one that is spelt in other case.

    Such a person would count as two, and every metric would look better than it is.
    """
    alone = {label.casefold() for label in probes - gallery}
    if alone & {label.casefold() for label in gallery}:
        raise InputRefused(
            "scores: a probe and a gallery label differ in upper and lower case only",
            hint="labels are compared exactly: write one person's label one way on both sides",
        )


def twice(line: int) -> InputRefused:
    """The error for the second score of a pair."""
    return InputRefused(
        f"score table: line {line}: this pair of images has a score already",
        hint="tell several images of a subject apart in probe_image and gallery_image",
    )


def no_rows() -> InputRefused:
    """The error for a table with a header and nothing below it."""
    return InputRefused("score table: has no rows", hint="expected one line for each pair")


def _parsed(file: TextIO, names: Names, *, tabs: bool) -> Iterator[Records]:
    lines = _lines(file)
    first = next(lines, "")
    tabs = tabs or ("\t" in first and "," not in first)
    reader = csv.reader(_chained(first, lines), delimiter="\t" if tabs else ",", strict=True)
    try:
        header = [c.strip() for c in next(reader, [])]
        yield from _cells(reader, header, names)
    except csv.Error:
        raise InputRefused(
            f"table: line {max(reader.line_num, 1)} is not well-formed", hint="a quote may be missing"
        ) from None


def _cells(reader: Any, header: list[str], names: Names) -> Iterator[Records]:
    place = _places(header)
    group_of = _getter(place, "attack", "condition")
    probe_of = _getter(place, "probe_subject", "probe_image")
    gallery_of = _getter(place, "gallery_subject", "gallery_image")
    known: tuple[dict[object, int], ...] = ({}, {}, {})  # raw cells to numbers
    groups, probes, gallery = known
    width, at = len(header), place["score"]
    rows: list[tuple[int, int, int, int, float]] = []
    for cells in reader:
        if len(cells) != width:
            if not any(c.strip() for c in cells):
                continue
            raise InputRefused(f"table: line {reader.line_num} has {len(cells)} cells, expected {width}")
        text, line = cells[at], reader.line_num
        g, p, q = group_of(cells), probe_of(cells), gallery_of(cells)
        try:
            rows.append((groups[g], probes[p], gallery[q], line, float(text)))
        except (KeyError, ValueError):
            if not any(c.strip() for c in cells):
                continue
            groups[g] = names.groups.number(_clean(g, place, "attack", "condition", line))
            probes[p] = names.probes.number(_clean(p, place, "probe_subject", "probe_image", line))
            gallery[q] = names.gallery.number(_clean(q, place, "gallery_subject", "gallery_image", line))
            rows.append((groups[g], probes[p], gallery[q], line, _score(text, line)))
        if "_" in text:  # Python reads 1_000 as a number, nobody else does
            _score(text, line)
        if len(rows) == _CHUNK:
            yield _finite(rows)
            rows = []
    if rows:
        yield _finite(rows)


def _places(header: list[str]) -> dict[str, int]:
    if not any(header) or "\0" in "".join(header):
        raise InputRefused("table: has no header line")
    if len(set(header)) != len(header):
        raise InputRefused("table: a column is named twice")
    for column in _NEEDED:
        if column not in header:
            hint = "columns are " + ", ".join(COLUMNS)
            if len(header) == 1 and ";" in header[0]:
                hint = "columns are parted by commas or tabs, not by semicolons"
            raise InputRefused(f"score table: column {column} is missing", hint=hint)
    return {column: i for i, column in enumerate(header)}


def _getter(place: dict[str, int], *columns: str) -> Callable[[list[str]], object]:
    """What takes the cells of those columns that are there out of a row; nothing if none is."""
    there = [place[c] for c in columns if c in place]
    return itemgetter(*there) if there else lambda _: ()


def _clean(raw: object, place: dict[str, int], one: str, two: str, line: int) -> tuple[str, str]:
    """The two labels behind raw cells: stripped, without a spreadsheet's apostrophe, or their default."""
    cells = iter(raw if isinstance(raw, tuple) else (raw,))
    labels = []
    for column in (one, two):
        label = plain(str(next(cells)).strip()) if column in place else ""
        if "\0" in label:
            raise InputRefused(f"score table: line {line}, column {column}: holds a NUL byte")
        if not label and column in _NEEDED:
            raise InputRefused(f"score table: line {line}, column {column}: is empty")
        labels.append(label or DEFAULTS.get(column, ""))
    return labels[0], labels[1]


def _finite(rows: list[tuple[int, int, int, int, float]]) -> Records:
    records = np.array(rows, dtype=RECORD)
    bad = ~np.isfinite(records["score"])
    if bad.any():
        _score("nan", int(records["line"][bad][0]))
    return records


def _score(text: str, line: int) -> float:
    where = f"score table: line {line}, column score"
    try:
        score = math.nan if "_" in text else float(text)
    except ValueError:
        score = math.nan
        if not text.strip():
            raise InputRefused(f"{where}: is empty") from None
    if not math.isfinite(score):
        hint = "decimals take a point, not a comma" if "," in text else ""
        raise InputRefused(f"{where}: expected a finite number", hint=hint)
    return score


def _lines(file: TextIO) -> Iterator[str]:
    """Lines with their ends, none longer than we are ready to hold."""
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        if len(line) == _LONGEST and not line.endswith("\n"):
            raise InputRefused(f"table: line {number} is longer than {_LONGEST:,} characters")
        yield line


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def plain(label: str) -> str:
    """A label without the apostrophe that keeps a spreadsheet from running it."""
    return label[1:] if label.startswith(tuple(f"'{s}" for s in (*FORMULA, "'"))) else label
