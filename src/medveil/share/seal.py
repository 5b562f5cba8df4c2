"""Seal: the levels above the public ones under AEAD, and every byte of a code vouched for.

    level l  ──ChaCha20-Poly1305──> sealed section l = commitment (32) | ciphertext | tag (16)
             key         HKDF(K_l, code id, "seal")             one section's only, so one nonce (zeros) is enough
             commitment  HKDF(K_l, code id, "commitment")       tells another code's key from changed bits
             vouched for SHA-256 of all bytes of the file before the section

A public level has a section too, with nothing in it: so whoever holds the key of any level >= 1, in either mode,
finds a changed header, a changed public level and a swapped, foreign or changed section up to their own level.
Whoever holds a level's secret can forge that level and all below it; the holder of a finer one notices.

`obfuscate` uses `assemble("obfuscate", ...)`, where all levels are public, and `check` before it reveals anything.

Sources: RFC 8439 (AEAD), RFC 5869 (HKDF); key commitment as in Albertini et al., USENIX Security 2022.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator

from medveil import __version__
from medveil.core.errors import InputRefused, UsageError, VerificationFailed
from medveil.share.base import Layered
from medveil.share.container import LARGEST_SECTION, Code, Header, Mode, canonical_settings, preamble
from medveil.share.keys import CODE_ID_BYTES, LevelKey, LevelKeys

_NONCE = bytes(12)
_COMMITMENT = 32
_ASK = "ask the owner for a key file of that level"
_OTHER = "ask the owner for this code again, and for the key file beside it"

_Keys = Callable[[str], bytes]  # purpose -> 32 bytes


def seal(layered: Layered, keys: LevelKeys, *, public: int = 0, tags: bytes = b"") -> Code:
    """A code that anyone may store: the public levels in the clear, the others and the tags sealed.

    Args:
        layered: the image, of any codec.
        keys: of this image only; the same keys may seal it again, the code's id is another each time.
        public: how many levels anyone can read, fewer than all.
        tags: what travels beside the image; nothing of it is in the clear but its size.

    Raises:
        UsageError: keys for another number of levels, settings that are not plain JSON, a level over 2 GiB.
    """
    return assemble("seal", layered, keys, public=public, tags=tags)


def assemble(mode: Mode, layered: Layered, keys: LevelKeys, *, public: int, tags: bytes) -> Code:
    """A code of either mode.

    For `obfuscate` give `public=len(layered.levels)`: nothing but the tags is hidden, and every level gets a section
    without content that its key holders verify by (`check`). The same arguments then give the same bytes, for a
    second release that differed would give the support away: the id is keyed by the tags' secret and taken over
    all that goes in, so another content has another id and no AEAD key is used twice.

    Raises:
        UsageError: as `seal`.
    """
    if keys.levels != len(layered.levels):
        raise UsageError(f"keys: are for {keys.levels} levels, the code has {len(layered.levels)}")
    if mode == "seal" and not 0 <= public < keys.levels:
        raise UsageError(f"public: {public} of {keys.levels} levels, at least the finest has to be sealed")
    if max(map(len, (*layered.levels, tags))) > LARGEST_SECTION:
        raise UsageError("code: a level or the tags have more than 2 GiB")
    header = Header(
        mode=mode,
        codec=layered.codec,
        settings=layered.settings,
        code_id=secrets.token_bytes(CODE_ID_BYTES) if mode == "seal" else _derived_id(layered, keys, tags),
        sizes=tuple(map(len, layered.levels)),
        public=public,
        tags=len(tags),
        generator=f"medveil {__version__}",
    )
    clear = layered.levels[:public]
    before = _hash(preamble(header), *clear)
    sealed: list[bytes] = []
    for level, content in enumerate((*(b"" for _ in clear), *layered.levels[public:]), start=1):
        sealed.append(_close(_of_level(keys.of(level), header.code_id), content, before.digest()))
        before.update(sealed[-1])
    sealed.append(_close(_of_tags(keys.owner, header.code_id), tags, before.digest()))
    return Code(header, clear, tuple(sealed))


def check(code: Code, key: LevelKey) -> None:
    """Verify all that this key can vouch for: header, public levels, its own level, those below, and its tags.

    Raises:
        InputRefused: a key of another code.
        VerificationFailed: something was changed.
    """
    for _ in _opened(code, key):
        pass
    if key.tags is not None:
        open_tags(code, key)


def unseal(code: Code, key: LevelKey | None = None, *, level: int | None = None) -> Layered:
    """The public levels and those that the key opens, verified; without a key the public ones, as they are.

    Args:
        code: of mode `seal`.
        key: what was granted, or None.
        level: stop at this level instead of the finest one that is open.

    Raises:
        InputRefused: a level that is not granted, a key of another code, or a code of mode `obfuscate`.
        VerificationFailed: something was changed.
    """
    if code.mode != "seal":
        raise InputRefused("code: is obfuscated, not sealed", hint="use `obfuscate.reveal`")
    finest = max(code.header.public, key.level if key else 0)
    if level is None and not finest:
        raise InputRefused("code: no level is public, and no key was given", hint=_ASK)
    if level is not None and not 1 <= level <= code.levels:
        raise UsageError(f"level: {level} is asked for, the code has 1 to {code.levels}")
    if level is not None and level > finest:
        raise InputRefused(f"level: {level} is not granted, the finest that is open is {finest}", hint=_ASK)
    opened = tuple(_opened(code, key))[code.header.public :] if key else ()
    levels = (*code.public, *opened)
    return Layered(code.header.codec, code.header.settings, levels[:level])


def open_tags(code: Code, key: LevelKey) -> bytes:
    """The tags. They vouch for the whole code, so here every change anywhere in it is found.

    Raises:
        InputRefused: the tags are not granted by this key, or it is of another code.
        VerificationFailed: something was changed.
    """
    keys = _of_tags(key, code.code_id)
    before = _hash(preamble(code.header), *code.public, *code.sealed[:-1])
    return _open("tags", keys, code.sealed[-1], before.digest())


def _opened(code: Code, key: LevelKey) -> Iterator[bytes]:
    """What is in the sections of the levels up to the key's, in order, each verified."""
    if key.level > code.levels:
        raise InputRefused("key: is of another code, which has more levels")
    before = _hash(preamble(code.header), *code.public)
    for level in range(1, key.level + 1):
        section = code.sealed[level - 1]
        yield _open(f"level {level}", _of_level(key.below(level), code.code_id), section, before.digest())
        before.update(section)


