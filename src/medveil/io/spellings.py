"""Spellings: the byte strings by which one value may lie in a file.

    "Şule"  ──> UTF-8, ISO 8859-9, UTF-16, ISO 2022 ...     as text is stored
            ──> \\u015eule   %C5%9Eule   &#350;ule           as JSON, addresses and HTML escape it
            ──> base64 at its three alignments, hexadecimal
            ──> swapped in pairs and fours                   as numbers of another byte order hold it

A search for one spelling proves little: a name that left as UTF-16 inside a number array is still a name. Matching
ignores the case of ASCII letters (`io.search` does that), except where case carries the meaning (base64).
"""

from __future__ import annotations

import base64
import json
import unicodedata
from datetime import date
from urllib.parse import quote

# DICOM's character sets by Python's names (PS3.3 C.12.1.1.2), beside those of other files.
CODECS = (
    "utf-8", "utf-16-le", "utf-16-be", "latin-1", "iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "cp1254",
    "shift_jis", "euc_jp", "euc_kr", "gb18030",
)  # fmt: skip
# Shorter pieces than these turn up by chance in compressed data.
SHORTEST_CODED = 8
SHORTEST_SWAPPED = 6
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def spellings(text: str) -> dict[bytes, bool]:
    """Every spelling of a text, and whether its case must be kept.

    Args:
        text: what to look for, not empty.
    """
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    if not text.isascii():  # the search folds ASCII only
        forms |= {f.lower() for f in forms} | {f.upper() for f in forms}
    out: dict[bytes, bool] = {}
    for form in sorted(forms):
        stored = {raw for codec in CODECS if (raw := _encoded(form, codec))}
        stored |= _iso_2022(form)
        for raw in stored:
            out[raw] = False
        out |= dict.fromkeys(_escaped(form), False)
        raw = form.encode("utf-8", "surrogateescape")
        out |= dict.fromkeys(_swapped(raw), False)
        out |= dict.fromkeys(_base64(raw), True)
    return out


def date_spellings(day: date) -> dict[bytes, bool]:
    """`spellings` of a day in the orders people and files write it; DDMMYY and the like are too short to tell."""
    y, m, d = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    month = _MONTHS[day.month - 1]
    texts = [f"{y}{m}{d}", f"{d}-{month}-{y}", f"{d} {month} {y}", f"{month} {d}, {y}"]
    texts += [f"{a}{s}{b}{s}{c}" for s in "-./:" for a, b, c in ((y, m, d), (d, m, y), (m, d, y))]
    out: dict[bytes, bool] = {}
    for text in texts:
        out |= spellings(text)
    return out


def _encoded(text: str, codec: str) -> bytes:
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return b""


def _iso_2022(text: str) -> set[bytes]:
    """Japanese, Korean as ISO 2022 stores them, without the escape sequences around (7 bits a byte)."""
    out = set()
    for codec, high in (("iso2022_jp", False), ("euc_kr", True)):
        raw = _encoded(text, codec)
        if raw and not text.isascii():
            body = raw.split(b"\x1b$B")[-1].split(b"\x1b(")[0] if not high else bytes(b & 0x7F for b in raw)
            out.add(body)
    return {raw for raw in out if len(raw) >= SHORTEST_SWAPPED}


def _escaped(text: str) -> set[bytes]:
    slim = json.dumps(text)[1:-1]
    raw = text.encode("utf-8", "surrogateescape")
    out = {slim, slim.replace("/", "\\/"), quote(raw, safe=""), quote(raw), "".join(f"%{b:02x}" for b in raw)}
    out.add(text.encode("ascii", "xmlcharrefreplace").decode())
    out.add(raw.hex())
    return {o.encode() for o in out}


def _swapped(raw: bytes) -> set[bytes]:
    """The bytes as 16- and 32-bit words of the other byte order, at every alignment; and all reversed.

    Words that reach over an end are left out, as their other bytes are not known: text of 7 bytes is found in pairs
    and of 11 in fours wherever it begins, shorter text where enough of it falls into whole words.
    """
    out = {raw[::-1]}
    for width in (2, 4):
        for start in range(width):
            whole = raw[start : start + (len(raw) - start) // width * width]
            out.add(b"".join(whole[i : i + width][::-1] for i in range(0, len(whole), width)))
    return {o for o in out if len(o) >= SHORTEST_SWAPPED}


def _base64(raw: bytes) -> set[bytes]:
    """The part of the base64 text that depends on these bytes alone, at each of the three alignments."""
    out = set()
    for ahead in range(3):
        first, last = -(-ahead * 8 // 6), (ahead + len(raw)) * 8 // 6
        for coded in (base64.b64encode, base64.urlsafe_b64encode):
            out.add(coded(bytes(ahead) + raw)[first:last])
    return {o for o in out if len(o) >= SHORTEST_CODED}
