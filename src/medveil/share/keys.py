"""Keys of a code: one secret opens a level and every coarser one; each person gets it wrapped for their own key.

    K_L (random, or derived from a site's key) ──HKDF──> K_(L-1) ──HKDF──> ... ──HKDF──> K_1      never upwards
    K_l ──HKDF(code id, purpose)──> the key of one section          K_tags: beside the chain, granted on its own

    keys = LevelKeys.new(3)
    data = wrap(keys.of(2), code.code_id, [read_recipient("age1...")])    one age file; the code is not touched
    unwrap(data, [read_identity(b"AGE-SECRET-KEY-1...")], code.code_id)   LevelKey(2), which also opens level 1

A key is never printed and never pickled. Nobody's signature is on a key file: whoever knows a recipient can write
one, but it opens nothing that its writer could not open.

Layout of a key file: docs/formats/key.md. Sources: HKDF, RFC 5869; age v1, https://age-encryption.org/v1.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from medveil.core.errors import InputRefused, UsageError, VerificationFailed
from medveil.core.secrets import KEY_BYTES, Key
from medveil.share.identities import Identity, Recipient, new_identity, read_identity, read_recipient

NAME = "medveil-level-key"
VERSION = 1
CODE_ID_BYTES = 16
MOST_LEVELS = 64
LONGEST_KEY_FILE = 1 << 16  # bytes; one for a single ssh-rsa recipient has about 1,100
_PADDED = 256  # bytes of JSON and spaces, so that the size of a key file does not tell what it grants
_WHAT = "key file"
_AGAIN = "fetch it again, or ask the owner to write it again"
_NEWER = "install a newer medveil"

__all__ = [
    "Identity",
    "LevelKey",
    "LevelKeys",
    "Recipient",
    "new_identity",
    "read_identity",
    "read_recipient",
    "unwrap",
    "wrap",
]


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class LevelKey:
    """What one person is granted: the secret of a level, from which those of all coarser levels follow.

    Args:
        level: 1 is the coarsest.
        value: 32 bytes.
        tags: the secret of the tags, 32 bytes, or None where they are not granted.

    Raises:
        UsageError: a level or a length that cannot be.
    """

    level: int
    value: bytes
    tags: bytes | None = None

    def __post_init__(self) -> None:
        _level(self.level, MOST_LEVELS)
        for secret in (self.value, self.tags):
            if secret is not None and (not isinstance(secret, bytes) or len(secret) != KEY_BYTES):
                raise UsageError(f"level key: a secret is not {KEY_BYTES} bytes")

    def below(self, level: int, *, tags: bool = False) -> LevelKey:
        """The key of a coarser level (or of this one); it carries the secret of the tags only if `tags` says so.

        Raises:
            UsageError: a finer level, which no key opens upwards; or the tags, which this key does not have.
        """
        _level(level, self.level)
        if tags and self.tags is None:
            raise UsageError("level key: the tags are not granted by this key, so it cannot pass them on")
        value = self.value
        for lower in range(self.level - 1, level - 1, -1):
            value = _hkdf(value, f"below/{lower}")
        return LevelKey(level, value, self.tags if tags else None)

    def section(self, purpose: str, code_id: bytes = b"") -> bytes:
        """32 bytes for one purpose at this level, and, where an id is given, for one code only.

        Without `code_id` the same LevelKey gives the same bytes in every code: only for what must not change
        between two releases of an image, such as decoys; never for an AEAD key.

        Args:
            purpose: a name such as `seal` or `decoys`.
            code_id: the 16 bytes of the code.
        """
        return _hkdf(self.value, f"section/{self.level}/{code_id.hex()}/{purpose}")

    def tags_section(self, purpose: str, code_id: bytes) -> bytes:
        """32 bytes for one purpose of the tags of one code.

        Raises:
            InputRefused: the tags are not granted by this key.
        """
        if self.tags is None:
            raise InputRefused(
                "tags: are not granted by this key", hint="ask the owner for a key file that grants them"
            )
        return _hkdf(self.tags, f"tags/{code_id.hex()}/{purpose}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LevelKey) or self.level != other.level:
            return False
        if (self.tags is None) is not (other.tags is None):
            return False
        same = hmac.compare_digest(self.value, other.value)
        return same & hmac.compare_digest(self.tags or b"", other.tags or b"")

    def __hash__(self) -> int:
        return hash((self.level, _hkdf(self.value, "label")))

    def __repr__(self) -> str:
        return f"LevelKey(level {self.level}, {'with' if self.tags else 'without'} tags)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled: hand over the path of its file")


class LevelKeys:
    """All keys of one code: the chain of its levels and, beside it, the key of the tags. The owner's.

    Args:
        top: the key of the finest level, with the secret of the tags.

    Raises:
        UsageError: `top` lacks the tags.
    """

    __slots__ = ("_top",)

    def __init__(self, top: LevelKey) -> None:
        if top.tags is None:
            raise UsageError("level keys: the owner's key has the tags too")
        self._top = top

    @staticmethod
    def new(levels: int) -> LevelKeys:
        """Fresh keys for a code of so many levels, from the system's randomness.

        Raises:
            UsageError: not 1 to 64 levels.
        """
        return LevelKeys(LevelKey(levels, secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES)))

    @staticmethod
    def derived(key: Key, image_digest: bytes, levels: int) -> LevelKeys:
        """The keys that this site's key gives for this image, every time the same.

        Args:
            key: of the site; whoever has it opens every code made with it.
            image_digest: SHA-256 of whatever must not be released twice in different ways.
            levels: of the code; another number gives other keys.

        Raises:
            UsageError: not 1 to 64 levels, or a digest that is not 32 bytes.
        """
        if len(image_digest) != 32:
            raise UsageError("level keys: an image digest has 32 bytes")
        _level(levels, MOST_LEVELS)
        words = (image_digest.hex(), str(levels))
        return LevelKeys(LevelKey(levels, key.token("share/levels", *words), key.token("share/tags", *words)))

    @property
    def levels(self) -> int:
        """How many levels the code has."""
        return self._top.level

    @property
    def owner(self) -> LevelKey:
        """The finest level and the tags."""
        return self._top

    @property
    def tags(self) -> bytes:
        """The secret of the tags, 32 bytes."""
        assert self._top.tags is not None  # noqa: S101 - checked when made
        return self._top.tags

    def of(self, level: int, *, tags: bool = False) -> LevelKey:
        """The key that opens the levels up to this one, and the tags if `tags` says so.

        Raises:
            UsageError: there is no such level.
        """
        return self._top.below(level, tags=tags)

    def __repr__(self) -> str:
        return f"LevelKeys({self.levels} levels)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled: hand over the path of its file")


def wrap(key: LevelKey, code_id: bytes, recipients: Sequence[Recipient]) -> bytes:
    """A key file: the level key and the id of its code, readable by each of the recipients.

    Raises:
        UsageError: no recipient, or an id that is not 16 bytes.
    """
    import pyrage

    if not recipients:
        raise UsageError(f"{_WHAT}: is for nobody, expected at least one recipient")
    if len(code_id) != CODE_ID_BYTES:
        raise UsageError(f"{_WHAT}: a code's id has {CODE_ID_BYTES} bytes")
    record = {
        "format": NAME,
        "version": VERSION,
        "code": code_id.hex(),
        "level": key.level,
        "key": base64.b64encode(key.value).decode(),
        "tags": base64.b64encode(key.tags or b"").decode(),
    }
    data: bytes = pyrage.encrypt(_canonical(record), [recipient.for_age() for recipient in recipients])
    if len(data) > LONGEST_KEY_FILE:
        raise UsageError(f"{_WHAT}: has too many recipients", hint="write one file for each")
    return data


def unwrap(data: bytes, identities: Sequence[Identity], code_id: bytes) -> LevelKey:
    """The level key in a key file.

    Raises:
        InputRefused: no key file, of a newer version, for nobody of these, or of another code.
        VerificationFailed: damaged.
    """
    import pyrage

    if not data.startswith(b"age-encryption.org/"):
        raise InputRefused(f"{_WHAT}: is not an age file")
    if len(data) > LONGEST_KEY_FILE:
        raise InputRefused(f"{_WHAT}: is larger than a key file can be")
    if not data.startswith(b"age-encryption.org/v1\n"):
        raise InputRefused(f"{_WHAT}: is of another version of age, expected v1")
    try:
        plain: bytes = pyrage.decrypt(data, [identity.for_age() for identity in identities])
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise InputRefused(
                f"{_WHAT}: is not for this identity", hint="ask the owner which public key it was written for"
            ) from None
        raise VerificationFailed(f"{_WHAT}: is truncated or bits of it were changed", hint=_AGAIN) from None
    return _level_key(plain, code_id)


def _level_key(plain: bytes, code_id: bytes) -> LevelKey:
    """What `wrap` wrote; its writer may be anyone, so nothing is believed."""
    strange = InputRefused(f"{_WHAT}: does not hold what medveil writes into one")
    try:
        record = json.loads(plain) if len(plain) <= 4 * _PADDED else None
    except (ValueError, RecursionError):
        raise strange from None
    if not isinstance(record, dict) or record.get("format") != NAME:
        raise strange
    version = record.get("version")
    if type(version) is int and version > VERSION:
        raise InputRefused(
            f"{_WHAT}: is of format version {version}, this medveil reads {VERSION}", hint=_NEWER
        )
    if set(record) != {"format", "version", "code", "level", "key", "tags"} or version != VERSION:
        raise strange
    code, level, value, tags = (record[name] for name in ("code", "level", "key", "tags"))
    if (
        type(version) is not int
        or type(level) is not int
        or not all(isinstance(text, str) for text in (code, value, tags))
    ):
        raise strange
    if _canonical(record) != plain:
        raise strange
    try:
        key = LevelKey(
            level, base64.b64decode(value, validate=True), base64.b64decode(tags, validate=True) or None
        )
    except (ValueError, UsageError):
        raise strange from None
    if not hmac.compare_digest(code.encode(), code_id.hex().encode()):
        raise InputRefused(f"{_WHAT}: is for another code")
    return key


def _canonical(record: dict[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode().ljust(_PADDED)


def _hkdf(secret: bytes, purpose: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    info = f"medveil-share {VERSION}/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


def _level(level: int, most: int) -> None:
    if type(level) is not int or not 1 <= level <= most:
        raise UsageError(f"level key: a level from 1 to {most} was expected")
