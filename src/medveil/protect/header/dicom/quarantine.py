"""A file that is not cleaned but set aside, by a named reason that holds nothing of what the file holds."""

from __future__ import annotations

from medveil.core.errors import Refusal


class Quarantine(Refusal):
    """The file can't be cleaned without guessing; `reason` is a short stable phrase, `tag` says where."""

    def __init__(self, reason: str, tag: int | None = None) -> None:
        place = "" if tag is None else f"at ({tag >> 16:04X},{tag & 0xFFFF:04X})"
        super().__init__(reason, place, hint="look at this file by hand; nothing of it was released")
