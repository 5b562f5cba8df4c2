"""Search: thousands of byte strings in a stream, at a cost that does not grow with their number.

    four bytes at each place ──hash──> could they be of a needle? ──yes──> compare in full
        (numpy, whole block)              (one in some thousand)

If every needle has 7 bytes or more, it holds the word at a multiple of four wherever it begins, so that one place in
four is looked at; with 5 bytes, one in two.

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
_BITS = 17  # of the hash
_SMALL = 512  # bytes; below, a loop is faster than starting numpy
_WORD = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")


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
        wanted = list(needles)
        self.longest = max((len(needle.content) for needle in wanted), default=0)
        shortest = min((len(needle.content) for needle in wanted), default=SHORTEST)
        if shortest < SHORTEST:
            raise UsageError(f"search: a string has less than {SHORTEST} bytes, too few to mean anything")
        # Of places so far apart, each needle covers one with all four bytes of a word.
        self._apart = 4 if shortest >= 7 else 2 if shortest >= 5 else 1
        self._by_word: dict[int, list[tuple[int, bytes, Needle]]] = {}
        for needle in wanted:
            lower = needle.content.lower()
            for ahead in range(self._apart):
                word = int.from_bytes(lower[ahead : ahead + 4], "little")
                word |= (word & 0x40404040) >> 1  # as `_folded` does
                self._by_word.setdefault(word, []).append((ahead, lower, needle))
        self._words = np.array(sorted(self._by_word), np.uint32)
        self._filter = np.zeros(1 << _BITS, bool)
        self._filter[_hash(self._words)] = True

    def found_in(self, block: bytes, *, first: bool = True, last: bool = True) -> set[int]:
        """Owners of the needles in a block.

        Args:
            block: the bytes.
            first, last: whether the stream begins, ends with this block: a needle that must stand alone and
                touches a border of the block is judged when the other side of the border is known.
        """
        found: set[int] = set()
        if len(block) < SHORTEST or not self._by_word:
            return found
        for place, word in self._places(_folded(block)):
            for ahead, text, needle in self._by_word[word]:
                start, end = place - ahead, place - ahead + len(text)
                if needle.owner in found or start < 0 or block[start:end].lower() != text:
                    continue
                if needle.exact and not block.startswith(needle.content, start):
                    continue
                if needle.alone and not _alone(block, start, end, first, last):
                    continue
                found.add(needle.owner)
        return found

    def _places(self, folded: bytes) -> list[tuple[int, int]]:
        """Where four bytes of a needle are, and which, at places that are a multiple of `_apart`."""
        if len(folded) < _SMALL:
            words = (
                (n, int.from_bytes(folded[n : n + 4], "little"))
                for n in range(0, len(folded) - 3, self._apart)
            )
            return [(n, word) for n, word in words if word in self._by_word]
        met: list[tuple[int, int]] = []
        for shift in range(0, 4, self._apart):
            there = np.frombuffer(folded, "<u4", (len(folded) - shift) // 4, shift)
            likely = np.flatnonzero(self._filter.take(_hash(there)))
            some = there[likely]
            sure = self._words[np.searchsorted(self._words, some).clip(max=len(self._words) - 1)] == some
            met += zip((4 * likely[sure] + shift).tolist(), some[sure].tolist(), strict=True)
        return met


def _folded(block: bytes) -> bytes:
    """ASCII letters in lower case; some other bytes become equal too, so what is found is compared again."""
    signs = np.frombuffer(block, np.uint8)
    return (signs | (signs & np.uint8(0x40)) >> np.uint8(1)).tobytes()


def _hash(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return words * np.uint32(2654435761) >> np.uint32(32 - _BITS)


def _alone(block: bytes, start: int, end: int, first: bool, last: bool) -> bool:
    before = block[start - 1] not in _WORD if start else first
    return before and (block[end] not in _WORD if end < len(block) else last)
