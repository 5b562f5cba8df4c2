"""People: whose public keys were given, which level each of them gets, and new keys for those who have none.

alice.pub      the finest level and the tags; may grant on
bob.pub:2      the levels up to 2, no tags
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from medveil.core.errors import MedveilError, OutputFailed, UsageError
from medveil.io.recipients import (
    label,
    read_identity_file,
    read_recipient_file,
    write_identity_file,
    write_recipient_file,
)
from medveil.share.identities import Identity, Recipient, new_identity, read_identity, read_recipient

LOOKS_LIKE_A_KEY = ("age1", "ssh-ed25519 ", "ssh-rsa ")


@dataclass(frozen=True)
class Person:
    """Somebody who is granted something.

    Args:
        label: name of their key file; the name of the .pub file.
        recipient: their public key.
        level: the finest level they get, None where none was said.
    """

    label: str
    recipient: Recipient
    level: int | None


@dataclass(frozen=True)
class NewIdentity:
    """A key pair that was written.

    Args:
        recipient: the public key, which may be shown to anyone.
    """

    recipient: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        return [f"public key: {self.recipient}"]


def keygen(path: Path) -> NewIdentity:
    """A fresh key pair: the identity at `path` (mode 600), the public key at `path`.pub.

    Raises:
        UsageError: a name that cannot label a grant.
        OutputFailed: something is there already, or it cannot be written, or not be kept from others.
    """
    if path.name.endswith(".pub"):
        raise UsageError(
            "private key: its name ends in .pub", hint="give the name without .pub; that file is made too"
        )
    public = path.with_name(f"{path.name}.pub")
    label(public)
    if os.path.lexists(public):
        raise OutputFailed("public key: something is there already", hint="choose another name")
    identity, recipient = new_identity()
    write_identity_file(path, identity, recipient)
    try:
        write_recipient_file(public, recipient)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return NewIdentity(recipient)


def people(given: Sequence[str]) -> tuple[Person, ...]:
    """The people whose files were given, as PUB or PUB:LEVEL.

    Raises:
        UsageError: nobody, somebody twice, two of one label, or no level behind the colon.
        InputRefused: a file that holds no public key.
    """
    if not given:
        raise UsageError("recipient: nobody was given", hint="--recipient alice.pub")
    found: list[Person] = []
    for n, text in enumerate(given, start=1):
        try:
            found.append(_person(text, found))
        except MedveilError as error:
            which = f"recipient {n}: " if len(given) > 1 else ""
            raise type(error)(which + error.message, hint=error.hint) from None
    return tuple(found)


def refuse_unknown_levels(persons: Sequence[Person], levels: int) -> None:
    """Refuse levels that the code will not have, and a code that nobody could read in full.

    Raises:
        UsageError: one of these.
    """
    for n, person in enumerate(persons, start=1):
        if person.level is not None and person.level > levels:
            raise UsageError(f"recipient {n}: level {person.level} is asked for, the code has 1 to {levels}")
    if all(person.level is not None for person in persons):
        raise UsageError(
            "recipient: nobody gets the finest level and the tags, so nobody could ever grant or read them",
            hint="give your own public key too, without a level",
        )


def identity_of(path: Path) -> Identity:
    """The private key in a file.

    Raises:
        InputRefused: not there, open to others, under a passphrase, or no private key.
    """
    return read_identity(read_identity_file(path))


def _person(text: str, before: Sequence[Person]) -> Person:
    path, level = _split(text)
    recipient = read_recipient(read_recipient_file(path))
    person = Person(label(path), recipient, level)
    for other in before:
        if other.recipient == recipient:
            raise UsageError("public key: was given twice", hint="give each person once, with one level")
        if other.label.lower() == person.label.lower():
            raise UsageError(
                "public key: another one has the same file name, and key files are named by it",
                hint="rename one of the .pub files",
            )
    return person


def _split(text: str) -> tuple[Path, int | None]:
    """File and level of PUB or PUB:LEVEL."""
    if text.startswith(LOOKS_LIKE_A_KEY) and not os.path.isfile(text):
        raise UsageError(
            "public key: expected its file, not the key itself", hint="write the line into NAME.pub"
        )
    head, colon, tail = text.rpartition(":")
    if os.path.isfile(text) or not colon:
        return Path(text), None
    if tail.isascii() and tail.isdigit() and int(tail[:4]) >= 1:
        return Path(head), int(tail[:4])
    if os.path.isfile(head):
        raise UsageError(
            "public key: a level from 1 was expected behind the colon", hint="for example bob.pub:2"
        )
    return Path(text), None
