"""Granting: who holds a key lets others in, up to their own level. The code is read and verified, never touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medveil.carry.sharing.people import identity_of, people
from medveil.carry.sharing.stored import add_key_file, find_key, key_files, read_code
from medveil.core.errors import CannotOpen, UsageError
from medveil.share.keys import wrap


@dataclass(frozen=True)
class Granted:
    """Key files that were written.

    Args:
        levels: finest level of each person, by label.
        tags: whether they may read the tags.
    """

    levels: dict[str, int]
    tags: bool

    def to_json(self) -> dict[str, Any]:
        return {"granted": self.levels, "tags": self.tags}

    def lines(self) -> list[str]:
        """What a person reads."""
        tags = " and the tags" if self.tags else ""
        return [f"{who}: levels up to {level}{tags}" for who, level in self.levels.items()]


def grant(
    path: Path,
    identity: Path,
    recipients: Sequence[str],
    *,
    level: int | None = None,
    tags: bool = False,
    force: bool = False,
) -> Granted:
    """Write key files for others, from the key that one holds oneself.

    Args:
        path: of the code.
        identity: one's own private key file.
        recipients: PUB or PUB:LEVEL.
        level: for those without a level of their own; None for one's own.
        tags: let them read the tags too.
        force: replace the key file of somebody who has one.

    Raises:
        CannotOpen: no key is for this identity, or it does not hold this level or the tags.
        UsageError: no such level, somebody has a key file already.
        InputRefused: a file that is no code or no key.
        VerificationFailed: the code was changed.
    """
    if level is not None and level < 1:
        raise UsageError("level: expected 1 or more; 1 is the coarsest")
    persons = people(recipients)
    mine = identity_of(identity)
    code = read_code(path)
    levels = {p.label: p.level or level for p in persons}
    for asked in levels.values():
        if asked is not None and asked > code.levels:
            raise UsageError(f"level: {asked} is asked for, the code has 1 to {code.levels}")
    key = find_key(path, code, mine)
    given = {who: asked or key.level for who, asked in levels.items()}
    if max(given.values()) > key.level:
        raise CannotOpen(
            f"level: {max(given.values())} is not granted to you, the finest you hold is {key.level}",
            hint="grant that or less, or ask the owner",
        )
    if tags and key.tags is None:
        raise CannotOpen("tags: are not granted to you, so you cannot pass them on", hint="ask the owner")
    there = {other.lower() for other in key_files(path)}
    if not force and there & {who.lower() for who in given}:
        raise UsageError("key file: somebody of this label has one already", hint="replace it with --force")
    for person in persons:
        data = wrap(key.below(given[person.label], tags=tags), code.code_id, [person.recipient])
        add_key_file(path, person.label, data, force=force)
    return Granted(given, tags)
