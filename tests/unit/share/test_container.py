"""A code as bytes: read exactly as written, anything else is an error, and no length is believed."""

from __future__ import annotations

import hashlib
import json
import pickle
import random
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.core.errors import InputRefused, MedveilError, UsageError, VerificationFailed
from medveil.share.container import LONGEST_HEADER, SEAL_BYTES, Code, Header, canonical_settings

HEADER = Header(
    "seal", "jpeg2000", {"bits": 12, "shape": [4, 6]}, bytes(range(16)), (3, 0, 5), 1, 2, "medveil 0"
)
CODE = Code(HEADER, (b"one",), (b"a" * 48, b"b" * 48, b"c" * 53, b"d" * 50))


def whole(body: bytes) -> bytes:
    """With a checksum that fits: what somebody writes who changes bits on purpose."""
    return body + hashlib.sha256(body).digest()


def with_header(text: bytes, sections: bytes = b"one" + b"s" * 199) -> bytes:
    return whole(b"medveil-code 1\n" + len(text).to_bytes(4, "big") + text + sections)


def test_a_code_is_written_as_its_format_says() -> None:
    text = (
        b'{"code_id":"000102030405060708090a0b0c0d0e0f","codec":"jpeg2000","format":"medveil-code",'
        b'"generator":"medveil 0","levels":[{"bytes":3},{"bytes":0},{"bytes":5}],"mode":"seal","public":1,'
        b'"settings":{"bits":12,"shape":[4,6]},"tags":2,"version":1}'
    )
    sections = b"one" + b"a" * 48 + b"b" * 48 + b"c" * 53 + b"d" * 50
    assert CODE.to_bytes() == with_header(text, sections)
    assert Code.from_bytes(with_header(text, sections)) == CODE
    assert (CODE.mode, CODE.levels, CODE.code_id) == ("seal", 3, bytes(range(16)))
    assert repr(CODE) == "Code(seal, 3 levels, 1 public)"
    assert pickle.loads(pickle.dumps(CODE)) == CODE  # noqa: S301 - our own bytes; worker processes may pass one


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.text(), JSON, max_size=4),
    st.lists(st.binary(max_size=30), min_size=1, max_size=5),
    st.booleans(),
    st.data(),
)
def test_what_is_written_is_read_again(
    extra: dict[str, Any], levels: list[bytes], hides: bool, data: st.DataObject
) -> None:
    public = data.draw(st.integers(0, len(levels) - 1)) if hides else len(levels)
    header = Header(
        "seal" if hides else "obfuscate",
        "c",
        extra,
        bytes(16),
        tuple(map(len, levels)),
        public,
        7,
        "medveil 0",
    )
    code = Code(header, tuple(levels[:public]), tuple(map(bytes, header.sections[public:])))
    assert Code.from_bytes(code.to_bytes()) == code


def test_every_flipped_bit_is_found_without_a_key() -> None:
    data = CODE.to_bytes()
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((InputRefused, VerificationFailed)):
            Code.from_bytes(bytes(changed))


def test_a_thousand_random_changes_give_a_thousand_errors() -> None:
    draw = random.Random(1)  # noqa: S311 - a test
    data = CODE.to_bytes()
    errors = 0
    for _ in range(1000):
        at, length = draw.randrange(len(data)), draw.randrange(1, 20)
        changed = data[:at] + draw.randbytes(length) + data[at + draw.randrange(20) :]
        with pytest.raises((InputRefused, VerificationFailed)):
            Code.from_bytes(changed)
        errors += 1
    assert errors == 1000


def test_every_cut_says_that_it_is_truncated() -> None:
    data = CODE.to_bytes()
    for length in range(1, len(data)):
        with pytest.raises(VerificationFailed, match="code: is truncated"):
            Code.from_bytes(data[:length])


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda d: b"", InputRefused, "does not start as a medveil code"),
        (lambda d: b"\x89PNG\r\n" + d, InputRefused, "does not start as a medveil code"),
        (lambda d: b"\n" + d, InputRefused, "does not start as a medveil code"),
        (
            lambda d: d.replace(b"code 1\n", b"code 2\n", 1),
            InputRefused,
            "format version 2, this medveil reads 1",
        ),
        (lambda d: d.replace(b"code 1\n", b"code 10\n", 1), InputRefused, "format version 10, this medveil"),
        (lambda d: d.replace(b"code 1\n", b"code 0\n", 1), InputRefused, "does not start as a medveil code"),
        (lambda d: d.replace(b"code 1\n", b"code 01\n", 1), InputRefused, "does not start as a medveil code"),
        (lambda d: d + b"\0", VerificationFailed, "has more bytes than it says"),
        (lambda d: d + d, VerificationFailed, "has more bytes than it says"),
        (
            lambda d: d.replace(b'"bits":12', b'"bits":1x'),
            VerificationFailed,
            "bits of its header were changed",
        ),
        (lambda d: d.replace(b"aaa", b"axa", 1), VerificationFailed, "bits of it were changed"),
        (lambda d: whole(d[:-32] + b"\0"), InputRefused, "is whole, but not what this medveil writes"),
        (lambda d: whole(d[:-33]), InputRefused, "is whole, but not what this medveil writes"),
    ],
)
def test_each_damage_has_its_own_line(
    change: Callable[[bytes], bytes], kind: type[MedveilError], message: str
) -> None:
    with pytest.raises(kind, match=message) as error:
        Code.from_bytes(change(CODE.to_bytes()))
    assert "\n" not in str(error.value)


