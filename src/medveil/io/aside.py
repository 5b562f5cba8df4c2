"""Written aside, then renamed: a file is there complete, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from medveil.core.errors import OutputFailed

PREFIX = ".medveil-"  # of files that are being written; whoever finds one may delete it

_REASONS = {
    errno.ENOSPC: ("no space is left on the device", "free some space, then run the same command again"),
    errno.EDQUOT: ("the disk quota is used up", "free some space, then run the same command again"),
    errno.EACCES: ("permission is missing", "choose a folder you may write to"),
    errno.EPERM: ("permission is missing", "choose a folder you may write to"),
    errno.EROFS: ("the file system is read-only", "choose a folder you may write to"),
    errno.ENOTDIR: ("a part of the path is a file", "choose another output folder"),
    errno.EEXIST: ("a file of that name is in the way", "choose another output folder"),
    errno.ENAMETOOLONG: ("a name is too long", "choose a shorter output path"),
}


def failed(what: str, error: OSError) -> OutputFailed:
    """The error for an output that could not be written: names the reason, never the path."""
    reason, hint = _REASONS.get(error.errno or 0, ("the system refused", ""))
    return OutputFailed(f"{what}: could not be written, {reason}", hint=hint)


@contextmanager
def write_aside(path: Path, what: str = "output") -> Iterator[BinaryIO]:
    """A binary file to write to, which becomes `path` when the block ends well.

    The bytes go to a fresh file in the same folder, reach the disk (fsync), and are renamed in one step.
    Missing folders are made. If anything goes wrong, also an interrupt, the fresh file is removed and
    what was at `path` before is untouched.

    Raises:
        OutputFailed: permissions, disk full, a file where a folder should be.
    """
    aside = path.parent / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(aside, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(aside)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise failed(what, error) from None


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` outlive a power cut, where the system allows it."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
