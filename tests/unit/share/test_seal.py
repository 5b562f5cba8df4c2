"""Seal: opens to what was sealed, shows nothing else, and every change is found by whoever has a key."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.core.errors import InputRefused, MedveilError, UsageError, VerificationFailed
from medveil.core.secrets import Key
from medveil.share import seal as module
from medveil.share.base import Layered
from medveil.share.container import Code
from medveil.share.keys import LevelKey, LevelKeys
from medveil.share.seal import assemble, check, open_tags, seal, unseal

LAYERED = Layered("jpeg2000", {"bits": 12}, (b"coarse", b"", b"the exact bits"))
TAGS = b"Canary^Quentin 19520229"
KEYS = LevelKeys.new(3)
CODE = seal(LAYERED, KEYS, public=1, tags=TAGS)


def repaired(data: bytes) -> bytes:
    """With a checksum that fits: what somebody writes who changes bits on purpose."""
    return data[:-32] + hashlib.sha256(data[:-32]).digest()


def obfuscated(levels: tuple[bytes, ...] = LAYERED.levels, tags: bytes = TAGS, **settings: Any) -> Code:
    keys = LevelKeys.derived(Key(bytes(range(32))), bytes(32), len(levels))
    return assemble("obfuscate", Layered("primis", settings, levels), keys, public=len(levels), tags=tags)


LEVELS = st.lists(st.binary(max_size=40), min_size=1, max_size=5).map(tuple)


@settings(max_examples=60, deadline=None)
@given(LEVELS, st.binary(max_size=40), st.data())
def test_what_is_sealed_opens_again_level_by_level(
    levels: tuple[bytes, ...], tags: bytes, data: st.DataObject
) -> None:
    layered = Layered("any", {"n": len(levels)}, levels)
    public = data.draw(st.integers(0, len(levels) - 1))
    keys = LevelKeys.new(len(levels))
    code = Code.from_bytes(seal(layered, keys, public=public, tags=tags).to_bytes())
    assert unseal(code, keys.owner) == layered
    assert open_tags(code, keys.owner) == tags
    for level in range(1, len(levels) + 1):
        assert unseal(code, keys.of(level)) == layered.up_to(max(level, public))
        assert unseal(code, keys.owner, level=level) == layered.up_to(level)
        assert open_tags(code, keys.of(level, tags=True)) == tags
        check(code, keys.of(level))
    if public:
        assert unseal(code) == layered.up_to(public)


@settings(max_examples=80, deadline=None)
@given(LEVELS.filter(any), st.data())
def test_every_flipped_bit_raises_for_everyone(levels: tuple[bytes, ...], data: st.DataObject) -> None:
    keys = LevelKeys.new(len(levels))
    file = bytearray(seal(Layered("any", {}, levels), keys, tags=b"tags").to_bytes())
    bit = data.draw(st.integers(0, 8 * len(file) - 1))
    file[bit // 8] ^= 1 << bit % 8
    with pytest.raises((InputRefused, VerificationFailed)):
        Code.from_bytes(bytes(file))
    if bit // 8 < len(file) - 32:
        with pytest.raises((InputRefused, VerificationFailed)):
            check(Code.from_bytes(repaired(bytes(file))), keys.owner)


@pytest.mark.parametrize("code", [CODE, obfuscated()], ids=["seal", "obfuscate"])
def test_every_bit_changed_on_purpose_is_found_by_the_holders_of_every_level(code: Code) -> None:
    keys = KEYS if code is CODE else LevelKeys.derived(Key(bytes(range(32))), bytes(32), 3)
    data = code.to_bytes()
    end_of_level = {}  # the sections of level l end here
    at = len(data) - 32 - sum(map(len, code.sealed))
    for level, section in enumerate(code.sealed, start=1):
        at += len(section)
        end_of_level[level] = at
    found: Counter[int] = Counter()
    for bit in range(8 * (len(data) - 32)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            forged = Code.from_bytes(repaired(bytes(changed)))
        except MedveilError:
            found.update((1, 2, 3, 4))
            continue
        for level, key in ((1, keys.of(1)), (2, keys.of(2)), (3, keys.of(3)), (4, keys.owner)):
            try:
                check(forged, key)
                assert bit // 8 >= end_of_level[level], "a change before the end of the level was not found"
            except (InputRefused, VerificationFailed):
                found[level] += 1
    assert found == {level: 8 * end_of_level[level] for level in (1, 2, 3, 4)}


def test_nothing_of_the_tags_or_the_sealed_levels_is_in_the_file() -> None:
    levels = tuple(bytes([65 + level]) * 200 for level in range(3))
    data = seal(Layered("any", {}, levels), LevelKeys.new(3), public=1, tags=TAGS * 20).to_bytes()
    assert levels[0] in data
    for hidden in (TAGS[:6], b"Quentin", b"19520229", b"BBBB", b"CCCC"):
        assert hidden not in data
    assert TAGS[:6] not in obfuscated().to_bytes()


def test_no_key_is_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.ciphers import aead

    used: list[bytes] = []
    real = aead.ChaCha20Poly1305

    def watched(key: bytes) -> Any:
        used.append(key)
        return real(key)

    monkeypatch.setattr(aead, "ChaCha20Poly1305", watched)
    for _ in range(3):
        seal(LAYERED, KEYS, tags=TAGS)  # the same keys and content three times: three ids
    obfuscated()
    obfuscated(tags=TAGS + b"!")  # the same image and site, other tags
    obfuscated(decoys=3)
    obfuscated((b"coarse", b"!", b"the exact bits"))
    assert len(used) == len(set(used)) == 7 * 4


def test_an_obfuscated_code_is_the_same_bytes_each_time() -> None:
    assert obfuscated().to_bytes() == obfuscated().to_bytes()
    assert seal(LAYERED, KEYS).code_id != seal(LAYERED, KEYS).code_id
    ids = {
        code.code_id
        for code in (obfuscated(), obfuscated(a=1), obfuscated(tags=b""), obfuscated((b"", b"", b"")))
    }
    assert len(ids) == 4


def test_an_obfuscated_code_shows_all_its_levels_and_hides_the_tags_only() -> None:
    code = Code.from_bytes(obfuscated().to_bytes())
    keys = LevelKeys.derived(Key(bytes(range(32))), bytes(32), 3)
    assert code.public == LAYERED.levels
    assert open_tags(code, keys.owner) == TAGS
    for level in (1, 2, 3):
        check(code, keys.of(level))
    with pytest.raises(InputRefused, match="obfuscated, not sealed"):
        unseal(code, keys.owner)


def test_what_is_not_granted_is_refused_by_name() -> None:
    hidden = seal(LAYERED, KEYS, tags=TAGS)
    for call, message in (
        (lambda: unseal(hidden), "no level is public, and no key was given"),
        (lambda: unseal(CODE, level=2), "level: 2 is not granted, the finest that is open is 1"),
        (lambda: unseal(CODE, KEYS.of(2), level=3), "level: 3 is not granted, the finest that is open is 2"),
        (lambda: open_tags(CODE, KEYS.of(3)), "tags: are not granted by this key"),
    ):
        with pytest.raises(InputRefused, match=message):
            call()
    for level in (0, 4, -1):
        with pytest.raises(UsageError, match="the code has 1 to 3"):
            unseal(CODE, KEYS.owner, level=level)


def test_the_key_of_another_code_is_called_that() -> None:
    other, finer = LevelKeys.new(3), LevelKeys.new(4)
    for key in (other.of(1), other.of(3), finer.owner):
        with pytest.raises(InputRefused, match=r"are of different codes|of another code"):
            unseal(CODE, key)
    with pytest.raises(InputRefused, match="tags: this section and the key are of different codes"):
        open_tags(CODE, other.owner)
    # a coarser level's secret that claims to be a finer one
    with pytest.raises(InputRefused, match="are of different codes"):
        unseal(CODE, LevelKey(3, KEYS.of(2).value))


def test_sections_swapped_or_taken_from_another_code_are_found() -> None:
    layered = Layered("any", {}, (b"same", b"size", b"here"))
    code, again = (seal(layered, KEYS, tags=b"tags") for _ in range(2))
    one, two, three, tags = code.sealed
    for sealed in (
        (two, one, three, tags),
        (one, three, two, tags),
        (one, two, tags, three),
        (again.sealed[0], two, three, tags),
        (one, two, again.sealed[2], tags),
        (one, two, three, again.sealed[3]),
        again.sealed,
    ):
        forged = Code.from_bytes(Code(code.header, (), sealed).to_bytes())
        with pytest.raises((InputRefused, VerificationFailed)):
            check(forged, KEYS.owner)
    shown = seal(layered, KEYS, public=2)
    forged = Code(shown.header, shown.public[::-1], shown.sealed)
    for level in (1, 2, 3):
        with pytest.raises(VerificationFailed, match="changed after it was sealed"):
            unseal(forged, KEYS.of(level))


def test_a_header_changed_on_purpose_is_found_by_every_key() -> None:
    for change in ({"settings": {"bits": 13}}, {"codec": "other"}, {"generator": "medveil 9"}):
        forged = Code(replace(CODE.header, **change), CODE.public, CODE.sealed)
        for key in (KEYS.of(1), KEYS.of(3)):
            with pytest.raises(VerificationFailed, match="level 1: the code was changed after it was sealed"):
                unseal(forged, key)
        with pytest.raises(VerificationFailed, match="tags: the code was changed"):
            open_tags(forged, KEYS.owner)


def test_who_holds_a_level_can_forge_it_but_not_for_those_above() -> None:
    """What the format's page says is not protected, so that nobody believes otherwise."""
    code = seal(Layered("any", {}, (b"true", b"true")), KEYS_2, tags=b"tags")
    holder = KEYS_2.of(1)
    before = hashlib.sha256(module.preamble(code.header)).digest()
    forgery = module._close(lambda purpose: holder.section(purpose, code.code_id), b"fake", before)
    forged = Code.from_bytes(Code(code.header, (), (forgery, *code.sealed[1:])).to_bytes())
    assert unseal(forged, KEYS_2.of(1)).levels == (b"fake",)
    with pytest.raises(VerificationFailed, match="level 2"):
        unseal(forged, KEYS_2.of(2))
    with pytest.raises(VerificationFailed, match="tags"):
        open_tags(forged, KEYS_2.owner)


KEYS_2 = LevelKeys.new(2)


def test_errors_hold_no_secrets() -> None:
    for call in (
        lambda: unseal(CODE, LevelKeys.new(3).owner),
        lambda: open_tags(CODE, LevelKeys.new(3).owner),
    ):
        with pytest.raises(InputRefused) as error:
            call()
        assert error.value.__cause__ is None
        assert "\n" not in str(error.value)
        assert "Canary" not in str(error.value)


def test_what_makes_no_sense_is_not_sealed() -> None:
    with pytest.raises(UsageError, match="keys: are for 2 levels, the code has 3"):
        seal(LAYERED, KEYS_2)
    for public in (3, 4, -1):
        with pytest.raises(UsageError, match="at least the finest has to be sealed"):
            seal(LAYERED, KEYS, public=public)
    with pytest.raises(UsageError, match="number of public levels"):
        assemble("obfuscate", LAYERED, KEYS, public=2, tags=b"")
    with pytest.raises(UsageError, match="settings"):
        seal(Layered("any", {"shape": (1, 2)}, LAYERED.levels), KEYS)
