"""A cleaned dataset as the bytes of a DICOM file: preamble of zeros, file meta made from scratch.

The 128 bytes before `DICM` and group 0002 (titles of stations, private information, the writer's version) are where
cleaners that edit in place leave most; here nothing of them is copied but the transfer syntax, and the two UIDs
are those of the new dataset.

Most elements are as they were read, so they are written by joining bytes; a dataset that holds others (big endian,
another encoding in an item, text that is no ASCII) is left to pydicom, which writes the same bytes in more time.
"""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

from medveil.protect.header.dicom import elements, values
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.report import Cleaned

# A UUID made for this program once, as PS3.5 B.2 asks; says only that medveil wrote the file.
IMPLEMENTATION = "2.25.88310652318463921154078613269872344117"
VERSION = "MEDVEIL"

_UNDEFINED = 0xFFFFFFFF
_WIDE = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_ITEM = struct.Struct("<HHL")


class _NotPlain(Exception):
    """An element that is not written here."""


def to_bytes(cleaned: Cleaned) -> bytes:
    """The file. The same dataset gives the same bytes.

    Raises:
        Quarantine: it has no instance UID, or pydicom can't write it.
    """
    from pydicom.uid import UID

    dataset: Any = cleaned.dataset
    instance = elements.text(dataset, "SOPInstanceUID")
    if not instance:
        raise Quarantine("no UID of the instance", 0x00080018)
    syntax, sop_class = UID(cleaned.transfer_syntax), elements.text(dataset, "SOPClassUID")
    if syntax.is_little_endian and not syntax.is_deflated:
        try:
            return b"".join([_meta(sop_class, instance, syntax), *_plain(dataset, syntax.is_implicit_VR)])
        except (_NotPlain, struct.error):
            pass
    return _by_pydicom(dataset, sop_class, instance, syntax)


def _meta(sop_class: str, instance: str, syntax: str) -> bytes:
    """Preamble and group 0002, always in explicit little endian (PS3.10 7.1)."""
    texts = ((2, sop_class), (3, instance), (0x10, syntax), (0x12, IMPLEMENTATION))
    parts = _element(0x00020001, "OB", b"\0\1", False)
    for n, text in texts:
        parts += _element(0x00020000 | n, "UI", _padded(text, "UI"), False)
    parts += _element(0x00020013, "SH", _padded(VERSION, "SH"), False)
    length = struct.pack("<L", sum(map(len, parts)))
    return b"".join([b"\0" * 128, b"DICM", *_element(0x00020000, "UL", length, False), *parts])


def _plain(dataset: Any, implicit: bool) -> list[bytes]:
    """The elements in the order of their tags, little endian, in pieces: large values are copied once, at the end.

    Raises:
        _NotPlain: one of them can't be joined as bytes.
    """
    parts: list[bytes] = []
    for number, element in sorted([(int(tag), element) for tag, element in dataset.items()], key=_first):
        vr, undefined = element.VR, False
        if element.is_raw:
            value, undefined = element.value or b"", element.length == _UNDEFINED
            deferred = element.length and element.value is None
            if element.is_implicit_VR != implicit or not element.is_little_endian or deferred:
                raise _NotPlain
            if len(value) % 2:  # no length is odd (PS3.5 7.1)
                value += b" " if vr in values.STRINGS and vr != "UI" else b"\0"
        elif vr == "SQ":
            items: list[bytes] = []
            for item in element.value:
                inner = _plain(item, implicit)
                items += (_ITEM.pack(0xFFFE, 0xE000, sum(map(len, inner))), *inner)
            value = b"".join(items)
        else:
            value, undefined = _value(element, vr), element.is_undefined_length
        parts += _element(number, vr, value, implicit, undefined)
    return parts


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


def _element(
    number: int, vr: str | None, value: bytes, implicit: bool, undefined: bool = False
) -> tuple[bytes, ...]:
    """Head and value."""
    group, within = number >> 16, number & 0xFFFF
    if undefined:
        # Only frames in fragments are left with an open end; pydicom checks anything else.
        if number != 0x7FE00010 or implicit or vr not in _WIDE or value[:4] != b"\xfe\xff\x00\xe0":
            raise _NotPlain
        head = struct.pack("<HH2s2xL", group, within, vr.encode(), _UNDEFINED)
        return head, value, _ITEM.pack(0xFFFE, 0xE0DD, 0)
    if implicit:
        return struct.pack("<HHL", group, within, len(value)), value
    if vr is None or len(vr) != 2:
        raise _NotPlain
    if vr in _WIDE:
        return struct.pack("<HH2s2xL", group, within, vr.encode(), len(value)), value
    return struct.pack("<HH2sH", group, within, vr.encode(), len(value)), value  # a longer one: struct.error


def _value(element: Any, vr: str) -> bytes:
    """The bytes of a decoded value.

    Raises:
        _NotPlain: not text in ASCII, bytes, or numbers.
    """
    value = element.value
    if value is None:
        return b""
    several = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    if vr in values.STRINGS:
        return _padded("\\".join(_text(v) for v in several), vr)
    if vr in _FORMATS and all(type(v) in (int, float) for v in several):
        return struct.pack(f"<{len(several)}{_FORMATS[vr]}", *several)
    if isinstance(value, bytes) and len(value) % 2 == 0:
        return value
    raise _NotPlain


def _text(value: Any) -> str:
    if type(value).__name__ == "PersonName":
        return str(value)
    if isinstance(value, str) or type(value).__name__ in ("DSfloat", "DSdecimal", "IS"):
        return str(getattr(value, "original_string", None) or value)
    raise _NotPlain


def _padded(text: str, vr: str) -> bytes:
    if not text.isascii():
        raise _NotPlain
    data = text.encode("ascii")
    return data + (b"\0" if vr == "UI" else b" ") if len(data) % 2 else data


def _by_pydicom(dataset: Any, sop_class: str, instance: str, syntax: Any) -> bytes:
    import warnings

    from pydicom import config, dcmwrite
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = VERSION
    dataset.file_meta, dataset.preamble = meta, b"\0" * 128
    out = BytesIO()
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            dcmwrite(
                out, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian,
                enforce_file_format=True,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - no failure may leave a traceback with values
            raise Quarantine(f"could not be written ({type(error).__name__})") from None
    return out.getvalue()
