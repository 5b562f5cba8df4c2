"""Whom a code can be shared with: public and private keys of age and SSH, as their files spell them.

    recipient   age1...             ssh-ed25519 AAAA...          ssh-rsa AAAA... (2048 bits or more)
    identity    AGE-SECRET-KEY-1... OpenSSH private key file     OpenSSH private key file, or PEM

A private key under a passphrase is refused: medveil asks for none. What is read here was checked by pyrage, so a
damaged key is found before anything is encrypted to it.

Sources: age v1, https://age-encryption.org/v1; PROTOCOL.key of OpenSSH.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from medveil.core.errors import InputRefused

_OPENSSH = b"openssh-key-v1\0"
_KINDS = "age (x25519), ssh-ed25519 and ssh-rsa are; `medveil share keygen` makes an age key"
_DAMAGED = "private key: is damaged"
_LOCKED = "private key: is under a passphrase, which medveil does not ask for"
_FRESH = "make a key for this purpose with `medveil share keygen`"

Kind = Literal["x25519", "ssh-ed25519", "ssh-rsa"]


@dataclass(frozen=True)
class Recipient:
    """Somebody's public key.

    Args:
        kind: of key.
        text: `age1...`, or `ssh-ed25519 AAAA...` or `ssh-rsa AAAA...` without the comment, which may name a person.
    """

    kind: Kind
    text: str

    def for_age(self) -> Any:
        """What pyrage encrypts to.

        Raises:
            InputRefused: damaged, or too short a key.
        """
        import pyrage

        make = pyrage.x25519 if self.kind == "x25519" else pyrage.ssh
        try:
            return make.Recipient.from_str(self.text)
        except pyrage.RecipientError as error:
            if "TooSmall" in str(error):
                raise InputRefused("public key: its RSA modulus has fewer than 2048 bits") from None
            raise InputRefused("public key: is damaged, or of no kind that is offered", hint=_KINDS) from None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Identity:
    """Somebody's private key.

    Args:
        kind: of key.
        secret: the line of an age identity, or a whole OpenSSH private key file.
    """

    kind: Kind
    secret: bytes

    def for_age(self) -> Any:
        """What pyrage decrypts with.

        Raises:
            InputRefused: damaged.
        """
        import pyrage

        try:
            if self.kind == "x25519":
                return pyrage.x25519.Identity.from_str(self.secret.decode("ascii"))
            return pyrage.ssh.Identity.from_buffer(self.secret)
        except (pyrage.IdentityError, UnicodeDecodeError):
            raise InputRefused(_DAMAGED) from None

    def __repr__(self) -> str:
        return f"Identity({self.kind})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled: hand over the path of its file")


def new_identity() -> tuple[str, str]:
    """A fresh age key pair: the secret line `AGE-SECRET-KEY-1...` and the line `age1...` to give to others."""
    from pyrage import x25519

    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def read_recipient(text: str) -> Recipient:
    """The public key in the text of a `.pub` file: one line; blank lines and those that start with # do not count.

    Raises:
        InputRefused: none or several keys, a private key, a kind that is not offered, or a damaged one.
    """
    if "PRIVATE KEY" in text or "AGE-SECRET-KEY" in text:
        raise InputRefused(
            "public key: this is a private key",
            hint="give the .pub file, and keep this one from others",
        )
    line = _only_line(text, "public key")
    words = line.split()
    kind: Kind
    if words[0] in ("ssh-ed25519", "ssh-rsa"):
        kind = "ssh-ed25519" if words[0] == "ssh-ed25519" else "ssh-rsa"
        recipient = Recipient(kind, " ".join(words[:2]))
    elif len(words) == 1 and line.startswith("age1") and line.isascii():
        recipient = Recipient("x25519", line)
    else:
        raise InputRefused("public key: is of no kind that is offered", hint=_KINDS)
    recipient.for_age()  # damage is found now, not when somebody is to be granted something
    return recipient


def read_identity(data: bytes) -> Identity:
    """The private key in the bytes of a file: an age identity, or an OpenSSH or PEM private key.

    Raises:
        InputRefused: none or several keys, a public key, one under a passphrase, a kind that is not offered.
    """
    if data.startswith((b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED")):
        raise InputRefused(_LOCKED, hint="decrypt it with `age -d` into a file of mode 600 and give that")
    if data.lstrip().startswith(b"-----BEGIN "):
        return _ssh_identity(data)
    try:
        line = _only_line(data.decode("ascii"), "private key")
    except UnicodeDecodeError:
        raise InputRefused("private key: is of no kind that is offered", hint=_KINDS) from None
    if line.startswith(("age1", "ssh-")):
        raise InputRefused("private key: this is a public key", hint="give the file without .pub")
    if not line.startswith("AGE-SECRET-KEY-1"):
        raise InputRefused("private key: is of no kind that is offered", hint=_KINDS)
    identity = Identity("x25519", line.encode())
    identity.for_age()
    return identity


def _only_line(text: str, what: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) != 1:
        raise InputRefused(f"{what}: {len(lines)} keys in one file, expected one")
    return lines[0]


def _ssh_identity(data: bytes) -> Identity:
    """An OpenSSH private key (openssh-key-v1), or one of OpenSSL's RSA in PEM."""
    kind: Kind = "ssh-rsa"
    if b"Proc-Type: 4,ENCRYPTED" in data or b"BEGIN ENCRYPTED PRIVATE KEY" in data:
        raise InputRefused(_LOCKED, hint=_FRESH)
    if data.lstrip().startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----"):
        try:
            body = base64.b64decode(b"".join(data.split(b"-----")[2].split()), validate=True)
            start, rest = body[: len(_OPENSSH)], body[len(_OPENSSH) :]
            if start != _OPENSSH:
                raise ValueError
            cipher, rest = _string(rest)
            _, rest = _string(rest)  # name of the key derivation
            _, rest = _string(rest)  # its options
            public, _ = _string(rest[4:])  # after the number of keys
            name, _ = _string(public)
        except (IndexError, ValueError):
            raise InputRefused(_DAMAGED) from None
        if cipher != b"none":
            raise InputRefused(_LOCKED, hint=_FRESH)
        if name not in (b"ssh-ed25519", b"ssh-rsa"):
            raise InputRefused("private key: is of no kind that is offered", hint=_KINDS)
        kind = "ssh-ed25519" if name == b"ssh-ed25519" else "ssh-rsa"
    elif not data.lstrip().startswith(b"-----BEGIN RSA PRIVATE KEY-----"):
        raise InputRefused("private key: is of no kind that is offered", hint=_KINDS)
    identity = Identity(kind, data)
    identity.for_age()
    return identity


def _string(data: bytes) -> tuple[bytes, bytes]:
    """A string of SSH's wire format (RFC 4251, section 5), and what follows it."""
    end = 4 + int.from_bytes(data[:4], "big")
    if len(data) < end or len(data) < 4:
        raise ValueError
    return data[4:end], data[end:]
