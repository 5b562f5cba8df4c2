"""Files of identities and recipients: a private key that only its owner reads, a public key for anyone.

    alice        AGE-SECRET-KEY-1...  or an OpenSSH private key; mode 600
    alice.pub    age1...  or  ssh-ed25519 AAAA...  or  ssh-rsa AAAA...; the name before .pub is the label of the grant

This file knows modes, sizes and names; what is in the text is read by `share.keys.read_identity` and
`share.keys.read_recipient`. Each file is written once, aside, then linked to its name: never over another one.
No error shows what is in a file, or where it is.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from medveil.core.errors import InputRefused, UsageError
from medveil.io.private_file import write_new

LONGEST = 1 << 16  # bytes; the private key of RSA 16384 has about 12,500
_LABEL = re.compile(r"[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,63}")


def read_identity_file(path: Path) -> bytes:
    """The bytes of a private key file, for `share.keys.read_identity`. A link to it is followed.

    Raises:
        InputRefused: not there, not a regular file, too large, or readable by others than its owner.
    """
    data, status = _read(path, "private key", "`medveil share keygen` makes one")
    if os.name == "posix" and status.st_mode & 0o077:
        raise InputRefused(
            "private key: others than its owner may read or change the file",
            hint="run chmod 600 on it; if others could have read it, make a new one",
        )
    return data


def read_recipient_file(path: Path) -> str:
    """The text of a public key file, for `share.keys.read_recipient`.

    Raises:
        InputRefused: not there, not a regular file, too large, or no text.
    """
    data, _ = _read(path, "public key", "ask its owner for it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputRefused("public key: is no text", hint="give the .pub file") from None


def label(path: Path) -> str:
    """Who a public key file is of, by its name: `keys/alice.pub` is alice. Key files beside a code are named by it.

    Raises:
        UsageError: the name could not be a file's name everywhere.
    """
    name = path.name.removesuffix(".pub")
    if not _LABEL.fullmatch(name):
        raise UsageError(
            "public key: its file's name cannot be the label of a grant",
            hint="rename it: at most 64 letters, digits and . _ @ + - before .pub",
        )
    return name


def write_identity_file(path: Path, secret: str, recipient: str) -> None:
    """A private key in a new file that only its owner reads (mode 600), its public line as a comment above.

    Args:
        path: where no file is yet; missing folders are made, for the owner only.
        secret: the line of the private key.
        recipient: the line of the public key.

    Raises:
        OutputFailed: something is there already, or it cannot be written, or not be kept from others.
    """
    write_new(path, f"# public key: {recipient}\n{secret}\n".encode(), "private key")


def write_recipient_file(path: Path, recipient: str) -> None:
    """A public key in a new file.

    Raises:
        OutputFailed: something is there already, or it cannot be written.
    """
    write_new(path, f"{recipient}\n".encode(), "public key", mode=0o644)


def _read(path: Path, what: str, missing: str) -> tuple[bytes, os.stat_result]:
    try:
        # O_NONBLOCK: a named pipe in its place must not hold us up.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise InputRefused(f"{what}: the file is not there", hint=missing) from None
    except (OSError, ValueError):
        raise InputRefused(f"{what}: the system could not open the file") from None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise InputRefused(f"{what}: is not a regular file")
        with open(handle, "rb", closefd=False) as file:
            data = file.read(LONGEST + 1)
    except OSError:
        raise InputRefused(f"{what}: the system could not read the file") from None
    finally:
        os.close(handle)
    if len(data) > LONGEST:
        raise InputRefused(f"{what}: the file is larger than a key can be")
    return data, status
