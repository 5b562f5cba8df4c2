"""Search: thousands of byte strings in a stream, at a cost that does not grow with their number.

    four bytes at every place ──hash──> could a needle begin here? ──yes──> compare in full
         (numpy, whole block)              (one in some thousand)

The set of needles is fixed, blocks come one after the other; the end of each block is kept, so that no border
hides anything. Case of ASCII letters is ignored unless a needle says otherwise.
Source: the filter is that of Rabin and Karp 1987, with the first four bytes as the fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

SHORTEST = 4
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True, repr=False)
class Needle:
    """Bytes to look for.

    Args:
        content: at least 4 bytes.
        owner: number of what they stand for; several needles may share it.
        exact: whether upper and lower case differ.
        alone: whether an ASCII letter or digit right before or behind speaks against it.
    """

    content: bytes
    owner: int
    exact: bool = False
    alone: bool = False

    def __repr__(self) -> str:
        return "Needle(...)"


class Needles:
    """A set of needles, ready to be looked for; holds no state of a search.

    Raises:
        UsageError: a needle of less than 4 bytes.
    """

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._by_start: dict[int, list[tuple[bytes, Needle]]] = {}
        self.longest = 0
        for needle in needles:
            if len(needle.content) < SHORTEST:
                raise UsageError(f"search: a string has less than {SHORTEST} bytes, too few to mean anything")
            lower = needle.content.lower()
            self._by_start.setdefault(int.from_bytes(lower[:4], "little"), []).append((lower, needle))
            self.longest = max(self.longest, len(lower))
        self._starts = np.array(sorted(self._by_start), np.uint32)
        self._filter = np.zeros(1 << 16, bool)
        self._filter[_hash(self._starts.astype(np.uint32))] = True

    def found_in(self, block: bytes, *, first: bool = True, last: bool = True) -> set[int]:
        """Owners of the needles in a block.

        Args:
            block: the bytes.
            first, last: whether the stream begins, ends with this block: a needle that must stand alone and
                touches a border of the block is judged when the other side of the border is known.
        """
        found: set[int] = set()
        if len(block) < SHORTEST or not self._by_start:
            return found
        lower = block.lower()
        places: list[int] = []
        for shift in range(min(4, len(lower) - 3)):  # the four ways to lay words of four bytes over the block
            words = np.frombuffer(lower, "<u4", (len(lower) - shift) // 4, shift)
            likely = np.flatnonzero(self._filter.take(_hash(words)))
            at = np.searchsorted(self._starts, words[likely]).clip(max=len(self._starts) - 1)
            places += (4 * likely[self._starts[at] == words[likely]] + shift).tolist()
        for place in sorted(places):
            for text, needle in self._by_start[int.from_bytes(lower[place : place + 4], "little")]:
                if needle.owner in found or not lower.startswith(text, place):
                    continue
                if needle.exact and not block.startswith(needle.content, place):
                    continue
                if needle.alone and not _alone(lower, place, place + len(text), first, last):
                    continue
                found.add(needle.owner)
        return found


def _hash(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return words * np.uint32(2654435761) >> np.uint32(16)


def _alone(lower: bytes, start: int, end: int, first: bool, last: bool) -> bool:
    before = lower[start - 1] not in _WORD if start else first
    return before and (lower[end] not in _WORD if end < len(lower) else last)
