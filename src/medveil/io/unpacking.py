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
_HOLD = 8192  # kept back, so that the start of a packed stream is seen whole
_START = re.compile(
    rb"\x1f\x8b\x08[\x00-\x1f]|\x78[\x01\x5e\x9c\xda]|BZh[1-9]1AY&SY|\xfd7zXZ\x00|PK\x03\x04", re.DOTALL
)
_FIRST_TWO = np.zeros(1 << 16, bool)
for _pair in (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"BZ", b"\xfd7", b"PK"):
    _FIRST_TWO[int.from_bytes(_pair, "little")] = True
_DEFLATED = b"1.2.840.10008.1.2.1.99"


@dataclass
class Found:
    """What a search has met so far: owners in plain bytes, owners in packed ones, and whether all was seen."""

    plain: set[int] = field(default_factory=set)
    packed: set[int] = field(default_factory=set)
    incomplete: bool = False
    unpacked_bytes: int = 0


class Unpacker:
    """Feed it a stream in blocks, then close it; `found` says what was met.

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

    def close(self) -> None:
        """The stream is over."""
        self._search(b"", last=True)
        self._carve(self._held, last=True)
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
        self._layers = [layer for layer in self._layers if layer.feed(block[:ready])]
        if ready and not self._begun:
            self._begun = True
            self._open(_deflated_dicom(block), block[:ready], -zlib.MAX_WBITS)
        for start in _starts(block[: ready + 8], ready):
            kind = block[start : start + 2]
            if kind == b"PK":
                self._open(_zip_member(block, start), block[:ready], -zlib.MAX_WBITS)
            elif kind in (b"BZ", b"\xfd7"):
                self._open(start, block[:ready], 0, bz2.BZ2Decompressor if kind == b"BZ" else _xz)
            else:
                self._open(start, block[:ready], 31 if kind == b"\x1f\x8b" else 15)
        self._held = block[ready:]

    def _open(self, start: int | None, ready: bytes, bits: int, decoder: Any = None) -> None:
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

    def feed(self, data: bytes) -> bool:
        """Whether there may be more to come."""
        dropped = min(self.skip, len(data))
        self.skip -= dropped
        data = data[dropped:]
        while data or not getattr(self._decoder, "needs_input", True):
            try:
                out = self._decoder.decompress(data, _STEP)
            except (zlib.error, OSError, EOFError, ValueError, lzma.LZMAError):
                self.close()
                return False
            data = getattr(self._decoder, "unconsumed_tail", b"")
            self._take(out)
            if self._decoder.eof or self._found.unpacked_bytes > MOST_BYTES:
                self.close()
                return False
            if not out and not data:
                break
        return True

    def close(self) -> None:
        """Search what is left."""
        if self._inner is not None and self._given:
            self._inner.feed(bytes(self._pending))
            self._inner.close()
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
    places: list[int] = []
    for shift in (0, 1) if len(block) > 1 else ():
        words = np.frombuffer(block, "<u2", (len(block) - shift) // 2, shift)
        places += (2 * np.flatnonzero(_FIRST_TWO.take(words)) + shift).tolist()
    return sorted(p for p in places if p < below and _START.match(block, p))


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
