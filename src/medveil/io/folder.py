"""Output folders: written aside, named at the end, taken up again after a kill.

    medveil release DIR --to OUT

    OUT.partial/                while the run goes on, and after a kill
        journal.jsonl           one line an image that is finished: place, sha256, hash of the settings
        sub-01/anat/...         every file complete or absent: each is written aside and renamed
    OUT/                        appears in one rename, when all is done; holds a marker, MARKER

A name that looks finished is finished. The journal's first line holds its format and version; a last line
torn by a kill is ignored; files that no valid line vouches for are removed when a run takes up again.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from medveil.core.errors import OutputFailed, UsageError
from medveil.io.aside import failed, sync_folder, write_aside

__all__ = ["JOURNAL", "MARKER", "Finished", "Staging", "sha256", "write_aside"]

JOURNAL = "journal.jsonl"
MARKER = ".medveil-output"  # --force replaces only folders that hold it
_HEAD = {"format": "medveil-journal", "version": 1}


def sha256(path: Path) -> str:
    """SHA-256 of the bytes of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True, repr=False)
class Finished:
    """One line of the journal: a file that is complete, below the output folder."""

    place: PurePosixPath
    sha256: str
    settings: str

    def __repr__(self) -> str:
        return "Finished(...)"


class Staging:
    """A new folder in the making; use it in a `with` block and end with `finish()`.

    Args:
        target: the folder that shall appear. Its parent must exist or is made.
        inputs: folders and files that are read: the target may not be, lie in, or hold any of them.
        force: replace an existing target, if medveil wrote it (it holds MARKER) or it is empty.

    `folder` is where to write meanwhile. A block that ends without `finish()` leaves `TARGET.partial` for
    the next run if at least one image is finished in it, and nothing otherwise.

    Raises:
        UsageError: target and input overlap; the target exists.
        OutputFailed: permissions, disk full, another run is writing the same output.
    """

    def __init__(self, target: Path, *, inputs: Sequence[Path], force: bool = False) -> None:
        self.target = Path(os.path.abspath(target))
        self.folder = self.target.with_name(self.target.name + ".partial")
        self._force = force
        self._journal: IO[str] | None = None
        self._lines: dict[PurePosixPath, Finished] = {}
        self._inherited: set[PurePosixPath] = set()
        for one in inputs:
            for ours in (self.target, self.folder):
                _refuse_overlap(ours, Path(one))
        self._refuse_target()

    def __enter__(self) -> Staging:
        try:
            self._begin()
        except OSError as error:
            raise failed("output folder", error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal is None:
            return  # finished
        if not self._lines:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._journal.close()
        self._journal = None

    def journal(self, settings: str | None = None) -> dict[PurePosixPath, Finished]:
        """Finished files whose bytes still have the journalled hash, by place.

        With `settings`, files that were made with other settings are removed, and forgotten.
        """
        for place, line in list(self._lines.items()):
            stale = settings is not None and line.settings != settings
            if stale or not _holds(self.folder / place, line.sha256):
                (self.folder / place).unlink(missing_ok=True)
                del self._lines[place]
                self._inherited.discard(place)
        return dict(self._lines)

    def done(self, place: PurePosixPath, settings: str) -> Finished:
        """Note in the journal that the file at `place` is complete; returns its line with the hash."""
        if self._journal is None:
            raise UsageError("staging: done() outside its with block")
        try:
            line = Finished(place, sha256(self.folder / place), settings)
            entry = {"place": str(place), "sha256": line.sha256, "settings": settings}
            self._journal.write(json.dumps(entry) + "\n")
            self._journal.flush()
            os.fsync(self._journal.fileno())
        except OSError as error:
            raise failed("journal", error) from None
        self._lines[place] = line
        self._inherited.discard(place)
        return line

    def prune(self, keep: Collection[PurePosixPath]) -> None:
        """Remove journalled files at all other places: an earlier run left them, this one has no such image.

        Somebody may have withdrawn between the two runs, so `finish` insists on it. Call it before anything
        lists what is in the folder.
        """
        try:
            for place in set(self._lines) - set(keep):
                (self.folder / place).unlink(missing_ok=True)
                del self._lines[place]
        except OSError as error:
            raise failed("output folder", error) from None
        self._inherited.clear()

    def finish(self, keep: Collection[PurePosixPath] | None = None) -> None:
        """Drop the journal and give the folder its final name, in one rename.

        Args:
            keep: if given, `prune` to these places first.

        Raises:
            UsageError: an earlier run's files are in the folder and were not pruned; the target exists by now.
            OutputFailed: permissions, disk full.
        """
        if self._journal is None:
            raise UsageError("staging: finish() outside its with block")
        if keep is not None:
            self.prune(keep)
        self._refuse_target()  # somebody may have made one meanwhile
        if self._inherited:
            raise UsageError("staging: files of an earlier run are not accounted for, call prune() first")
        try:
            _remove_empty_folders(self.folder)
            (self.folder / MARKER).write_text("medveil output 1\n", encoding="utf-8")
            (self.folder / JOURNAL).unlink()
            self._rename()
        except OSError as error:
            raise failed("output folder", error) from None
        self._journal.close()
        self._journal = None

    def __repr__(self) -> str:
        return f"Staging({len(self._lines)} finished)"

    def _refuse_target(self) -> None:
        if not os.path.lexists(self.target):
            return
        if not self._force:
            raise UsageError("output: exists already", hint="name a new folder, or replace it with --force")
        if self.target.is_symlink() or not self.target.is_dir():
            raise UsageError("output: is not a folder", hint="name a new folder")
        if any(self.target.iterdir()) and not (self.target / MARKER).is_file():
            raise UsageError(
                "output: --force replaces only folders that medveil wrote, and this one lacks its marker",
                hint="name a new folder",
            )

    def _begin(self) -> None:
        if os.path.lexists(self.folder) and not _is_unfinished_run(self.folder):
            raise UsageError(
                "output: a folder of the same name with .partial at the end is in the way, and is not an "
                "unfinished run of medveil",
                hint="move it away, or name another output",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        journal = open(self.folder / JOURNAL, "a+", encoding="utf-8", errors="replace")  # noqa: SIM115 - open as long as the run
        try:
            _lock(journal)
            self._lines = _read_journal(journal)
            journal.truncate(0)  # rewritten, so that a torn last line does not swallow the next one
            for entry in (_HEAD, *({**vars(x), "place": str(x.place)} for x in self._lines.values())):
                journal.write(json.dumps(entry) + "\n")
            journal.flush()
            self._inherited = set(self._lines)
            _remove_strangers(self.folder, {self.folder / p for p in self._lines})
        except BaseException:
            journal.close()
            raise
        self._journal = journal

    def _rename(self) -> None:
        old = None
        if self.target.exists():
            old = self.target.with_name(f"{self.target.name}.{secrets.token_hex(4)}.old")
            os.rename(self.target, old)
        try:
            os.rename(self.folder, self.target)
        except OSError:
            if old is not None:
                os.rename(old, self.target)
            raise
        sync_folder(self.target.parent)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)


def _refuse_overlap(ours: Path, theirs: Path) -> None:
    """Compares files, not names: links, mounts and case-blind file systems do not get around it."""
    mine, given = Path(os.path.realpath(ours)), Path(os.path.realpath(theirs))
    if mine == given or _same(mine, given):
        raise UsageError("output: is the input itself", hint="name a new folder outside the input")
    if any(p == given or _same(p, given) for p in mine.parents):
        raise UsageError("output: lies inside the input", hint="name a new folder outside the input")
    if any(p == mine or _same(p, mine) for p in given.parents):
        raise UsageError("output: the input lies inside it", hint="name a new folder outside the input")


def _same(a: Path, b: Path) -> bool:
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


def _is_unfinished_run(folder: Path) -> bool:
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        with open(folder / JOURNAL, encoding="utf-8", errors="replace") as file:
            return json.dumps(_HEAD).startswith(file.readline().strip())  # a kill may have torn it
    except OSError:
        return not any(folder.iterdir())


def _read_journal(file: IO[str]) -> dict[PurePosixPath, Finished]:
    file.seek(0)
    lines: dict[PurePosixPath, Finished] = {}
    for text in file.read().splitlines():
        with suppress(ValueError, KeyError, TypeError):  # a torn line vouches for nothing
            entry = json.loads(text)
            place = PurePosixPath(entry["place"])
            if not place.is_absolute() and ".." not in place.parts:
                lines[place] = Finished(place, str(entry["sha256"]), str(entry["settings"]))
    return lines


def _holds(path: Path, digest: str) -> bool:
    try:
        return not path.is_symlink() and path.is_file() and sha256(path) == digest
    except OSError:
        return False


def _remove_strangers(folder: Path, known: Collection[Path]) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink():
            continue
        if path not in known and path != folder / JOURNAL:
            path.unlink()
    _remove_empty_folders(folder)


def _remove_empty_folders(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()


def _lock(file: IO[str]) -> None:
    """One run an output; the system frees the lock when the process dies."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be renamed there, which protects as well
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputFailed(
            "output: another run is writing it", hint="wait for it to end, or name another output"
        ) from None
