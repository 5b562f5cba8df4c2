"""A code as bytes: a public header, the public levels, then one sealed section a level and one of the tags.

    medveil-code 1\\n | length | header | level 1 .. p | sealed 1 .. L | sealed tags | SHA-256 of all before

docs/formats/code.md has every field. This file knows lengths and the checksum, and no key: `seal` makes and opens
the sealed sections. The checksum finds every accident, also for someone without a key; who changes bits on purpose
writes a new checksum, and is found by whoever has a key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from medveil.core.errors import InputRefused, UsageError, VerificationFailed
from medveil.share.keys import CODE_ID_BYTES, MOST_LEVELS

Mode = Literal["seal", "obfuscate"]

NAME = "medveil-code"
VERSION = 1
SEAL_BYTES = 48  # what a sealed section has beside the level: 32 of commitment, 16 of AEAD tag
LONGEST_HEADER = 1 << 18
LARGEST_SECTION = (1 << 31) - 1 - SEAL_BYTES  # what one call of the AEAD takes
_FIRST_LINE = f"{NAME} {VERSION}\n".encode()
_CHECKSUM = 32
_WHAT = "code"


@dataclass(frozen=True)
class Header:
    """What anyone can read of a code.

    Args:
        mode: `seal`, or `obfuscate`, where all levels are public.
        codec: public name of the codec that reads the levels.
        settings: `Layered.settings`; plain JSON.
        code_id: 16 bytes, of this code only; key files are bound to it.
        sizes: bytes of each level before sealing, the coarsest first.
        public: how many levels anyone can read.
        tags: bytes of the tags before sealing.
        generator: name and version of the program that wrote it.

    Raises:
        UsageError: a field that no code has.
    """

    mode: Mode
    codec: str
    settings: Mapping[str, Any]
    code_id: bytes
    sizes: tuple[int, ...]
    public: int
    tags: int
    generator: str

    def __post_init__(self) -> None:
        levels = len(self.sizes)
        fits = {
            "mode": self.mode in ("seal", "obfuscate"),
            "codec": _name(self.codec),
            "settings": _plain(self.settings),
            "id": isinstance(self.code_id, bytes) and len(self.code_id) == CODE_ID_BYTES,
            "number of levels": 1 <= levels <= MOST_LEVELS,
            "size of a level": all(_size(size) for size in self.sizes),
            "number of public levels": _size(self.public)
            and (self.public == levels if self.mode == "obfuscate" else self.public < levels),
            "size of the tags": _size(self.tags),
            "generator": _name(self.generator),
        }
        for what, good in fits.items():
            if not good:
                raise UsageError(f"{_WHAT}: its {what} is not one that a code can have")
        object.__setattr__(
            self, "settings", json.loads(_canonical(dict(self.settings)))
        )  # nobody else's to change

    def to_json(self) -> bytes:
        """The one spelling of it: sorted names, no spaces, ASCII.

        Raises:
            UsageError: it is longer than a header may be.
        """
        data = _canonical(
            {
                "format": NAME,
                "version": VERSION,
                "mode": self.mode,
                "codec": self.codec,
                "settings": dict(self.settings),
                "code_id": self.code_id.hex(),
                "levels": [{"bytes": size} for size in self.sizes],
                "public": self.public,
                "tags": self.tags,
                "generator": self.generator,
            }
        )
        if len(data) > LONGEST_HEADER:
            raise UsageError(f"{_WHAT}: its settings are too long for a header of {LONGEST_HEADER} bytes")
        return data

    @staticmethod
    def from_json(data: bytes) -> Header:
        """The header in its one spelling.

        Raises:
            InputRefused: anything else.
        """
        try:
            record = json.loads(data)
            header = Header(
                mode=record["mode"],
                codec=record["codec"],
                settings=record["settings"],
                code_id=bytes.fromhex(record["code_id"]),
                sizes=tuple(level["bytes"] for level in record["levels"]),
                public=record["public"],
                tags=record["tags"],
                generator=record["generator"],
            )
            if header.to_json() == data:  # so there is no other field, spelling or version
                return header
        except (ValueError, TypeError, KeyError, RecursionError, UsageError):
            pass
        raise _strange()

    @property
    def sections(self) -> tuple[int, ...]:
        """Bytes of every section in the file: the public levels, one sealed section a level, the sealed tags."""
        sealed = (SEAL_BYTES + (size if level >= self.public else 0) for level, size in enumerate(self.sizes))
        return (*self.sizes[: self.public], *sealed, SEAL_BYTES + self.tags)


@dataclass(frozen=True)
class Code:
    """What is stored where anyone may read it.

    Args:
        header: what anyone can read of it.
        public: the levels that anyone can read, the coarsest first.
        sealed: one section a level (48 bytes for a level that is public), then the section of the tags.

    Raises:
        UsageError: the sections are not those that the header says.
    """

    header: Header
    public: tuple[bytes, ...]
    sealed: tuple[bytes, ...]

    def __post_init__(self) -> None:
        sections = (*self.public, *self.sealed)
        if len(self.public) != self.header.public or tuple(map(len, sections)) != self.header.sections:
            raise UsageError(f"{_WHAT}: its sections are not those that its header says")

    @property
    def mode(self) -> Mode:
        """`seal` or `obfuscate`."""
        return self.header.mode

    @property
    def code_id(self) -> bytes:
        """16 bytes, of this code only."""
        return self.header.code_id

    @property
    def levels(self) -> int:
        """How many levels it has."""
        return len(self.header.sizes)

    def to_bytes(self) -> bytes:
        """The file."""
        data = b"".join((preamble(self.header), *self.public, *self.sealed))
        return data + hashlib.sha256(data).digest()

    @staticmethod
    def from_bytes(data: bytes) -> Code:
        """The code in a file. Nothing is allocated beyond the size of the file, whatever lengths it claims.

        Raises:
            InputRefused: not a medveil code, of a newer version, or not what this version writes.
            VerificationFailed: truncated, or bits were changed.
        """
        _refuse_foreign(data)
        whole = memoryview(data)
        body = whole[:-_CHECKSUM]
        if not hmac.compare_digest(hashlib.sha256(body).digest(), whole[-_CHECKSUM:]):
            raise _damage(data)
        header, at = _header(data)
        if at + sum(header.sections) != len(body):
            raise _strange()
        parts = tuple(_cut(body, at, header.sections))
        return Code(header, parts[: header.public], parts[header.public :])

    def __repr__(self) -> str:
        return f"Code({self.mode}, {self.levels} levels, {self.header.public} public)"


def preamble(header: Header) -> bytes:
    """The bytes of a file before its first section."""
    text = header.to_json()
    return _FIRST_LINE + len(text).to_bytes(4, "big") + text


def canonical_settings(settings: Mapping[str, Any]) -> bytes:
    """The one spelling of a codec's settings, for whoever must digest them.

    Raises:
        UsageError: not plain JSON.
    """
    if not _plain(settings):
        raise UsageError(f"{_WHAT}: its settings are not plain JSON")
    return _canonical(dict(settings))


def _refuse_foreign(data: bytes) -> None:
    if data.startswith(_FIRST_LINE):
        return
    first, end, _ = data[:32].partition(b"\n")
    name, _, version = first.partition(b" ")
    if name == NAME.encode() and end and version.isdigit() and int(version) > VERSION:
        raise InputRefused(
            f"{_WHAT}: is of format version {int(version)}, this medveil reads {VERSION}",
            hint="install a newer medveil",
        )
    if data and _FIRST_LINE.startswith(data):
        raise _truncated()
    raise InputRefused(f"{_WHAT}: does not start as a medveil code does")


def _header(data: bytes) -> tuple[Header, int]:
    """The header, and where the first section starts."""
    at = len(_FIRST_LINE) + 4
    length = int.from_bytes(data[at - 4 : at], "big")
    if length > LONGEST_HEADER or at + length > len(data) - _CHECKSUM:
        raise _strange()
    return Header.from_json(data[at : at + length]), at + length


def _damage(data: bytes) -> VerificationFailed:
    """Which damage a file has whose checksum does not fit."""
    at = len(_FIRST_LINE) + 4
    length = int.from_bytes(data[at - 4 : at], "big")
    if len(data) < at or (length <= LONGEST_HEADER and len(data) < at + length + _CHECKSUM):
        return _truncated()
    try:
        header, at = _header(data)
    except InputRefused:
        return VerificationFailed(f"{_WHAT}: bits of its header were changed", hint="fetch it again")
    expected = at + sum(header.sections) + _CHECKSUM
    if len(data) < expected:
        return _truncated()
    if len(data) > expected:
        return VerificationFailed(f"{_WHAT}: has more bytes than it says", hint="fetch it again")
    return VerificationFailed(f"{_WHAT}: bits of it were changed", hint="fetch it again")


def _strange() -> InputRefused:
    return InputRefused(f"{_WHAT}: is whole, but not what this medveil writes", hint="ask who wrote it")


def _truncated() -> VerificationFailed:
    return VerificationFailed(f"{_WHAT}: is truncated", hint="fetch it again")


def _cut(body: memoryview, at: int, sizes: tuple[int, ...]) -> Iterator[bytes]:
    for size in sizes:
        yield bytes(body[at : at + size])
        at += size


def _canonical(record: Mapping[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _plain(settings: object) -> bool:
    """Whether these are a JSON object that is the same again after writing and reading."""
    if not isinstance(settings, Mapping):
        return False
    try:
        return bool(json.loads(_canonical(dict(settings))) == settings)
    except (ValueError, TypeError, RecursionError):
        return False


def _name(text: object) -> bool:
    return isinstance(text, str) and 1 <= len(text) <= 64 and text.isascii() and text.isprintable()


def _size(number: object) -> bool:
    return type(number) is int and 0 <= number <= LARGEST_SECTION
