"""Chance: residues that chance alone writes, told from those that somebody left.

    ID 481516  in  2.25.3019448151623...      a drawn UID holds every six digits once in a while
    "Jane"     in  voxels, packed or not      four letters come up once in some hundred megabytes
    "Mark"     in  report.html                a word of medveil's own page

`residues` looks at everything. Each file in which it finds something is looked at again, with more care:
long identifiers count wherever they are; short ones only where something is said (outside voxels); digits
only outside of numbers that were drawn or computed; and in medveil's own documents no word of its own.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path

from medveil.core.errors import InputRefused
from medveil.io.nifti import looks_like_dicom
from medveil.io.residual import Identifier, Residue, Where, needles_of, places, residues, searchable
from medveil.io.search import Needles
from medveil.io.unpacking import Unpacker

LONG = 8  # signs; so many come up by chance in no release there will ever be
DOCUMENTS = ("report.html", "findings.json", "manifest.json", "recipe.toml")
# A UID out of a key, a SHA-256, a computed number: digits that say nothing of anybody.
_DRAWN = re.compile(
    rb"(?<![\d.])2\.25\.\d{20,39}(?![\d.])|(?<![0-9a-zA-Z])[0-9a-f]{64}(?![0-9a-zA-Z])|(?<![\d.])\d{1,4}\.\d{7,}(?![\d.])"
)
# Values of DICOM's days and times (PS3.5 7.1.2), where other digits say nothing: a day that was moved, an hour.
_CLOCK = re.compile(rb"(?:DA|DT|TM).\x00[\d.:+\\ -]{4,64}", re.DOTALL)
_INLINE = re.compile(rb"base64,([A-Za-z0-9+/]{64,}={0,2})")


def left_behind(
    folder: Path, identifiers: Iterable[Identifier], own_words: Callable[[], frozenset[str]] = frozenset
) -> list[Residue]:
    """`residues`, without those that chance explains.

    Args:
        folder: an output folder, or one file.
        identifiers: of the source.
        own_words: gives the words, in lower case, that medveil's own documents hold whoever they are about;
            asked only if something is found in one.

    Raises:
        InputRefused: as `residues`.
    """
    wanted = list(dict.fromkeys(identifiers))
    found = residues(folder, wanted)
    inside = sorted({r.place for r in found if r.where in ("bytes", "packed bytes")})
    if not inside:
        return found
    all_places = places(folder)
    again = [r for n in inside for r in _again(all_places[n - 1], n, wanted, own_words)]
    return sorted([r for r in found if r.where not in ("bytes", "packed bytes")] + again)


def _again(
    path: Path, number: int, wanted: Sequence[Identifier], own_words: Callable[[], frozenset[str]]
) -> list[Residue]:
    try:
        content = path.read_bytes()
    except OSError:
        raise InputRefused("output: a file of it could not be read, so it is not searched") from None
    pieces = [(owner, piece) for owner, i in enumerate(wanted) for piece in _pieces(i)]
    if path.name in DOCUMENTS:
        own = own_words()
        pieces = [(owner, piece) for owner, piece in pieces if piece.value.lower() not in own]
    long = [p for p in pieces if _signs(p[1]) >= LONG]
    plain: set[int] = set()
    packed: set[int] = set()
    undrawn = _DRAWN.sub(b" ", content)
    for part, looked_for in (
        (content, [p for p in long if not _is_number(p[1])]),
        (undrawn, [p for p in long if p[1].kind == "date"]),
        (_CLOCK.sub(b" ", undrawn), [p for p in long if p[1].kind != "date" and _is_number(p[1])]),
        (_CLOCK.sub(b" ", _DRAWN.sub(b" ", _said(content))), [p for p in pieces if _signs(p[1]) < LONG]),
    ):
        if looked_for:
            search = Unpacker(Needles(n for owner, piece in looked_for for n in needles_of(owner, piece)))
            search.close(part)
            plain |= search.found.plain
            packed |= search.found.packed
    met: dict[tuple[str, Where], int] = {}
    for owner in plain | packed:
        key: tuple[str, Where] = wanted[owner].kind, "bytes" if owner in plain else "packed bytes"
        met[key] = met.get(key, 0) + 1
    return [Residue(number, kind, where, count) for (kind, where), count in met.items()]


def _pieces(identifier: Identifier) -> list[Identifier]:
    """A name as a whole and by its parts, each to be judged by its own length; others as they are."""
    if identifier.kind != "name":
        return [identifier]
    parts = re.split(r"[\^=\s,]+", identifier.value)
    whole = [Identifier("text", identifier.value)]  # text is searched whole
    return whole + [Identifier("text", p) for p in parts if searchable(Identifier("name", p))]


def _signs(identifier: Identifier) -> int:
    return LONG if identifier.kind == "date" else len(identifier.value.strip().strip("\0"))


def _is_number(identifier: Identifier) -> bool:
    return identifier.kind == "date" or re.sub(r"[\W_]", "", identifier.value).isdecimal()


def _said(content: bytes) -> bytes:
    """The part of a file that says something: without voxels, and with pictures in a page unpacked from their text."""
    if content[:2] == b"\x1f\x8b":
        member = zlib.decompressobj(wbits=31)
        try:
            plain = member.decompress(content)
        except zlib.error:
            return content
        return content[:64] + b"\0" + _around_voxels(plain) + b"\0" + member.unused_data
    if content[:4] in (struct.pack(o + "i", n) for o in "<>" for n in (348, 540)):
        return _around_voxels(content)
    return _before_pixels(content) if looks_like_dicom(content[:140]) else _INLINE.sub(_unpacked, content)


def _around_voxels(plain: bytes) -> bytes:
    """A NIfTI file without the bytes of its voxels; another content as it is."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    for kind in (Nifti1Header, Nifti2Header):
        length = kind.sizeof_hdr
        if len(plain) < length:
            continue
        header = kind(plain[:length], check=False)
        at, (rank, *sizes) = header["vox_offset"], map(int, header["dim"])
        voxels = math.prod(sizes[: max(rank, 0)]) * int(header["bitpix"]) // 8
        if header["sizeof_hdr"] == length <= at <= len(plain) and voxels >= 0:
            return plain[: int(at)] + b"\0" + plain[int(at) + voxels :]
    return plain


def _before_pixels(content: bytes) -> bytes:
    """A DICOM file up to its pixels; all of it where it cannot be parsed."""
    from pydicom import dcmread

    file = BytesIO(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dcmread(file, stop_before_pixels=True)
        except Exception:  # noqa: BLE001 - what cannot be parsed is searched whole
            return content
    return content[: file.tell()]


def _unpacked(match: re.Match[bytes]) -> bytes:
    try:
        return base64.b64decode(match[1], validate=True)
    except binascii.Error:
        return match[0]
