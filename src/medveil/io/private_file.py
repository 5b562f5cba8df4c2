"""Files that are written once and never over another one: keys, private and public."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from medveil.core.errors import OutputFailed
from medveil.io.aside import PREFIX, failed, sync_folder

PRIVATE = 0o600


def write_new(path: Path, content: bytes, what: str, *, mode: int = PRIVATE, hint: str = "") -> None:
    """A new file, written aside, then linked to its name; missing folders are made, for the owner only.

    Args:
        what: a word for it in errors.
        mode: of the file; with 600, a file system that cannot keep others from reading it is refused.
        hint: what to do where something is there already.

    Raises:
        OutputFailed: something is there already, or it cannot be written, or not be kept from others.
    """
    aside = path.parent / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with open(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            if os.name == "posix" and mode == PRIVATE and os.stat(aside).st_mode & 0o077:
                raise OutputFailed(
                    f"{what}: this file system cannot keep others from reading it",
                    hint="choose a folder on a local disk",
                )
            os.link(aside, path)  # unlike a rename, a link never replaces what is there
        finally:
            with suppress(OSError):
                os.unlink(aside)
        sync_folder(path.parent)
    except FileExistsError:
        raise OutputFailed(
            f"{what}: something is there already", hint=hint or "choose another name"
        ) from None
    except OSError as error:
        raise failed(what, error) from None
