"""codec.jpeg2000: one JPEG 2000 codestream a slice, cut at its quality layers; the last level gives the exact bits.

    data ──> whole numbers 0 .. span ──> slices ──> reversible 5/3 wavelet, embedded bit planes (LRCP)
                                                    │ layer 1     │ layer 2     │ layer 3
                                                    level 1: 30 dB  + level 2: 50 dB  + level 3: exact

Nothing is sent twice: the codestream orders its packets by layer and lists their lengths (a PLT marker), so
level l is exactly the packets of layer l of every slice, and the first k make a complete codestream.

Pillow's OpenJPEG does the work: pylibjpeg-openjpeg 2.6 has layers only with the irreversible 9/7 wavelet,
whose last layer is never exact.

A volume is coded slice by slice along its thinnest axis (the last of them if several are), each time point
apart; what neighbouring slices share is not used. Colour is coded together (reversible colour transform) up
to 8 bits, plane by plane above.

A level's bytes, little-endian: CRC-32 of the rest (4) | level 1 only: length (2) and bytes of the COD and
QCD segments | length of the layer in each slice (4 each) | the layers | last level only: SHA-256 of the data.
"""

from __future__ import annotations

import struct
from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from math import inf, isfinite, log10
from typing import ClassVar

import numpy as np

from medveil.core.errors import Refusal, UsageError, VerificationFailed
from medveil.core.image import Array, Image
from medveil.share.base import Layered
from medveil.share.codec.codestream import COD, QCD, codestream, cut, decibel, decoded, mean_square, written
from medveil.share.codec.grid import Grid, Scale

VERSION = 1
ROUNDS = 5  # of aiming again at the PSNR asked for


@dataclass(frozen=True)
class Jpeg2000:
    """Image <-> levels of growing quality, the last one exact.

    Args:
        levels_db: least PSNR of each level below the last, in dB, ascending, in every slice; MAX is the
            largest minus the smallest value of the whole image. The exact level is always there and the
            whole hardly grows by them. 30 dB is a blurred preview at full size; 50 dB is an RMSE of 0.3 % of
            MAX, and whether one can diagnose from it is for a reader to say. Codestreams grow in steps,
            so a level may be better than asked: `reached_db` in the settings says what it is, over all slices,
            and None where it is the exact image already (a constant one, or one of few grey values).

    Raises:
        UsageError: the levels do not ascend, or are not between 5 and 100 dB.
    """

    levels_db: tuple[float, ...] = (30.0, 50.0)

    name: ClassVar[str] = "codec.jpeg2000"
    summary: ClassVar[str] = "JPEG 2000 in quality layers, the last one exact"

    def __post_init__(self) -> None:
        levels = tuple(float(db) for db in self.levels_db)
        if not all(5 <= db <= 100 for db in levels) or any(b <= a for a, b in pairwise(levels)):
            raise UsageError(
                "codec.jpeg2000: levels_db must ascend between 5 and 100 dB", hint="for example 30 50"
            )
        object.__setattr__(self, "levels_db", levels)

    def encode(self, image: Image) -> Layered:
        """The image as levels; decoded again before it is returned, so what is promised was seen.

        Raises:
            Refusal: numbers that are not whole or span more than 16 bits; labels, which cannot be blurred.
            VerificationFailed: the library did not give back the exact numbers.
        """
        if image.kind == "labels" and self.levels_db:
            raise Refusal(
                "labels cannot be blurred",
                "a coarse level would invent labels",
                hint="encode labels with levels_db=(), the exact level alone",
            )
        grid = Grid.of(image)
        slices = [
            embed(grid.scale.inside(plane), grid.scale, self.levels_db) for plane in grid.planes(image.data)
        ]
        header = slices[0].header
        if any(one.header != header for one in slices):
            raise VerificationFailed("codec.jpeg2000: slices of one size got different headers")
        levels = [pack([one.layers[k] for one in slices]) for k in range(len(self.levels_db) + 1)]
        levels[0] = struct.pack("<H", len(header)) + header + levels[0]
        levels[-1] += digest(image.data)
        settings = {
            "version": VERSION,
            "levels_db": list(self.levels_db),
            "reached_db": [
                reached(column, grid.scale.span)
                for column in zip(*(one.errors for one in slices), strict=True)
            ],
            **grid.to_json(),
        }
        return Layered(self.name, settings, tuple(struct.pack("<I", crc32(data)) + data for data in levels))

    def decode(self, layered: Layered) -> Image:
        """The image from its first levels; from all of them exactly the one that was encoded.

        Raises:
            VerificationFailed: levels or settings are damaged, or not what this codec writes.
        """
        grid, count = self._read(layered)
        scale, out = grid.scale, np.zeros(grid.shape, grid.dtype)
        header, bodies, seal = unpack(layered.levels, grid.slices, exact=len(layered.levels) == count)
        for place, parts in zip(grid.planes(out), zip(*bodies, strict=True), strict=True):
            stream = codestream(place.shape, scale.bits, header, parts)
            place[...] = scale.outside(decoded(stream, place.shape, scale.bits), grid.dtype)
        if seal and digest(out) != seal:
            raise VerificationFailed(
                "codec.jpeg2000: the exact level does not give the exact image",
                hint="the code is damaged; fetch it again",
            )
        return grid.image(out)

    def describe(self) -> str:
        """In words what will be done."""
        steps = "".join(f"{db:g} dB, then " for db in self.levels_db)
        return f"JPEG 2000 (reversible 5/3), one codestream a slice, in levels of {steps}the exact bits"

    def _read(self, layered: Layered) -> tuple[Grid, int]:
        """The grid of a code, and how many levels the whole has."""
        grid, levels_db = Grid.read(layered.settings, self.name), layered.settings.get("levels_db")
        if (
            layered.codec != self.name
            or layered.settings.get("version") != VERSION
            or not isinstance(levels_db, list | tuple)
            or not 1 <= len(layered.levels) <= len(levels_db) + 1
        ):
            raise VerificationFailed(f"{self.name}: settings are not what this codec writes")
        return grid, len(levels_db) + 1


