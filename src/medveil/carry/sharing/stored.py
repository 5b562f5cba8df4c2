"""Stored: a code and its key files on disk. They are written together, and read with suspicion.

    film.mvc                        written aside, then renamed: there whole, with its key files, or not at all
    film.mvc.keys/alice.age         one a person

Whoever keeps these files may have changed, added or removed any of them, so the key that is believed is one that
opens the code.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from medveil.core.errors import (
    CannotOpen,
    InputRefused,
    MedveilError,
    OutputFailed,
    UsageError,
    VerificationFailed,
)
from medveil.io.aside import PREFIX, failed, sync_folder, write_aside
from medveil.io.recipients import label
from medveil.share.container import NAME, Code
from medveil.share.identities import Identity
from medveil.share.keys import LONGEST_KEY_FILE, LevelKey, unwrap
from medveil.share.seal import check

SUFFIX = ".mvc"
MOST_KEY_FILES = 10_000
_KEY = ".age"
_ASK = "ask the owner for a key file"


def read_code(path: Path) -> Code:
    """The code in a file.

    Raises:
        InputRefused: not there, a folder, not readable, or no code.
        VerificationFailed: truncated, or bits were changed.
    """
    if path.is_dir():
        raise InputRefused("code: is a folder, expected one code", hint=f"name a file that ends in {SUFFIX}")
    if not os.path.lexists(path):
        raise InputRefused("code: the file is not there")
    if not path.is_file():
        raise InputRefused("code: is no regular file")
    try:
        with open(path, "rb") as file:
            start = file.read(64)
            foreign = not start.startswith(NAME.encode())
            return Code.from_bytes(start if foreign else start + file.read())
    except PermissionError:
        raise InputRefused("code: permission to read it is missing") from None
    except OSError:
        raise InputRefused("code: the system could not read it") from None


def keys_of(path: Path) -> Path:
    """The folder of the key files of a code."""
    return path.with_name(f"{path.name}.keys")


def key_files(path: Path) -> dict[str, Path]:
    """The key files beside a code, by label; what is named otherwise, or no regular file, is passed over.

    Raises:
        InputRefused: the folder cannot be read, or holds more than anybody grants.
    """
    found: dict[str, Path] = {}
    try:
        with os.scandir(keys_of(path)) as entries:
            for entry in entries:
                name = entry.name.removesuffix(_KEY)
                with suppress(UsageError):
                    if name != entry.name and entry.is_file(follow_symlinks=False):
                        found[label(Path(f"{name}.pub"))] = Path(entry.path)
                if len(found) > MOST_KEY_FILES:
                    raise InputRefused(f"keys: more than {MOST_KEY_FILES} key files lie beside the code")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        raise InputRefused("keys: the system could not read the folder beside the code") from None
    return dict(sorted(found.items()))


def find_key(path: Path, code: Code, identity: Identity) -> LevelKey:
    """The finest key beside a code that is for this identity and opens the code; the whole code is verified by it.

    Raises:
        CannotOpen: there is none.
        VerificationFailed: the code, or the only key file for this identity, was changed.
    """
    files = key_files(path)
    if not files:
        raise CannotOpen(
            "key file: none lies beside the code",
            hint=f"expected {keys_of(Path('CODE' + SUFFIX)).name}/; {_ASK}",
        )
    keys: list[LevelKey] = []
    errors: list[MedveilError] = []
    for file in files.values():
        try:
            keys.append(unwrap(_bytes(file), [identity], code.code_id))
        except MedveilError as error:
            errors.append(error)
    for key in sorted(keys, key=lambda k: (k.level, k.tags is not None), reverse=True):
        try:
            check(code, key)
            return key
        except MedveilError as error:
            errors.append(error)
    for wrong in errors:
        if isinstance(wrong, VerificationFailed):
            raise wrong
    if any("another code" in wrong.message or "different codes" in wrong.message for wrong in errors):
        raise CannotOpen("key file: the one for this identity is of another code", hint=_ASK)
    raise CannotOpen("key file: none beside the code is for this identity", hint=_ASK)


def add_key_file(path: Path, name: str, data: bytes, *, force: bool) -> None:
    """Write one key file beside a code.

    Raises:
        UsageError: somebody of this label has one already, and `force` is not set.
        OutputFailed: permissions, disk full.
    """
    folder = keys_of(path)
    if folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()):
        raise OutputFailed("keys: what lies beside the code is no folder")
    if name.lower() in {other.lower() for other in key_files(path)} and not force:
        raise UsageError("key file: somebody of this label has one already", hint="replace it with --force")
    with write_aside(folder / f"{name}{_KEY}", "key file") as file:
        file.write(data)


def refuse_target(path: Path, inputs: Sequence[Path], *, force: bool) -> None:
    """Refuse a place where no code may be written.

    Raises:
        UsageError: another suffix, an input itself, something that exists, or that is no code where one is replaced.
    """
    if path.suffix != SUFFIX or path.name == SUFFIX:
        raise UsageError(f"output: its name must end in {SUFFIX}", hint=f"--to NAME{SUFFIX}")
    refuse_input(path, inputs)
    folder = keys_of(path)
    if not force:
        if os.path.lexists(path) or os.path.lexists(folder):
            raise UsageError(
                "output: the code or the folder of its key files exists already",
                hint="name a new one, or replace both with --force",
            )
        return
    if os.path.lexists(path) and not _is_code(path):
        raise UsageError("output: --force replaces only codes, and this is none", hint="name a new file")
    if os.path.lexists(folder) and not _is_key_folder(folder):
        raise UsageError(
            "output: --force replaces only folders of key files, and the one beside it holds something else",
            hint="move it away, or name a new file",
        )


def refuse_input(path: Path, inputs: Sequence[Path]) -> None:
    """Refuse an output that is one of the inputs, whatever it is called.

    Raises:
        UsageError: it is.
    """
    for given in inputs:
        with suppress(OSError):
            if os.path.samefile(path, given):
                raise UsageError("output: is an input itself", hint="name a new file")


def lay(folder: Path, name: str, data: bytes, keys: Mapping[str, bytes]) -> list[Path]:
    """Write a code and its key files below a folder where nothing of this name is yet.

    Raises:
        OutputFailed: permissions, disk full.
    """
    code = folder / name
    written = [code]
    with write_aside(code, "code") as file:
        file.write(data)
    for who, content in keys.items():
        written.append(keys_of(code) / f"{who}{_KEY}")
        with write_aside(written[-1], "key file") as file:
            file.write(content)
    return written


def write_code(path: Path, data: bytes, keys: Mapping[str, bytes]) -> None:
    """Write a code and its key files, in place of what may be there; a failure leaves what was there before.

    Raises:
        OutputFailed: permissions, disk full.
    """
    aside = path.parent / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.mkdir()
            lay(aside, path.name, data, keys)
            _swap(aside, path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        sync_folder(path.parent)
    except OSError as error:
        raise failed("code", error) from None


def _swap(aside: Path, path: Path) -> None:
    """Key files first, the code last: a code that is there has its keys."""
    folder, old = keys_of(path), aside / "old"
    if os.path.lexists(folder):
        os.rename(folder, old)
    try:
        os.rename(keys_of(aside / path.name), folder)
        os.replace(aside / path.name, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        if os.path.lexists(old):
            os.rename(old, folder)
        raise


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(LONGEST_KEY_FILE + 1)
    except OSError:
        raise InputRefused("key file: the system could not read it") from None


def _is_code(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with open(path, "rb") as file:
            return file.read(len(NAME) + 1) == f"{NAME} ".encode()
    except OSError:
        return False


def _is_key_folder(folder: Path) -> bool:
    try:
        return not folder.is_symlink() and all(
            entry.suffix == _KEY and entry.is_file() for entry in folder.iterdir()
        )
    except OSError:
        return False
