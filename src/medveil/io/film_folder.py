"""A folder of films to learn from, and whose they are.

    FILMS/<person>/anything.png      one folder a person, or
    FILMS/<person>_anything.png      files whose name begins with the person and a low line, or
    FILMS/ and a table               columns `file` (relative to the table) and `group`; also `licence`, `attribution`

Whose a film is matters for one thing: no person may be on both sides of a split.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medveil.core.errors import InputRefused

SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".nii", ".nii.gz", ".mgz", ".nrrd")
_HINT = "expected FILMS/<person>/*.png or FILMS/<person>_*.png, also .jpg, .dcm and .nii.gz, or a table"


@dataclass(frozen=True, repr=False)
class FilmFile:
    """Where a film lies, whose it is, and under what terms it may be used.

    Args:
        name: place below the folder or table, with forward slashes; stays the same wherever the folder lies.
    """

    path: Path
    name: str
    group: str
    licence: str = ""
    attribution: str = ""


def find_films(folder: Path, table: Path | None = None) -> list[FilmFile]:
    """The films in a folder or of a table, sorted by name.

    Raises:
        InputRefused: no such folder or table, a table without the two columns, or no film.
    """
    found = sorted(_listed(table) if table else _lying(folder), key=lambda f: f.name)
    if not found:
        raise InputRefused("films: none found", hint=_HINT)
    return found


def _lying(folder: Path) -> Iterator[FilmFile]:
    if not folder.is_dir():
        raise InputRefused("films: the folder is not there", hint=_HINT)
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and path.name.lower().endswith(SUFFIXES):
            group = inside.parts[0] if len(inside.parts) > 1 else path.name.partition("_")[0]
            yield FilmFile(path, inside.as_posix(), group)


def _listed(table: Path) -> Iterator[FilmFile]:
    try:
        with open(table, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if table.suffix.lower() == ".tsv" else ","))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise InputRefused("films: the table cannot be read", hint="expected a .csv or .tsv file") from None
    if rows and not {"file", "group"} <= set(rows[0]):
        raise InputRefused("films: the table lacks a column", hint="expected the columns file and group")
    for number, row in enumerate(rows, start=2):
        name, group = row["file"], row["group"]
        if not name or not group or Path(name).is_absolute() or ".." in Path(name).parts:
            raise InputRefused(
                f"films: row {number} of the table has no usable file or group",
                hint="file is a path below the table's folder, group tells whose film it is",
            )
        yield FilmFile(
            table.parent / name,
            Path(name).as_posix(),
            group,
            row.get("licence") or "",
            row.get("attribution") or "",
        )