@dataclass(frozen=True)
class Embedded:
    """One slice: COD and QCD of its codestream, its layers, and the mean squared error, in steps, at each lossy one."""

    header: bytes
    layers: list[bytes]
    errors: list[float]


def embed(pixels: Array, scale: Scale, levels_db: Sequence[float]) -> Embedded:
    """One slice as an embedded codestream.

    OpenJPEG aims at a PSNR by an estimate that is often 1 to 3 dB off, so each level is decoded and, if it fell
    short, aimed higher. A level that is still short in the last round holds everything.

    Args:
        pixels: (H, W[, 3]) uint8 or uint16, from `Scale.inside`.

    Raises:
        VerificationFailed: the last layer does not give back the very pixels.
    """
    peak = (1 << scale.bits) - 1  # the library's MAX
    offset = 20 * log10(peak / max(scale.span, 1))
    aim = [db + lost_db(10 ** (-db / 10) * scale.span**2) for db in levels_db]
    for rounds_left in reversed(range(ROUNDS)):
        stream = written(pixels, layers_db=[*(db + offset if isfinite(db) else 0 for db in aim), 0])
        header, layers = cut(stream, pixels, len(aim) + 1)
        seen = [
            decoded(codestream(pixels.shape, scale.bits, header, layers[:k]), pixels.shape, scale.bits)
            for k in range(1, len(aim) + 1)
        ]
        errors = [mean_square(pixels, scale.cut_off(coarse)) for coarse in seen]
        short = [db - decibel(error, scale.span) for db, error in zip(levels_db, errors, strict=True)]
        if all(gap <= 0 for gap in short):
            break
        aim = [
            db + (0 if gap <= 0 else inf if rounds_left == 1 else 1.7 * gap + 0.1)
            for db, gap in zip(aim, short, strict=True)
        ]
    exact = decoded(codestream(pixels.shape, scale.bits, header, layers), pixels.shape, scale.bits)
    if not np.array_equal(pixels, exact):
        raise VerificationFailed("codec.jpeg2000: the library did not give back the exact numbers")
    return Embedded(header, layers, errors)


def lost_db(budget: float) -> float:
    """By how much a first aim is set higher, in dB, for a mean squared error of `budget` squared steps.

    The library does not count what the reversible wavelet and the output round away, about a quarter of a squared
    step, and is some tenths of a dB off besides (20 films, one head).
    """
    return 0.3 - 10 * log10(max(1 - 0.25 / max(budget, 0.25), 0.2))


def reached(errors: Sequence[float], span: int) -> float | None:
    """PSNR of all slices together in dB; None where they are exact."""
    error = sum(errors) / len(errors)
    return round(decibel(error, span), 2) if error else None


def pack(parts: Sequence[bytes]) -> bytes:
    """Lengths, then the parts."""
    return np.array([len(part) for part in parts], "<u4").tobytes() + b"".join(parts)


def unpack(levels: Sequence[bytes], count: int, *, exact: bool) -> tuple[bytes, list[list[bytes]], bytes]:
    """Header, the parts of each level and, from the last level of all, the digest.

    Raises:
        VerificationFailed: a level is damaged or of another length than it says.
    """
    header, seal, bodies = b"", b"", []
    for k, level in enumerate(levels):
        body = memoryview(level)[4:]
        if len(level) < 4 or struct.pack("<I", crc32(body)) != level[:4]:
            raise VerificationFailed(f"codec.jpeg2000: level {k + 1} is damaged", hint="fetch the code again")
        if exact and k == len(levels) - 1:
            body, seal = body[:-32], bytes(body[-32:])
        if k == 0:
            size = struct.unpack("<H", body[:2])[0] if len(body) >= 2 else 0
            header, body = bytes(body[2 : 2 + size]), body[2 + size :]
        if len(body) < 4 * count:
            raise VerificationFailed(f"codec.jpeg2000: level {k + 1} is too short")
        ends = 4 * count + np.concatenate(
            ([0], np.cumsum(np.frombuffer(body[: 4 * count], "<u4"), dtype=np.int64))
        )
        if ends[-1] != len(body):
            raise VerificationFailed(f"codec.jpeg2000: level {k + 1} has another length than it says")
        bodies.append([bytes(body[a:b]) for a, b in pairwise(ends)])
    # COD: 12 bytes, no own precincts, LRCP, reversible wavelet; QCD: without quantisation.
    sound = (
        len(header) > 19
        and header[:6] == struct.pack(">HHBB", COD, 12, 0, 0)
        and header[13] == 1
        and struct.unpack_from(">HH", header, 14) == (QCD, len(header) - 16)
        and header[18] & 0x1F == 0
    )
    if not sound:
        raise VerificationFailed("codec.jpeg2000: the header is not what this codec writes")
    return header, bodies, seal


def digest(data: Array) -> bytes:
    """SHA-256 over dtype, shape and numbers."""
    return sha256(f"{data.dtype.str}{data.shape}".encode() + np.ascontiguousarray(data).tobytes()).digest()
