"""Pixel data cut to what the header says it holds: nothing behind the last frame, no comments inside a frame.

    native       | frames ........................ | padding | what somebody hid here |  -> cut
    compressed   | offsets | frame | frame | ... | surplus fragments |                   -> cut, offsets made anew
    in a frame   | SOI | APPn | COM "text" | tables | scan ... | EOI | trailing |        -> text segments out

The stored pixels are not touched. Text segments of JPEG (COM, APPn but for what decoding needs) and JPEG 2000
(COM) leave, since encoders and workstations write notes there.

Source: PS3.5 Annex A.4; ISO/IEC 10918-1 B.2 (segments), 15444-1 Annex A (COM is FF64, first tile part FF90).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from medveil.protect.header.dicom.quarantine import Quarantine

PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81))
_JPEG_2000 = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93, 201, 202, 203))
_RLE = "1.2.840.10008.1.2.5"
_END = b"\xff\xd9"


def cut(dataset: Any, element: Any, transfer_syntax: str) -> tuple[bytes, bool]:
    """The value of pixel data without anything that is no pixel, and whether something was cut off.

    Args:
        dataset: the pydicom dataset the element is of (rows, columns, frames are read).
        element: (7FE0,0008), (7FE0,0009) or (7FE0,0010), raw or not.
        transfer_syntax: UID.

    Raises:
        Quarantine: the layout is not stated, or compressed data can't be parsed.
    """
    from pydicom.uid import UID

    value = element.value
    if not isinstance(value, bytes):
        raise Quarantine("pixel data that are no bytes", int(element.tag))
    syntax = UID(transfer_syntax)
    encapsulated = value[:4] in (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00") and _undefined(element)
    if syntax.is_compressed and not syntax.is_deflated:
        try:
            new, changed = _compressed(value, _frames(dataset), transfer_syntax)
        except Quarantine:
            raise
        except Exception as error:
            raise Quarantine("compressed pixel data that can't be parsed", int(element.tag)) from error
        return new, changed or not _undefined(element)  # frames under a stated length are not valid
    if encapsulated:
        raise Quarantine("compressed pixel data under a name of uncompressed ones", int(element.tag))
    return _native(dataset, value)


def _undefined(element: Any) -> bool:
    return bool(getattr(element, "is_undefined_length", False)) or getattr(element, "length", 0) == 0xFFFFFFFF


def _frames(dataset: Any) -> int:
    try:
        return max(int(dataset.get("NumberOfFrames", 1) or 1), 1)
    except (TypeError, ValueError) as error:
        raise Quarantine("number of frames is no number", 0x00280008) from error


def _native(dataset: Any, value: bytes) -> tuple[bytes, bool]:
    from pydicom.pixels.utils import get_expected_length

    _frames(dataset)
    try:
        expected = int(get_expected_length(dataset, unit="bytes"))
    except Exception as error:
        raise Quarantine("layout of the pixels is not stated", 0x7FE00010) from error
    even = expected + expected % 2  # the byte of padding stays: in big endian words it is not the last one
    return value[:even], len(value) > even


def _compressed(value: bytes, frames: int, syntax: str) -> tuple[bytes, bool]:
    from pydicom.encaps import generate_fragments, itemize_fragment

    table_length = int.from_bytes(value[4:8], "little")
    if len(value) % 2 or 8 + table_length > len(value):
        raise Quarantine("compressed pixel data that can't be parsed", 0x7FE00010)
    fragments = list(generate_fragments(value[8 + table_length :]))  # behind the table of offsets
    groups = _grouped(value, fragments, frames, syntax)
    strip = _without_text if syntax in _JPEG else _without_comments if syntax in _JPEG_2000 else None
    if strip is not None:
        groups = [_stripped(group, strip) for group in groups]
    items = [b"".join(itemize_fragment(f + b"\0" * (len(f) % 2)) for f in group) for group in groups]
    offsets, at = [], 0
    for item in items:
        offsets.append(at)
        at += len(item)
    # One fragment for a whole film has no offsets; nor have frames beyond what 32 bits can count. None stays none.
    counted = table_length and len(items) == frames and at < 2**32
    table = struct.pack(f"<{len(offsets)}I", *offsets) if counted else b""
    new = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(table)) + table + b"".join(items)
    return new, new != value


def _grouped(value: bytes, fragments: list[bytes], frames: int, syntax: str) -> list[list[bytes]]:
    """Fragments by frame; the surplus is left out."""
    from pydicom.encaps import generate_fragmented_frames

    if not fragments:
        raise Quarantine("compressed pixel data without a frame", 0x7FE00010)
    if syntax == _RLE:
        return [[f] for f in fragments[:frames]]
    if syntax in _JPEG or syntax in _JPEG_2000:
        groups: list[list[bytes]] = [[]]
        for fragment in fragments:
            end = fragment.rfind(_END)
            closes = end >= 0 and not fragment[end + 2 :].strip(b"\0")
            groups[-1].append(fragment[: end + 2] if closes else fragment)
            if closes:
                groups.append([])
        whole = [g for g in groups[:-1] if g]
        if len(whole) >= frames:
            return whole[:frames]
    if len(fragments) == frames:
        return [[f] for f in fragments]
    if frames == 1 or len(fragments) < frames:
        return [fragments]
    return [list(parts) for parts in generate_fragmented_frames(value, number_of_frames=frames)][:frames]


def _stripped(group: list[bytes], strip: Callable[[bytes], bytes]) -> list[bytes]:
    whole = b"".join(group)
    new = strip(whole)
    return group if new == whole else [new]


def _without_text(frame: bytes) -> bytes:
    """A JPEG or JPEG-LS frame without COM and without APPn that decoding does not need."""
    return _filtered(frame, b"\xff\xd8", stop=0xDA, drop=_is_text)


def _is_text(marker: int, body: bytes) -> bool:
    if marker == 0xFE:
        return True
    needed = {0xE0: body[:5] == b"JFIF\0" and len(body) == 14, 0xEE: body[:5] == b"Adobe" and len(body) == 12}
    needed[0xE8] = body[:4] == b"mrfx" and len(body) <= 5  # colour transform of JPEG-LS
    return 0xE0 <= marker <= 0xEF and not needed.get(marker, False)


def _without_comments(frame: bytes) -> bytes:
    """A JPEG 2000 codestream without comments in its main header."""
    return _filtered(frame, b"\xff\x4f", stop=0x90, drop=lambda marker, body: marker == 0x64)


def _filtered(frame: bytes, start: bytes, *, stop: int, drop: Callable[[int, bytes], bool]) -> bytes:
    if not frame.startswith(start):
        return frame  # another wrapping of the codec; left as it is
    kept, at = [start], 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == stop:
            return b"".join([*kept, frame[at:]])
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        if length < 2:
            return frame
        segment = frame[at : at + 2 + length]
        if not drop(marker, segment[4:]):
            kept.append(segment)
        at += 2 + length
    return frame
