"""Elements as pydicom hands them over, raw or decoded: which VR to judge by, their items, their creators."""

from __future__ import annotations

from functools import cache
from typing import Any

from medveil.protect.header.dicom import private, values

# Value, scheme, version, meaning; in an item they stand for one thing.
CODE = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080104})
SCHEMES = frozenset(
    {
        "DCM", "SCT", "SRT", "SNM3", "SNM", "LN", "UCUM", "RADLEX", "FMA", "UMLS", "NCIT", "NCI", "MDC", "NEU", "BI",
        "ISO",
    }
)  # fmt: skip
# Texts that are the same bytes in every character set as long as they are ASCII and switch to no other set.
_PLAIN = frozenset({None, "PN", "LO", "SH", "UI", "CS", "DA"})
_ESCAPE = b"\x1b"


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


@cache
def named_tag(keyword: str) -> Any:
    """The tag of a keyword of the standard."""
    from pydicom.datadict import tag_for_keyword

    return tag(tag_for_keyword(keyword))


def text(dataset: Any, keyword: str) -> str:
    """The text of an element, its values joined by backslashes, without padding; empty if there is none.

    Most are ASCII and stay undecoded; `dataset` keeps what pydicom decodes.
    """
    at = named_tag(keyword)
    element = dataset.get_item(at)
    if element is None:
        return ""
    value = element.value
    if isinstance(value, bytes) and element.VR in _PLAIN and value.isascii() and _ESCAPE not in value:
        parts = value.decode("ascii").split("\\")
        return "\\".join([part.rstrip(" \0") for part in parts]).strip(" \0")
    value = dataset[at].value
    if value is None:
        return ""
    several = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    return "\\".join(str(v) for v in several).strip(" \0")


def whole(dataset: Any, keyword: str) -> int:
    """A whole number of a dataset, undecoded if it is a plain one.

    Raises:
        Exception: of any kind: it is not there, or no number.
    """
    at = named_tag(keyword)
    element = dataset.get_item(at)
    value = element.value
    if isinstance(value, bytes) and len(value) == 2 and element.VR in (None, "US") and vr(int(at)) == "US":
        return int.from_bytes(value, "little" if element.is_little_endian else "big")
    return int(dataset[at].value)


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
        if at & 0x10000 and 0x10 <= at & 0xFFFF <= 0xFF:
            creator = "\\".join(values.strings(element))
            if creator in private.CREATORS:
                found[int(at)] = creator
    return found


def needed(kept: dict[Any, Any], creators: dict[int, str]) -> list[tuple[Any, Any]]:
    """The creator elements of the blocks of which something was kept, made anew."""
    from pydicom.dataelem import DataElement

    numbers = {int(t) >> 16 << 16 | (int(t) & 0xFF00) >> 8 for t in kept if int(t) >> 16 & 1}
    return [(tag(n), DataElement(tag(n), "LO", creators[n])) for n in sorted(numbers)]
