"""The files below a folder, in a fixed order, and what is passed over with a reason.

Links that lead out of the folder are not followed: a release of it would hold what nobody gave.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medveil.core.errors import InputRefused

_ASIDE = {"sourcedata", "derivatives", "code"}


@dataclass(frozen=True, repr=False)
class Skipped:
    """A file or folder that is not part of the cohort: its place below the input, and why not.

    The place is the original name and may identify somebody: for the eyes of the steward, not a release.
    """

    place: PurePosixPath
    reason: str

    def __repr__(self) -> str:
        return f"Skipped({self.reason})"


def walk(root: Path, skipped: list[Skipped]) -> Iterator[PurePosixPath]:
    """Places of all regular files below `root` in sorted order; hidden ones are passed over in silence.

    Raises:
        InputRefused: the folder itself cannot be read.
    """
    real_root = Path(os.path.realpath(root))

    def unreadable(error: OSError) -> None:
        where = PurePosixPath(Path(str(error.filename)).relative_to(root).as_posix())
        if str(where) == ".":
            raise InputRefused("input: permission to read the folder is missing")
        skipped.append(Skipped(where, "permission to read it is missing"))

    for at, folders, files in os.walk(root, onerror=unreadable):
        here = PurePosixPath(Path(at).relative_to(root).as_posix())
        for name in sorted(folders):
            if name.startswith(".") or os.path.islink(os.path.join(at, name)):
                folders.remove(name)
                if not name.startswith("."):
                    skipped.append(Skipped(here / name, "a linked folder"))
            elif str(here) == "." and name in _ASIDE:
                folders.remove(name)
                skipped.append(Skipped(here / name, "not part of a release"))
        folders.sort()
        for name in sorted(files):
            if name.startswith("."):
                continue
            reason = _refused(Path(at, name), real_root)
            if reason:
                skipped.append(Skipped(here / name, reason))
            else:
                yield here / name


def _refused(path: Path, real_root: Path) -> str:
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return "its name cannot be read"
    if path.is_symlink():
        if not path.exists():
            return "a link to nothing; its content may have to be fetched first"
        if not Path(os.path.realpath(path)).is_relative_to(real_root):
            return "a link that leads outside the folder"
    return "" if path.is_file() else "not a regular file"
