"""Pixel data cut to what the header says it holds: nothing behind the last frame, no comments inside a frame.

    native       | frames ........................ | padding | what somebody hid here |  -> cut
    compressed   | offsets | frame | frame | ... | surplus fragments |                   -> cut, offsets made anew
    in a frame   | SOI | APPn | COM "text" | tables | scan ... | EOI | trailing |        -> text segments out

What is shorter than it says, or does not end where its layout or coding ends, goes to quarantine: bytes are missing,
and what stood behind may have moved up into it. The stored pixels are not touched. Text segments of JPEG (COM, APPn but for what decoding needs) and JPEG 2000
(COM) leave, since encoders and workstations write notes there.

Source: PS3.5 Annex A.4; ISO/IEC 10918-1 B.2 (segments), 15444-1 Annex A (COM is FF64, first tile part FF90).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from medveil.protect.header.dicom import elements
from medveil.protect.header.dicom.quarantine import Quarantine

PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_FRAMES = 0x00280008
_UNDEFINED = 0xFFFFFFFF
_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81))
_JPEG_2000 = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 92, 93, 201, 202, 203))
_RLE = "1.2.840.10008.1.2.5"
# Of a run-length code, by its first byte: how many bytes it has, and how many it gives.
_AHEAD = [*range(2, 130), 1, *[2] * 127]
_MAKES = [*range(1, 129), 0, *range(128, 1, -1)]
_BATCH = 1024  # frames looked at together
_MANY = 128  # frames from which on numpy is faster than a loop
_END = b"\xff\xd9"


def checked(dataset: Any, element: Any, transfer_syntax: str) -> tuple[bytes, bool]:
    """`cut`, of an element that is whole: as long as it says, and its frames end where they must.

    Raises:
        Quarantine: it is not, or as `cut`.
    """
    from pydicom.uid import UID

    syntax = UID(transfer_syntax)
    fine = _is_last_and_complete(dataset, element)
    if fine and not syntax.is_encapsulated and _is_exact(dataset, element):
        return element.value, False
    if fine:
        value, changed = cut(dataset, element, transfer_syntax)
        fine = is_closed(dataset, value, syntax) if syntax.is_encapsulated else changed
        if fine:
            return value, changed
    raise Quarantine("pixel data that are cut short, or hold something else", int(element.tag))


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
    return bool(getattr(element, "is_undefined_length", False)) or getattr(element, "length", 0) == _UNDEFINED


def _is_last_and_complete(dataset: Any, element: Any) -> bool:
    """Whether an element is as long as it says, and none with a smaller tag stands behind it (PS3.5 7.1)."""
    if getattr(element, "length", _UNDEFINED) not in (_UNDEFINED, len(element.value)):
        return False
    if next(reversed(dataset.keys())) == element.tag:
        return True
    at, number = getattr(element, "value_tell", 0), int(element.tag)
    return not any(int(tag) < number and getattr(e, "value_tell", 0) > at > 0 for tag, e in dataset.items())


def _is_exact(dataset: Any, element: Any) -> bool:
    """Whether uncompressed pixel data are as long as their layout asks for, to the byte of padding."""
    if getattr(element, "length", 0) == _UNDEFINED:
        return False
    try:
        expected = _size(dataset)
    except Exception:  # noqa: BLE001 - a layout that is not stated is refused by who cuts the pixels
        return False
    return len(element.value) in (expected, expected + expected % 2)


def _size(dataset: Any) -> int:
    """Bytes of uncompressed pixel data without padding (PS3.5 8.1.1, 8.2; YBR_FULL_422: PS3.3 C.7.6.3.1.2).

    Raises:
        Exception: of any kind: the layout is not stated.
    """
    rows, columns, samples, bits = (
        elements.whole(dataset, k) for k in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")
    )
    count = rows * columns * samples * _frames(dataset)
    size = (count + 7) // 8 if bits == 1 else count * (bits // 8)
    return size // 3 * 2 if elements.text(dataset, "PhotometricInterpretation") == "YBR_FULL_422" else size


def _frames(dataset: Any) -> int:
    try:
        return max(int(dataset.get("NumberOfFrames", 1) or 1), 1) if _FRAMES in dataset else 1
    except (TypeError, ValueError) as error:
        raise Quarantine("number of frames is no number", _FRAMES) from error


def _native(dataset: Any, value: bytes) -> tuple[bytes, bool]:
    try:
        expected = _size(dataset)
    except Quarantine:
        raise
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


def is_closed(dataset: Any, value: bytes, syntax: Any) -> bool:
    """Whether each frame of compressed pixel data ends where its coding says, as far as that can be seen."""
    from pydicom.encaps import generate_frames

    number = int(syntax.rpartition(".")[2])
    jpeg = syntax.startswith("1.2.840.10008.1.2.4.") and (number < 100 or 201 <= number <= 203)
    if not jpeg and syntax != _RLE:
        return True  # films (MPEG, HEVC) and JPEG XL are not parsed
    frames = generate_frames(value, number_of_frames=_frames(dataset))
    if jpeg:
        return all(map(ends_with_its_marker, frames))
    return are_run_lengths(frames, elements.whole(dataset, "Rows") * elements.whole(dataset, "Columns"))


def ends_with_its_marker(frame: bytes) -> bool:
    """Whether a frame of JPEG, JPEG-LS or JPEG 2000 ends with its end marker, and only padding is behind it.

    No byte of a scan or a packet looks like that marker (10918-1 B.1.1.5, 14495-1 A.1, 15444-1 B.10.1).
    """
    begins = b"\xff\x93" if frame[:2] == b"\xff\x4f" else b"\xff\xda"  # start of data, of a scan
    end = frame.find(_END, max(frame.find(begins), 0))
    return end >= 0 and not frame[end + 2 :].strip(b"\0\xff")


def are_run_lengths(frames: Iterable[bytes], pixels: int) -> bool:
    """Whether the last segment of each RLE frame holds so many bytes and nothing behind them (PS3.5 annex G)."""
    if pixels < 1:
        return False
    segments = map(_last_segment, frames)
    while batch := list(islice(segments, _BATCH)):
        ends = _ends_of_many(batch, pixels) if len(batch) >= _MANY else [_end(s, pixels) for s in batch]
        if any(end is None or s[end:].strip(b"\0") for s, end in zip(batch, ends, strict=True)):
            return False
    return True


def _last_segment(frame: bytes) -> bytes:
    count = int.from_bytes(frame[:4], "little")
    if len(frame) < 64 or not 1 <= count <= 15:
        return b""
    return frame[int.from_bytes(frame[4 * count : 4 * count + 4], "little") :]


def _end(segment: bytes, pixels: int) -> int | None:
    """Where a run-length code has given so many bytes; None if it never has so many and no more."""
    at = made = 0
    try:
        while made < pixels:
            head = segment[at]
            at += _AHEAD[head]
            made += _MAKES[head]
    except IndexError:
        return None
    return at if made == pixels and at <= len(segment) else None


def _ends_of_many(segments: list[bytes], pixels: int) -> list[int | None]:
    """`_end` of each, all going forward together."""
    import numpy as np

    ahead, makes = np.array(_AHEAD), np.array(_MAKES)
    joined = np.frombuffer(b"".join(segments), np.uint8)
    lengths = np.array([len(s) for s in segments])
    ends = np.cumsum(lengths)
    at, made = ends - lengths, np.zeros(len(segments), np.int64)
    while len(going := np.flatnonzero((made < pixels) & (at < ends))):
        heads = joined[at[going]]
        at[going] += ahead[heads]
        made[going] += makes[heads]
    fine = (made == pixels) & (at <= ends)
    return [int(n) if ok else None for n, ok in zip(at - ends + lengths, fine, strict=True)]
