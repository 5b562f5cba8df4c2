"""Secrets: the key from which everything that protects is drawn, and nothing that is drawn leads back to it.

    key (32 bytes) ──HMAC-SHA256, one purpose each──> token of a subject, of a UID, a shift of dates, a decoy ...

Two purposes never share a token, even of one value; the same key and value give the same token for ever, here and
on every machine. Whoever destroys the key cuts the link between a release and its people: without it a token is
noise. For that reason a key is never printed, never pickled, and no writer of a release accepts one.

Source: HMAC as in RFC 2104 with SHA-256 (FIPS 180-4); separation of purposes by a prefix that ends in a zero byte.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import NoReturn

from medveil.core.errors import UsageError

KEY_BYTES = 32


class Key:
    """A secret key of 32 bytes.

    Args:
        value: the bytes.

    Raises:
        UsageError: not 32 bytes, or all of them equal (somebody's placeholder).
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        if len(value) != KEY_BYTES:
            raise UsageError(f"key: has {len(value)} bytes, expected {KEY_BYTES}")
        if len(set(value)) == 1:
            raise UsageError(
                "key: all bytes are the same, expected random ones", hint="medveil makes one itself"
            )
        self._value = value

    @staticmethod
    def new() -> Key:
        """A fresh key from the system's randomness."""
        return Key(secrets.token_bytes(KEY_BYTES))

    def token(self, purpose: str, *values: str) -> bytes:
        """32 bytes that only this key gives for these values under this purpose.

        Args:
            purpose: a name such as `uid` or `date-shift`.
            values: text, in order; ("ab", "c") and ("a", "bc") are different.
        """
        message = b"medveil/" + purpose.encode() + b"\0"
        for value in values:
            data = value.encode("utf-8", errors="surrogateescape")
            message += len(data).to_bytes(8, "big") + data
        return hmac.new(self._value, message, hashlib.sha256).digest()

    def number(self, purpose: str, below: int, *values: str) -> int:
        """A whole number from 0 to below - 1; even to within one part in 2^128.

        Raises:
            UsageError: `below` is not from 1 to 2^128.
        """
        if not 1 <= below <= 2**128:
            raise UsageError("key: a drawn number needs a range of 1 to 2^128")
        return int.from_bytes(self.token(purpose, *values), "big") % below

    @property
    def label(self) -> str:
        """Eight signs that tell keys apart and say nothing else; a report may print them."""
        return self.token("label").hex()[:8]

    def expose(self) -> bytes:
        """The bytes themselves, for the one writer that keeps keys (`io.keys`)."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self._value, other._value)

    def __hash__(self) -> int:
        return hash(self.label)

    def __repr__(self) -> str:
        return "Key(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled: hand over the path of its file")
