"""Tables: participants as TSV, pair scores as CSV or TSV.

Errors name the line and the column, never what stands there. Labels that a spreadsheet would run as a
formula (they begin with = + - @, a tab or a carriage return, and are no number) are written with an
apostrophe before them, and read back without it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from medveil.core.claims import COLUMNS, PairClaims
from medveil.core.errors import InputRefused, OutputFailed
from medveil.io.aside import write_aside
from medveil.io.score_rows import FORMULA, RECORD, Names, claims_of, score_rows

Row = dict[str, str]


def read_tsv(path: Path) -> list[Row]:
    """The rows of a tab-separated table with a header line, as BIDS writes it; UTF-8, a BOM is ignored.

    Raises:
        InputRefused: not UTF-8 text, no header, a column named twice, a row with too few or many cells.
    """
    return [row for _, row in _rows(path, "\t")]


def read_rows(path: Path) -> list[tuple[int, Row]]:
    """Line numbers and rows of a CSV, or of a table with tabs, as `read_scores` tells them apart.

    Raises:
        InputRefused: as `read_tsv`.
    """
    return list(_rows(path, None))


def write_tsv(rows: Sequence[Mapping[str, str]], path: Path, columns: Sequence[str]) -> None:
    """Write `columns` of the rows as BIDS does: tabs, `n/a` where a cell is empty or missing.

    Raises:
        OutputFailed: a cell holds a tab or a line break; permissions, disk full.
    """
    lines = [list(columns)] + [[row.get(c, "") or "n/a" for c in columns] for row in rows]
    if any(c in cell for line in lines for cell in line for c in "\t\r\n"):
        raise OutputFailed("table: a cell holds a tab or a line break")
    text = "".join("\t".join(line) + "\n" for line in lines)
    with write_aside(path, "table") as file:
        file.write(text.encode("utf-8"))


def read_scores(path: Path) -> list[PairClaims]:
    """Pair scores made by any tool, one PairClaims for each (attack, condition), in order of appearance.

    Columns: probe_subject, gallery_subject and score must be there; probe_image, gallery_image, attack
    ('external') and condition ('release') may. Others are ignored. A name that ends in .tsv, or a header
    line with a tab and no comma, means tabs; everything else is CSV.

    Raises:
        InputRefused: a column is missing, a cell is empty, a score is not a finite number, a pair of images has two
            scores; by line number.
    """
    names = Names()
    return claims_of(np.concatenate([np.empty(0, RECORD), *score_rows(path, names)]), names)


def write_scores(claims: Iterable[PairClaims], path: Path) -> None:
    """Write claims as CSV (or TSV, by suffix) with the columns of `core.claims.COLUMNS`; scores exact.

    Raises:
        OutputFailed: permissions, disk full.
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t" if path.suffix == ".tsv" else ",", lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in claims:
        labels = zip(one.probe_subject, one.probe_image, one.gallery_subject, one.gallery_image, strict=True)
        for names, score in zip(labels, one.score, strict=True):
            writer.writerow(
                [*(_guarded(str(n)) for n in names), repr(float(score)), _guarded(one.attack),
                 _guarded(one.condition)]
            )  # fmt: skip
    with write_aside(path, "score table") as file:
        file.write(text.getvalue().encode("utf-8"))


def _rows(path: Path, delimiter: str | None) -> Iterable[tuple[int, Row]]:
    """Line number (of the row's last line, the header being line 1) and cells, stripped, by column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputRefused("table: is not UTF-8 text") from None
    except FileNotFoundError:
        raise InputRefused("table: the file is not there") from None
    except OSError:
        raise InputRefused("table: the system could not read it") from None
    first = text.partition("\n")[0]
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter is None else csv.QUOTE_NONE  # BIDS quotes nothing
    if delimiter is None:
        tabs = path.suffix == ".tsv" or ("\t" in first and "," not in first)
        delimiter = "\t" if tabs else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
    try:
        header = [c.strip() for c in next(reader, [])]
        if not any(header) or "\0" in first:
            raise InputRefused("table: has no header line")
        if len(set(header)) != len(header):
            raise InputRefused("table: a column is named twice")
        for cells in reader:
            if not any(c.strip() for c in cells):
                continue
            if len(cells) != len(header):
                raise InputRefused(
                    f"table: line {reader.line_num} has {len(cells)} cells, expected {len(header)}"
                )
            yield reader.line_num, dict(zip(header, (c.strip() for c in cells), strict=True))
    except csv.Error:
        raise InputRefused(f"table: line {reader.line_num} is not well-formed") from None


def _guarded(label: str) -> str:
    return f"'{label}" if label.startswith((*FORMULA, "'")) and not _is_number(label) else label


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True
