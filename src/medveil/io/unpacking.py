"""Unpacking: every byte of a stream is searched, and every byte that is packed inside it, layer by layer.

    file ──> search
      └── gzip, zlib, zip member, bzip2, xz, deflated DICOM, wherever one begins ──> search
                                                                     └── ... up to four deep

Names hide in a PNG's compressed comment, in a gzip file that somebody put into a private element, in a PDF's
streams. So packed data are not looked for by file type but by their first bytes, at every place of every stream;
a start that was none dies within a few bytes. Streaming: memory does not grow with the file or with what it
unpacks to. What could not be looked through (too deep, too much) makes the search `incomplete`, never clean.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medveil.io.search import Needles

DEEPEST = 4
MOST_OPEN = 64  # packed streams of one layer at a time; more is no file anybody wrote in good faith
MOST_BYTES = 1 << 36  # that one file may unpack to
_STEP = 1 << 18
_PIECE = 1024  # packed bytes at a time: what comes out of a piece that turns out to be broken is lost
_HOLD = 8192  # kept back, so that the start of a packed stream is seen whole
_START = re.compile(
    rb"\x1f\x8b\x08[\x00-\x1f]|\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04", re.DOTALL
)
_PAIRS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b", b"BZ", b"\xfd7", b"PK")
_FIRSTS = tuple({pair[0] for pair in _PAIRS})
_FIRST_TWO = np.zeros(1 << 16, bool)
_FIRST_TWO[[int.from_bytes(pair, "big") for pair in _PAIRS]] = True
_DEFLATED = b"1.2.840.10008.1.2.1.99"


@dataclass
class Found:
    """What a search has met so far: owners in plain bytes, owners in packed ones, and whether all was seen."""

    plain: set[int] = field(default_factory=set)
    packed: set[int] = field(default_factory=set)
    incomplete: bool = False
    unpacked_bytes: int = 0


class Unpacker:
    """Feed it a stream in blocks, then close it with the last; `found` says what was met.

    Args:
        needles: what to look for.
        found: where to note it; shared by all layers.
        depth: how many layers are around this one.
    """

    def __init__(self, needles: Needles, found: Found | None = None, depth: int = 0) -> None:
        self.found = Found() if found is None else found
        self._needles, self._depth = needles, depth
        self._tail, self._held, self._first, self._begun = b"", b"", True, False
        self._layers: list[_Layer] = []

    def feed(self, data: bytes) -> None:
        """The next bytes of the stream."""
        self._search(data, last=False)
        self._carve(self._held + data, last=False)

    def close(self, data: bytes = b"") -> None:
        """The stream is over, with these as its last bytes."""
        self._search(data, last=True)
        self._carve(self._held + data, last=True)
        for layer in self._layers:
            layer.close()
        self._layers = []

    def _search(self, data: bytes, *, last: bool) -> None:
        block = self._tail + data
        met = self._needles.found_in(block, first=self._first, last=last)
        (self.found.packed if self._depth else self.found.plain).update(met)
        keep = self._needles.longest + 1
        self._first = self._first and len(block) <= keep
        self._tail = block[-keep:]

    def _carve(self, block: bytes, *, last: bool) -> None:
        ready = len(block) if last else max(len(block) - _HOLD, 0)
        whole = memoryview(block)[:ready]
        self._layers = [layer for layer in self._layers if layer.feed(whole)]
        if ready and not self._begun:
            self._begun = True
            self._open(_deflated_dicom(block), whole, -zlib.MAX_WBITS)
        for start in _starts(block[: ready + 8], ready):
            kind = block[start : start + 2]
            if kind == b"PK":
                self._open(_zip_member(block, start), whole, -zlib.MAX_WBITS)
            elif kind in (b"BZ", b"\xfd7"):
                self._open(start, whole, 0, bz2.BZ2Decompressor if kind == b"BZ" else _xz)
            else:
                self._open(start, whole, 31 if kind == b"\x1f\x8b" else 15)
        self._held = block[ready:]

    def _open(self, start: int | None, ready: memoryview, bits: int, decoder: Any = None) -> None:
        """Begin a layer at `start`, which may lie behind what is ready."""
        if start is None:
            return
        if len(self._layers) >= MOST_OPEN:
            self.found.incomplete = True
            return
        inner = Unpacker(self._needles, self.found, self._depth + 1) if self._depth < DEEPEST else None
        layer = _Layer(decoder() if decoder else zlib.decompressobj(bits), self.found, inner)
        layer.skip = max(start - len(ready), 0)
        if layer.feed(ready[start:]):
            self._layers.append(layer)


class _Layer:
    """One packed stream: unpacks what it is fed, in steps, into the search of the layer below."""

    def __init__(self, decoder: Any, found: Found, inner: Unpacker | None) -> None:
        self._decoder, self._found, self._inner = decoder, found, inner
        self._pending, self._given = bytearray(), 0
        self.skip = 0

    def feed(self, data: memoryview) -> bool:
        """Whether there may be more to come."""
        dropped = min(self.skip, len(data))
        self.skip -= dropped
        return all(self._fed(data[at : at + _PIECE]) for at in range(dropped, len(data), _PIECE))

    def _fed(self, piece: memoryview | bytes) -> bool:
        while piece or not getattr(self._decoder, "needs_input", True):
            try:
                out = self._decoder.decompress(piece, _STEP)
            except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
                self.close()
                return False
            piece = getattr(self._decoder, "unconsumed_tail", b"")
            self._take(out)
            if self._decoder.eof or self._found.unpacked_bytes > MOST_BYTES:
                self.close()
                return False
            if not out and not piece:
                break
        return True

    def close(self) -> None:
        """Search what is left."""
        if self._inner is not None and self._given:
            self._inner.close(bytes(self._pending))
        self._pending, self._inner = bytearray(), None

    def _take(self, out: bytes) -> None:
        self._given += len(out)
        self._found.unpacked_bytes += len(out)
        if self._inner is None:
            # A chance start gives a few bytes at most; this one is real, and nobody looks into it.
            self._found.incomplete |= self._given >= 1024
            return
        self._found.incomplete |= self._found.unpacked_bytes > MOST_BYTES
        self._pending += out
        if len(self._pending) >= _STEP:
            self._inner.feed(bytes(self._pending))
            self._pending.clear()


def _starts(block: bytes, below: int) -> list[int]:
    """Where a packed stream may begin, in order."""
    signs = np.frombuffer(block, np.uint8)
    likely = signs[:-1] == _FIRSTS[0]
    for first in _FIRSTS[1:]:
        likely |= signs[:-1] == first
    at = np.flatnonzero(likely)
    at = at[_FIRST_TWO[signs[at] * np.uint16(256) + signs[at + 1]]]
    return [p for p in at.tolist() if p < below and _START.match(block, p)]


def _xz() -> Any:
    return lzma.LZMADecompressor(memlimit=1 << 28)


def _zip_member(block: bytes, start: int) -> int | None:
    """Where the deflated bytes of a zip member begin; None for stored ones, which the plain search has seen."""
    if block[start + 8 : start + 10] != b"\x08\x00":
        return None
    name, extra = (int.from_bytes(block[start + i : start + i + 2], "little") for i in (26, 28))
    return start + 30 + name + extra


def _deflated_dicom(block: bytes) -> int | None:
    """Where the deflated dataset of a DICOM file begins, or None (PS3.5 A.5, PS3.10 7.1)."""
    if block[128:138] != b"DICM\x02\x00\x00\x00UL" or len(block) < 144:
        return None
    start = 144 + int.from_bytes(block[140:144], "little")
    return start if _DEFLATED in block[132 : min(start, 4096)] else None
