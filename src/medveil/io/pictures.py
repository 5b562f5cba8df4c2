"""Photographs of candidates: what an attacker owns.

    PHOTOS/sub-01/anything.jpg         one folder a person, or
    PHOTOS/sub-01.jpg                  one file a person, or
    PHOTOS/sub-01_smiling.png          files whose name begins with the person's label and a low line

The label must be the one that the images' folder gives the person; upper and lower case, and the two ways in
which Unicode writes an accent, make no difference where the labels are known. Folders within folders are
searched as well, and belong to the innermost that is a known label. Links that lead out of the folder, hidden files, and what is no JPEG or PNG by name are left
aside, and `left_aside` counts them. Only pixels are read: of EXIF nothing but the orientation is used, and nothing
of it is written. A JPEG far larger than a face needs is made smaller while it is decoded.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.io.photograph import SUFFIXES, read_photograph, write_photograph

__all__ = ["Coverage", "coverage", "left_aside", "open_photographs", "read_photograph", "write_photograph"]

OTHER_SUFFIXES = (".heic", ".heif", ".avif", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".dng", ".jp2", ".svg")


@dataclass(frozen=True)
class Coverage:
    """How photographs and people fit together; counts only.

    Args:
        people: how many people the images show.
        pictured: how many of them have a photograph.
        strangers: how many people have photographs but no image. They are left in the cohort: as candidates who
            are not in the release they make a gallery larger, and closer to life.
        left_aside: how many files of the folder are pictures by name that cannot be read (HEIC and the like).
    """

    people: int
    pictured: int
    strangers: int
    left_aside: int = 0

    def __str__(self) -> str:
        """One line to show; a count of zero is not mentioned."""
        missing = self.people - self.pictured
        facts = [
            f"{missing} of {self.people} people have no photograph" if missing else "",
            f"{self.strangers} people with photographs are not among the images" if self.strangers else "",
            f"{self.left_aside} files are no JPEG or PNG and were left aside" if self.left_aside else "",
        ]
        told = "; ".join(f for f in facts if f)
        return f"photographs: {told or f'of all {self.people} people'}"


def open_photographs(folder: Path, subjects: Collection[str] = ()) -> Cohort:
    """The photographs in a folder, by person; opened when they are asked for.

    Args:
        subjects: labels of the people in the images, if known. A file's name is then read as the longest of
            them that it is, or begins with; needed where labels hold a low line themselves.

    Raises:
        InputRefused: the folder is not there, cannot be read, or holds no photograph.
    """
    if not folder.is_dir():
        raise InputRefused("photographs: the folder is not there")
    records: list[Record] = []
    try:
        for subject, path in sorted(_found(folder, subjects), key=lambda found: (found[0], found[1].name)):
            number = 1 + sum(r.subject == subject for r in records)
            place = PurePosixPath(path.relative_to(folder).as_posix())
            opener = partial(read_photograph, path)
            records.append(Record(subject, f"photo-{number}", opener, contrast="photo", place=place))
    except PermissionError:
        raise InputRefused("photographs: permission to read the folder is missing") from None
    if not records:
        raise InputRefused(
            "photographs: the folder holds none",
            hint=f"expected PHOTOS/<subject>/*.jpg or PHOTOS/<subject>.jpg, also .jpeg and .png{_aside(folder)}",
        )
    return Cohort(tuple(records))


def coverage(photographs: Cohort, subjects: Collection[str], folder: Path | None = None) -> Coverage:
    """How the photographs fit the people in the images.

    Args:
        subjects: labels of the people in the images.
        folder: where the photographs lie, to count what was left aside there.
    """
    people, pictured = set(subjects), set(photographs.subjects)
    aside = left_aside(folder) if folder else 0
    return Coverage(len(people), len(people & pictured), len(pictured - people), aside)


def left_aside(folder: Path) -> int:
    """How many files below a folder are pictures by their names, but of a kind that is not read."""
    try:
        return sum(p.suffix.lower() in OTHER_SUFFIXES for p in _below(folder))
    except OSError:
        raise InputRefused("photographs: permission to read the folder is missing") from None


def _found(folder: Path, subjects: Collection[str]) -> Iterator[tuple[str, Path]]:
    root = Path(os.path.realpath(folder))
    known = {_folded(s): s for s in sorted(subjects)}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from ((_owner(p, folder, known), p) for p in _below(path) if _is_picture(p, root))
        elif _is_picture(path, root):
            stem = _folded(path.stem)
            begun = [folded for folded in known if stem == folded or stem.startswith(f"{folded}_")]
            longest = max(begun, key=len, default=None)
            yield path.stem.partition("_")[0] if longest is None else known[longest], path


def _owner(path: Path, folder: Path, known: Mapping[str, str]) -> str:
    """Whose photograph it is: the innermost folder that is a known label (or else the outermost) says so."""
    around = path.relative_to(folder).parts[:-1]
    named = [known[_folded(part)] for part in around if _folded(part) in known]
    return named[-1] if named else around[0]


def _below(folder: Path) -> Iterator[Path]:
    """Files below a folder, sorted; neither hidden ones nor what lies behind a link to a folder."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path


def _folded(label: str) -> str:
    """A label without the differences that file systems make: case, and composed or decomposed accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", label).casefold())


def _aside(folder: Path) -> str:
    count = left_aside(folder)
    return f"; {count} files of other kinds (HEIC, WebP, ...) were left aside" if count else ""


def _is_picture(path: Path, root: Path) -> bool:
    inside = not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(root)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file() and inside
