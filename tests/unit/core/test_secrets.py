"""A key gives the same tokens for ever, different ones for every purpose, and never itself."""

from __future__ import annotations

import copy
import hashlib
import hmac
import pickle

import pytest

from medveil.core.errors import UsageError
from medveil.core.secrets import Key

KEY = Key(bytes(range(32)))


def test_a_token_is_the_hmac_of_purpose_and_values() -> None:
    message = b"medveil/uid\0" + (3).to_bytes(8, "big") + b"1.2"
    assert KEY.token("uid", "1.2") == hmac.new(bytes(range(32)), message, hashlib.sha256).digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("uid", "a"), ("subject", "a")),
        (("uid", "a"), ("uid", "A")),
        (("uid", "ab", "c"), ("uid", "a", "bc")),
        (("uid", "a"), ("uid", "a", "")),
        (("uid",), ("uid", "")),
    ],
)
def test_other_purposes_and_values_give_other_tokens(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert KEY.token(*one) != KEY.token(*other)
    assert KEY.token(*one) == KEY.token(*one)


def test_other_keys_share_no_token() -> None:
    keys = [Key.new() for _ in range(20)]
    assert len({k.token("subject", "Jane") for k in keys}) == 20
    assert len({k.label for k in keys}) == 20


def test_numbers_fill_their_range_evenly() -> None:
    drawn = [KEY.number("date-shift", 10, str(i)) for i in range(2000)]
    assert set(drawn) == set(range(10))
    assert max(drawn.count(n) for n in range(10)) < 260
    assert KEY.number("x", 1, "a") == 0
    for below in (0, -1, 2**128 + 1):
        with pytest.raises(UsageError, match="range"):
            KEY.number("x", below)


@pytest.mark.parametrize("bad", [b"", b"short", bytes(31), bytes(33), bytes(32), b"a" * 32])
def test_what_is_no_key_is_refused_without_showing_it(bad: bytes) -> None:
    with pytest.raises(UsageError, match="key") as caught:
        Key(bad)
    assert "short" not in str(caught.value)


def test_a_key_is_not_printed_and_not_pickled() -> None:
    assert repr(KEY) == str(KEY) == f"{KEY}" == "Key(...)"
    for attempt in (lambda: pickle.dumps(KEY), lambda: copy.deepcopy(KEY)):
        with pytest.raises(TypeError, match="never pickled"):
            attempt()
    assert not hasattr(KEY, "__dict__")


def test_equal_bytes_are_equal_keys() -> None:
    assert Key(bytes(range(32))) == KEY
    assert Key.new() != KEY
    assert bytes(range(32)) != KEY
    assert len({KEY, Key(bytes(range(32)))}) == 1
