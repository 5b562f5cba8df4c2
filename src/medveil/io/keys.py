"""Key files: one key per file, readable by its owner only, never inside what leaves the house.

    medveil-key 1                                   the name and version of the format
    q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=    32 bytes in base64
    label 480ad4cb                                  `Key.label`; a damaged file is noticed, not believed

Whoever holds this file can link a release to its people; whoever loses it can make no later release that fits
the first. So it is written once and never over another file, and refused where others may read it. Destroying
it cuts the link, as far as this file goes: `destroy_key` says what it cannot reach. No error shows what is in
a file, or where it is.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from medveil.core.errors import InputRefused, OutputFailed, UsageError
from medveil.core.secrets import Key
from medveil.io.aside import failed, sync_folder
from medveil.io.private_file import PRIVATE, write_new

NAME = "medveil-key"
VERSION = 1
_LONGEST = 1024  # bytes; a key file has 75

_WHAT = "key file"

BEYOND_REACH = (
    "copies: backups, snapshots, other machines and whatever somebody has printed or mailed",
    "flash memory (SSD, USB stick, SD card): a write goes to fresh cells, the old ones may stay readable",
    "journaling and copy-on-write file systems (btrfs, ZFS, APFS): old blocks may stay until they are used again",
    "memory and swap of running processes that have read the key",
)


@dataclass(frozen=True)
class Destroyed:
    """What became of a key file.

    Args:
        overwritten: its bytes were replaced in place, as the file system shows them, before the name was removed.
        other_names: hard links to the same bytes; they are overwritten too, their names remain.
        beyond_reach: what this cannot destroy; print it.
    """

    overwritten: bool
    other_names: int
    beyond_reach: tuple[str, ...] = BEYOND_REACH


@dataclass(frozen=True)
class KeySource:
    """Where a key is, for worker processes: it is pickled as a path, and each worker opens the file itself.

    Args:
        path: of the key file; not shown by repr.
        label: the key that must be in it (`Key.label`), or empty for any.
    """

    path: Path = field(repr=False)
    label: str = ""

    def open(self) -> Key:
        """The key.

        Raises:
            InputRefused: as `read_key`, or it is another key than `label` says.
        """
        key = read_key(self.path)
        if self.label and key.label != self.label:
            raise InputRefused(f"{_WHAT}: holds another key than the one this was started with")
        return key


def read_key(path: Path, *, outside: Path | None = None) -> Key:
    """The key of a key file.

    Args:
        path: the file itself, not a symbolic link to it.
        outside: a folder that leaves the house; a key file in it is refused.

    Raises:
        UsageError: it lies inside `outside`.
        InputRefused: not there, not a regular file, readable by others than its owner, or not a key file.
    """
    _refuse_inside(path, outside)
    handle, status = _open(path)
    try:
        content = os.read(handle, _LONGEST + 1)
    except OSError:
        raise InputRefused(f"{_WHAT}: the system could not read it") from None
    finally:
        os.close(handle)
    if os.name == "posix" and status.st_mode & 0o077:
        raise InputRefused(
            f"{_WHAT}: others than its owner may read or change it",
            hint="run chmod 600 on it; if others could have read it, make a new key",
        )
    return _parse(content)


def write_new_key(path: Path, *, outside: Path) -> Key:
    """A fresh key in a new file that only its owner reads (mode 600).

    Args:
        path: where no file is yet; missing folders are made, for the owner only.
        outside: the folder that leaves the house; a path in it is refused.

    Raises:
        UsageError: the path lies inside `outside`.
        OutputFailed: something is there already, or it cannot be written, or not be kept from others.
    """
    _refuse_inside(path, outside)
    key = Key.new()
    text = f"{NAME} {VERSION}\n{base64.b64encode(key.expose()).decode()}\nlabel {key.label}\n"
    write_new(path, text.encode(), _WHAT, hint="use that key, or choose another name")
    return key


def destroy_key(path: Path) -> Destroyed:
    """Overwrite a key file in place, then remove its name. What that cannot reach is in the answer.

    A damaged key file, and one that others may read, is destroyed as well; a file that does not start as a key file
    does is left alone.

    Raises:
        InputRefused: not there, not a regular file, not a key file.
        OutputFailed: it could not be overwritten (then it is still there, whole), or its name not be removed.
    """
    handle, status = _open(path)
    try:
        content = os.read(handle, _LONGEST)
        if status.st_size > _LONGEST or not content.startswith(f"{NAME} ".encode()):
            raise InputRefused(f"{_WHAT}: does not start as a key file does; it was left alone")
        if os.name == "posix":
            os.fchmod(handle, PRIVATE)
        with open(os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)), "r+b", buffering=0) as file:
            if not os.path.samestat(os.fstat(file.fileno()), status):
                raise InputRefused(f"{_WHAT}: was replaced meanwhile; it was left alone")
            for filling in (secrets.token_bytes(status.st_size), bytes(status.st_size)):
                file.seek(0)
                if file.write(filling) != status.st_size:
                    raise OutputFailed(f"{_WHAT}: could be overwritten in part only, its name is still there")
                os.fsync(file.fileno())
        os.unlink(path)
    except OSError as error:
        raise failed(_WHAT, error) from None
    finally:
        os.close(handle)
    sync_folder(path.parent)
    return Destroyed(overwritten=True, other_names=status.st_nlink - 1)


def key_state(path: Path, label: str) -> Literal["kept", "another key", "not found"]:
    """What is at the path where a release's key was. `not found` does not prove that no copy is anywhere.

    Raises:
        InputRefused: something is there that is no readable key file.
    """
    if not os.path.lexists(path):
        return "not found"
    return "kept" if read_key(path).label == label else "another key"


def _open(path: Path) -> tuple[int, os.stat_result]:
    # O_NONBLOCK: a named pipe in its place must not hold us up.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        raise InputRefused(f"{_WHAT}: not there", hint="`medveil key new FILE` makes one") from None
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ELOOP:
            raise InputRefused(
                f"{_WHAT}: is a symbolic link, expected the file itself",
                hint="give the path that the link has",
            ) from None
        raise InputRefused(f"{_WHAT}: the system could not open it") from None
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise InputRefused(f"{_WHAT}: is not a regular file")
    return handle, status


def _parse(content: bytes) -> Key:
    """The key in the bytes of a file.

    Raises:
        InputRefused: another format or version, or damaged.
    """
    wrong = InputRefused(f"{_WHAT}: is not a key file of medveil, or it is damaged")
    lines = content.split(b"\n") if len(content) <= _LONGEST else []
    first = lines[0].split(b" ") if lines else []
    if len(first) != 2 or first[0] != NAME.encode() or not first[1].isdigit():
        raise wrong
    if first[1] != str(VERSION).encode():
        raise InputRefused(
            f"{_WHAT}: is of another version, expected {VERSION}",
            hint="read it with the medveil that made it",
        )
    if len(lines) != 4 or lines[3] or not lines[2].startswith(b"label "):
        raise wrong
    try:
        key = Key(base64.b64decode(lines[1], validate=True))
    except (binascii.Error, ValueError, UsageError):
        raise wrong from None
    if lines[2] != f"label {key.label}".encode() or base64.b64encode(key.expose()) != lines[1]:
        raise wrong
    return key


def _refuse_inside(path: Path, outside: Path | None) -> None:
    """Compares folders by identity, so no link, `..` or other case of letters leads inside unnoticed."""
    if outside is None:
        return
    release = Path(os.path.realpath(outside))
    for folder in Path(os.path.realpath(path)).parents:
        with suppress(OSError):
            if folder == release or folder.samefile(release):
                raise UsageError(
                    f"{_WHAT}: lies inside the folder that leaves the house",
                    hint="keep the key elsewhere, best on another disk",
                )
