"""A written NIfTI file looked at from the outside: what is in its bytes that nobody declared?"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from medveil.core.errors import InputRefused
from medveil.io.header import HeaderFacts, fresh_header

_FLAGS = {1: "FTEXT", 2: "FHCRC", 4: "FEXTRA", 8: "FNAME", 16: "FCOMMENT"}

_QFORM = ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z")
_SFORM = ("srow_x", "srow_y", "srow_z")


def unexpected_bytes(path: Path, facts: HeaderFacts) -> list[str]:
    """Names of the places in a file that hold more than `facts` and as many stored numbers as they say.

    Raises:
        InputRefused: the file cannot be read, or is not the NIfTI file that the facts are of.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise InputRefused("image: the system could not read it") from None
    problems = []
    if content[:2] == b"\x1f\x8b":
        problems += [f"gzip {name}" for bit, name in _FLAGS.items() if content[3] & bit]
        problems += ["gzip time"] if any(content[4:8]) else []
        content, behind = _unpack(content, _length(facts) + 1)
        problems += ["bytes after the gzip member"] if behind else []
    return problems + _beyond(content, facts)


def _unpack(content: bytes, most: int) -> tuple[bytes, bool]:
    """The first bytes of the first gzip member, and whether anything follows the member."""
    member = zlib.decompressobj(wbits=31)
    try:
        plain = member.decompress(content, most)
        while member.unconsumed_tail and not member.eof:
            member.decompress(member.unconsumed_tail, 1 << 24)  # only to find the end; it may be far
    except zlib.error:
        raise InputRefused("image: the compressed file is damaged") from None
    return plain, bool(member.unused_data)


def _length(facts: HeaderFacts) -> int:
    return facts.data_offset + int(np.prod(facts.shape, dtype=object)) * np.dtype(facts.dtype).itemsize


def _beyond(content: bytes, facts: HeaderFacts) -> list[str]:
    fresh = fresh_header(facts)
    length = len(fresh.binaryblock)
    there = type(fresh)(content[:length], endianness=facts.endianness, check=False)
    problems = []
    if facts.version == 1 and there["regular"].tobytes() == b"r":
        fresh["regular"] = b"r"  # most tools write it; it says nothing
    if not set(there["pixdim"][5:].tolist()) - {0.0, 1.0}:
        fresh["pixdim"][5:] = there["pixdim"][5:]
    for form, code, fields in (("qform", facts.qform_code, _QFORM), ("sform", facts.sform_code, _SFORM)):
        if not code and any(_differ(fresh, there, f) for f in fields):
            problems.append(f"numbers of an unused {form}")  # nibabel, for one, leaves them there
            for field in fields:
                fresh[field] = there[field]
    if not facts.qform_code and abs(there["pixdim"][0]) == 1:
        fresh["pixdim"][0] = there["pixdim"][0]
    problems += [f"header field {n}" for n in fresh.structarr.dtype.names if _differ(fresh, there, n)]
    if any(content[length : facts.data_offset]):
        problems.append("header extension")
    if len(content) > _length(facts):
        problems.append("bytes after the data")
    return problems


def _differ(one: Any, other: Any, field: str) -> bool:
    return bool(one[field].tobytes() != other[field].tobytes())
