"""Elements as pydicom hands them over, raw or decoded: which VR to judge by, their items, their creators."""

from __future__ import annotations

from functools import cache
from typing import Any

from medveil.protect.header.dicom import private, values

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
    same = any({written, known} <= kind for kind in (values.STRINGS, values.NUMBERS, values.BINARY))
    ambiguous = " or " in known and written in values.NUMBERS | values.BINARY
    return known if same or ambiguous else None


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