def _of_level(key: LevelKey, code_id: bytes) -> _Keys:
    return lambda purpose: key.section(purpose, code_id)


def _of_tags(key: LevelKey, code_id: bytes) -> _Keys:
    return lambda purpose: key.tags_section(purpose, code_id)


def _hash(*parts: bytes) -> hashlib._Hash:
    before = hashlib.sha256()
    for part in parts:
        before.update(part)
    return before


def _close(keys: _Keys, content: bytes, vouched: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return keys("commitment") + ChaCha20Poly1305(keys("seal")).encrypt(_NONCE, content, vouched)


def _open(what: str, keys: _Keys, section: bytes, vouched: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if not hmac.compare_digest(section[:_COMMITMENT], keys("commitment")):
        raise InputRefused(f"{what}: this section and the key are of different codes", hint=_OTHER)
    try:
        return ChaCha20Poly1305(keys("seal")).decrypt(_NONCE, section[_COMMITMENT:], vouched)
    except InvalidTag:
        raise VerificationFailed(
            f"{what}: the code was changed after it was sealed, on purpose",
            hint="do not use it; tell the owner",
        ) from None


def _derived_id(layered: Layered, keys: LevelKeys, tags: bytes) -> bytes:
    """The id of an obfuscated code: keyed, so that nobody can confirm a guess of the tags by it."""
    mac = hmac.new(keys.owner.tags_section("id", b""), digestmod=hashlib.sha256)
    parts = (layered.codec.encode(), canonical_settings(layered.settings), *layered.levels, tags)
    for part in (__version__.encode(), *parts):
        mac.update(len(part).to_bytes(8, "big") + part)
    return mac.digest()[:CODE_ID_BYTES]
