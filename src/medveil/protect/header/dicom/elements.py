"""Elements as pydicom hands them over, raw or decoded: which VR to judge by, their items, their creators."""

from __future__ import annotations

from functools import cache
from typing import Any

from medveil.protect.header.dicom import private, values

_UNDEFINED = 0xFFFFFFFF
# Value, scheme, version, meaning; in an item they stand for one thing.
CODE = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080104})
SCHEMES = frozenset(
    {
        "DCM",
        "SCT",
        "SRT",
        "SNM3",
        "SNM",
        "LN",
        "UCUM",
        "RADLEX",
        "FMA",
        "UMLS",
        "NCIT",
        "NCI",
        "MDC",
        "NEU",
        "BI",
        "ISO",
    }
)


@cache
def vr(number: int) -> str | None:
    """The standard's VR of a tag (`US or SS` if it depends), or None if it knows no such tag."""
    from pydicom.datadict import dictionary_VR

    try:
        return str(dictionary_VR(number))
    except KeyError:
        return None


@cache
def tag(number: int) -> Any:
    """The tag as pydicom has it."""
    from pydicom.tag import Tag

    return Tag(number)


def judged(written: str | None, known: str) -> str | None:
    """The VR an element is judged by: the standard's, unless the file says what can't be read that way."""
    if written in (None, "UN", known) or written in known.split(" or "):
        return written if written in known.split(" or ") else known
    if any({written, known} <= kind for kind in (values.STRINGS, values.NUMBERS, values.BINARY)):
        return known
    several = known.split(" or ")
    if len(several) == 1 or written not in values.NUMBERS | values.BINARY:
        return None
    return "OW" if "OW" in several else several[0]


@cache
def most(number: int) -> int | None:
    """How many values the standard lets an element have; None where it sets no bound."""
    from pydicom.datadict import dictionary_VM

    last = dictionary_VM(number).rpartition("-")[2]
    return int(last) if last.isdecimal() else None


def named(element: Any, vr: str) -> Any:
    """The element under the VR it was judged by, so that whoever reads the output reads what was judged."""
    if element.VR in (None, vr) or " or " in vr or not hasattr(element, "_replace"):
        return element
    # A value of unknown VR is little endian, whatever the file is in.
    return element if element.VR == "UN" and not element.is_little_endian else element._replace(VR=vr)


def is_last_and_complete(dataset: Any, element: Any) -> bool:
    """Whether an element is as long as it says, and none with a smaller tag stands behind it (PS3.5 7.1).

    Otherwise bytes are missing in it, and what stood behind it in the file has moved up into its value.
    """
    if getattr(element, "length", _UNDEFINED) not in (_UNDEFINED, len(element.value)):
        return False
    if next(reversed(dataset.keys())) == element.tag:
        return True
    at, number = getattr(element, "value_tell", 0), int(element.tag)
    return not any(int(tag) < number and getattr(e, "value_tell", 0) > at > 0 for tag, e in dataset.items())


def is_exact(dataset: Any, element: Any, syntax: Any) -> bool:
    """Whether uncompressed pixel data are as long as their layout asks for, to the byte of padding."""
    from pydicom.pixels.utils import get_expected_length

    if syntax.is_encapsulated or getattr(element, "length", 0) == _UNDEFINED:
        return False
    try:
        expected = int(get_expected_length(dataset, unit="bytes"))
    except Exception:  # noqa: BLE001 - a layout that is not stated is refused by who cuts the pixels
        return False
    return len(element.value) in (expected, expected + expected % 2)


def is_closed(dataset: Any, value: bytes, syntax: Any) -> bool:
    """Whether each frame of compressed pixel data ends where its coding says, as far as that can be seen."""
    from pydicom.encaps import generate_frames

    number = int(syntax.rpartition(".")[2])
    if not syntax.is_encapsulated:
        return False  # uncompressed, and not exact: too short
    if syntax == "1.2.840.10008.1.2.5":
        pixels = int(dataset.Rows) * int(dataset.Columns)
    elif syntax.startswith("1.2.840.10008.1.2.4.") and (number < 100 or 201 <= number <= 203):
        pixels = 0
    else:
        return True  # films (MPEG, HEVC) and JPEG XL are not parsed
    frames = generate_frames(value, number_of_frames=int(dataset.get("NumberOfFrames", 1) or 1))
    return all(values.is_run_length(f, pixels) if pixels else values.is_closed(f) for f in frames)


def is_sequence(element: Any) -> bool:
    """Whether it holds items, or says so."""
    return element.VR == "SQ" or type(element.value).__name__ == "Sequence"


def items(element: Any) -> list[Any] | None:
    """The items of a sequence, raw or parsed; None if they can't be parsed."""
    from pydicom.values import convert_SQ

    value = element.value
    if not isinstance(value, bytes):
        return [] if value is None else list(value)
    # A sequence of unknown VR is in implicit little endian, whatever the file is in (PS3.5 6.2.2).
    unknown = element.VR == "UN"
    try:
        return list(convert_SQ(value, unknown or element.is_implicit_VR, unknown or element.is_little_endian))
    except Exception:  # noqa: BLE001 - any failure of the parser means: drop it
        return None


def has_local_code(dataset: Any) -> bool:
    """Whether an item is a code of a scheme that is not published: a hospital's own, so its meaning is free text."""
    if tag(0x00080100) not in dataset and tag(0x00080104) not in dataset:
        return False
    scheme = dataset.get_item(0x00080102) if tag(0x00080102) in dataset else None
    return scheme is None or values.strings(scheme) == [] or values.strings(scheme)[0].upper() not in SCHEMES


def creators(dataset: Any) -> dict[int, str]:
    """(group, block) as a number to the creator that has reserved it, for creators on the safe list."""
    found = {}
    for at, element in dataset.items():
        number = int(at)
        if number >> 16 & 1 and 0x10 <= number & 0xFFFF <= 0xFF:
            creator = "\\".join(values.strings(element))
            if creator in private.CREATORS:
                found[number] = creator
    return found


def needed(kept: dict[Any, Any], creators: dict[int, str]) -> list[tuple[Any, Any]]:
    """The creator elements of the blocks of which something was kept, made anew."""
    from pydicom.dataelem import DataElement

    numbers = {int(t) >> 16 << 16 | (int(t) & 0xFF00) >> 8 for t in kept if int(t) >> 16 & 1}
    return [(tag(n), DataElement(tag(n), "LO", creators[n])) for n in sorted(numbers)]
