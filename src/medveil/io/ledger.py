"""Ledgers: which images were released obfuscated under a key, and how, so that none is released in two ways.

Two different releases of one image give its true components away: they are what both share. So a release is noted
beside the key before it is written, and the same image is let through again only if everything else is the same too.

    {"medveil-ledger":1,"key":"480ad4cb"}                      name, version, `Key.label`
    {"image":"<64 hex signs>","settings":"<64 hex signs>"}     one line an image, in the order of release

Both marks come from `share.obfuscate`: that of the image is keyed, so a ledger tells nobody which images it is about.
A line is appended under a lock and reaches the disk before the answer. A line that a power cut left half-written is
dropped: its release had not begun. Deleting the ledger, or using a copy of the key elsewhere, defeats it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from medveil.core.errors import InputRefused, OutputFailed, Refusal, UsageError
from medveil.core.secrets import Key
from medveil.io.aside import failed, sync_folder

VERSION = 1
_WHAT = "ledger"
_MARK = re.compile(r"[0-9a-f]{64}")
_LINES = re.compile(rb'(?:\{"image":"[0-9a-f]{64}","settings":"[0-9a-f]{64}"\}\n)*')


def ledger_of(key_file: Path) -> Path:
    """Where the ledger of a key is: beside its file."""
    return key_file.with_name(f"{key_file.name}.releases")


def note_release(path: Path, key: Key, image: str, settings: str) -> bool:
    """Note that an image is about to be released; call it before anything is written.

    Args:
        path: of the ledger; made, for the owner only, where there is none.
        key: under which the image is released.
        image: `obfuscate.release_mark`.
        settings: `obfuscate.settings_mark`.

    Returns:
        True if it is new, False if it was released in the same way before.

    Raises:
        Refusal: the image was released with other settings before; nothing is noted.
        InputRefused: no ledger, a damaged one, that of another key, or one that others may read or change.
        OutputFailed: it cannot be locked or written.
    """
    if not _MARK.fullmatch(image) or not _MARK.fullmatch(settings):
        raise UsageError(f"{_WHAT}: a mark has 64 hex signs")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _open(path) as file:
            _lock(file)
            # The lock is on what was opened; somebody may have removed its name since.
            if not path.exists() or not os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                raise OutputFailed(f"{_WHAT}: was replaced meanwhile", hint="run the same command again")
            return _note(file, path.parent, key, image.encode(), settings.encode())
    except OSError as error:
        raise failed(_WHAT, error) from None


def _note(file: BinaryIO, folder: Path, key: Key, image: bytes, settings: bytes) -> bool:
    """As `note_release`, with the file open and locked."""
    head = f'{{"medveil-ledger":{VERSION},"key":"{key.label}"}}\n'.encode()
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if not whole and head.startswith(content):
        whole = b""  # new, or a power cut came before its first line was whole
    elif not whole.startswith(head):
        _refuse_head(whole)
    elif not _LINES.fullmatch(whole, len(head)):
        raise InputRefused(
            f"{_WHAT}: is damaged", hint="put back its last backup; without it no release is safe"
        )
    entry = b'{"image":"' + image + b'","settings":"'
    before = [whole[at.end() : at.end() + 64] for at in re.finditer(re.escape(entry), whole)]
    if any(other != settings for other in before):
        raise Refusal(
            "released before",
            "this image was obfuscated under this key with other settings, and both together give it away",
            hint="use the settings of the first release, or `seal`",
        )
    if before:
        return False
    file.seek(len(whole))
    file.truncate()
    file.write((b"" if whole else head) + entry + settings + b'"}\n')
    file.flush()
    os.fsync(file.fileno())
    if not whole:
        sync_folder(folder)
    return True


def _refuse_head(whole: bytes) -> None:
    found = re.match(rb'\{"medveil-ledger":(\d{1,9}),"key":"[0-9a-f]{8}"\}\n', whole)
    if not found:
        raise InputRefused(f"{_WHAT}: is not a ledger of medveil, or it is damaged")
    if int(found[1]) != VERSION:
        raise InputRefused(
            f"{_WHAT}: is of another version, expected {VERSION}", hint="use the medveil that made it"
        )
    raise InputRefused(f"{_WHAT}: is that of another key")


def _open(path: Path) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputRefused(f"{_WHAT}: is a symbolic link, expected the file itself") from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise InputRefused(f"{_WHAT}: is not a regular file")
        if os.name == "posix" and status.st_mode & 0o077:
            raise InputRefused(
                f"{_WHAT}: others than its owner may read or change it", hint="run chmod 600 on it"
            )
        return os.fdopen(handle, "r+b")
    except BaseException:
        with suppress(OSError):
            os.close(handle)
        raise


def _lock(file: BinaryIO) -> None:
    """One run at a time; the system frees the lock when the file is closed or the process dies."""
    try:
        import fcntl
    except ImportError:
        raise OutputFailed(f"{_WHAT}: this system cannot lock it, so nothing is released") from None
    fcntl.flock(file, fcntl.LOCK_EX)