GOOD: dict[str, Any] = json.loads(HEADER.to_json())


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"version": 2},
        {"version": True},
        {"format": "other"},
        {"mode": "encrypt"},
        {"mode": ["seal"]},
        {"mode": "obfuscate"},
        {"codec": ""},
        {"codec": "a\nb"},
        {"codec": "x" * 65},
        {"codec": 5},
        {"settings": []},
        {"settings": None},
        {"code_id": "00"},
        {"code_id": "0" * 31 + "A"},
        {"code_id": 5},
        {"levels": []},
        {"levels": 3},
        {"levels": ["bytes"]},
        {"levels": [{"bytes": 3}] * 65},
        {"levels": [{"bytes": 3, "more": 1}, {"bytes": 0}, {"bytes": 5}]},
        {"levels": [{"bytes": 3.0}, {"bytes": 0}, {"bytes": 5}]},
        {"levels": [{"bytes": 3}, {"bytes": False}, {"bytes": 5}]},
        {"levels": [{"bytes": 3}, {"bytes": -48}, {"bytes": 53}]},
        {"levels": [{"bytes": 3}, {"bytes": 0}, {"bytes": 2**31 - 49}]},
        {"levels": [{"bytes": 3}, {"bytes": 0}, {"bytes": 10**30}]},
        {"public": 3},
        {"public": -1},
        {"public": True},
        {"tags": None},
        {"tags": 1},
        {"generator": "Jané"},
    ],
)
def test_a_header_with_anything_else_in_it_is_refused_whatever_its_checksum(change: dict[str, Any]) -> None:
    text = json.dumps(GOOD | change, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(InputRefused, match="is whole, but not what this medveil writes"):
        Code.from_bytes(with_header(text))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b"9" * 5000,
        HEADER.to_json() + b" ",
        HEADER.to_json().replace(b":1,", b": 1,", 1),
        HEADER.to_json().replace(b'"tags":2', b'"tags":2,"tags":2'),
        HEADER.to_json().replace(b"jpeg", b"\\u006apeg"),
        HEADER.to_json().replace(b":12,", b":NaN,"),
        HEADER.to_json().replace(b":12,", b":1.20e1,"),
        HEADER.to_json().decode().encode("utf-16"),
        HEADER.to_json().replace(b"jpeg2000", b"j" * LONGEST_HEADER),
    ],
)
def test_a_header_in_any_other_spelling_is_refused_whatever_its_checksum(text: bytes) -> None:
    with pytest.raises(InputRefused, match="is whole, but not what this medveil writes"):
        Code.from_bytes(with_header(text))


@pytest.mark.parametrize("length", [0, 1, 5000, LONGEST_HEADER, LONGEST_HEADER + 1, 2**32 - 1])
@pytest.mark.parametrize("fits", [True, False])
def test_a_hostile_length_costs_no_memory(length: int, fits: bool) -> None:
    body = b"medveil-code 1\n" + length.to_bytes(4, "big") + HEADER.to_json()
    data = whole(body) if fits else body + bytes(32)
    tracemalloc.start()
    with pytest.raises((InputRefused, VerificationFailed)):
        Code.from_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


def test_a_header_of_megabytes_is_not_parsed() -> None:
    data = with_header(b"[" + b"{}," * 500_000 + b"{}]")
    tracemalloc.start()
    with pytest.raises(InputRefused, match="is whole, but not"):
        Code.from_bytes(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


def test_sizes_of_gigabytes_cost_no_memory() -> None:
    text = HEADER.to_json().replace(b'{"bytes":5}', b'{"bytes":2000000000}')
    tracemalloc.start()
    with pytest.raises(InputRefused, match="is whole, but not"):
        Code.from_bytes(with_header(text))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000


@pytest.mark.parametrize(
    "extra", [{"a": (1, 2)}, {"a": float("nan")}, {"a": b"x"}, {1: 2}, {"a": {1, 2}}, ["a"], {"a": object()}]
)
def test_settings_that_json_would_change_are_not_written(extra: Any) -> None:
    with pytest.raises(UsageError, match="settings"):
        Header("seal", "c", extra, bytes(16), (1,), 0, 0, "medveil 0")
    with pytest.raises(UsageError, match="settings"):
        canonical_settings(extra)


def test_settings_too_long_for_a_header_are_not_written() -> None:
    with pytest.raises(UsageError, match="too long"):
        Header("seal", "c", {"a": "x" * LONGEST_HEADER}, bytes(16), (1,), 0, 0, "medveil 0").to_json()


def test_who_changes_their_settings_later_does_not_change_the_code() -> None:
    mine = {"shape": [1, 2]}
    header = Header("seal", "c", mine, bytes(16), (1,), 0, 0, "medveil 0")
    mine["shape"].append(3)
    assert header.settings == {"shape": [1, 2]}


def test_sections_are_those_that_the_header_says() -> None:
    assert HEADER.sections == (3, SEAL_BYTES, SEAL_BYTES, SEAL_BYTES + 5, SEAL_BYTES + 2)
    for public, sealed in ((CODE.public, CODE.sealed[:-1]), ((), CODE.sealed), ((b"four",), CODE.sealed)):
        with pytest.raises(UsageError, match="sections"):
            Code(HEADER, public, sealed)
