"""What became of the elements of one file, by place and reason; values are never in it.

A place is the path of tags from the top: `0008,1140/0008,1155`. Elements of many items or frames share a place, so
the report of a film of 8,000 frames is as short as that of one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Path = tuple[int, ...]


def place(path: Path) -> str:
    """A path of tags in words.

    >>> place((0x00081140, 0x00081155))
    '0008,1140/0008,1155'
    """
    return "/".join(f"{tag >> 16:04X},{tag & 0xFFFF:04X}" for tag in path)


Counts = dict[Path, dict[tuple[int, str], int]]  # path of the dataset -> (tag, reason) -> how often


@dataclass
class Tally:
    """Counts while a file is walked, by dataset; turned into lines only if somebody asks."""

    kept: Counts = field(default_factory=dict)
    dropped: Counts = field(default_factory=dict)
    replaced: Counts = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Entry:
    """One line of a report: where, why, how often."""

    place: str
    reason: str
    times: int


@dataclass(frozen=True)
class Cleaned:
    """A cleaned file: the new dataset and what was done.

    Args:
        dataset: a new pydicom Dataset; shares no element with the original that was changed.
        subject: the pseudonym of the person.
        transfer_syntax: UID under which it must be written.
        tally: the counts behind `kept`, `dropped` and `replaced`.
        warnings: what a steward should know, without values.
    """

    dataset: Any
    subject: str
    transfer_syntax: str
    tally: Tally
    warnings: tuple[str, ...]

    @property
    def kept(self) -> tuple[Entry, ...]:
        """What stayed as it was, in the order of the places, and why it may."""
        return _entries(self.tally.kept)

    @property
    def dropped(self) -> tuple[Entry, ...]:
        """What went, and why."""
        return _entries(self.tally.dropped)

    @property
    def replaced(self) -> tuple[Entry, ...]:
        """What became something else, and what."""
        return _entries(self.tally.replaced)

    def __repr__(self) -> str:
        counts = f"{len(self.kept)} kept, {len(self.dropped)} dropped, {len(self.replaced)} replaced"
        return f"Cleaned({counts})"


def _entries(counts: Counts) -> tuple[Entry, ...]:
    flat = [((*path, tag), why, n) for path, found in counts.items() for (tag, why), n in found.items()]
    return tuple(Entry(place(path), reason, times) for path, reason, times in sorted(flat))
