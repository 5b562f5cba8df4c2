"""Keys of a code: a finer one opens the coarser ones and never the reverse, and nothing shows or pickles one."""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import hmac
import json
import pickle

import pyrage
import pytest
from cryptography.hazmat.primitives import serialization as spell
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from medveil.core.errors import InputRefused, MedveilError, UsageError, VerificationFailed
from medveil.core.secrets import Key
from medveil.share import keys as module
from medveil.share.keys import (
    Identity,
    LevelKey,
    LevelKeys,
    Recipient,
    new_identity,
    read_identity,
    read_recipient,
    unwrap,
    wrap,
)

TOP = bytes(range(32))
TAGS = bytes(range(100, 132))
CODE = bytes(range(16))


def hkdf(secret: bytes, info: str) -> bytes:
    """RFC 5869 with SHA-256, no salt, 32 bytes: two lines of the standard library."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    return hmac.digest(extracted, info.encode() + b"\1", "sha256")


def openssh(
    key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
) -> tuple[bytes, str]:
    """The private file and the .pub line, as ssh-keygen writes them."""
    secret = key.private_bytes(spell.Encoding.PEM, spell.PrivateFormat.OpenSSH, spell.NoEncryption())
    public = key.public_key().public_bytes(spell.Encoding.OpenSSH, spell.PublicFormat.OpenSSH)
    return secret, public.decode() + " jane.doe@hospital.example\n"


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[Identity, Recipient]]:
    """One person for each kind of key that is offered."""
    secret, public = new_identity()
    files = {
        "x25519": (f"# created by a test\n{secret}\n".encode(), public),
        "ssh-ed25519": openssh(ed25519.Ed25519PrivateKey.generate()),
        "ssh-rsa": openssh(rsa.generate_private_key(65537, 2048)),
    }
    return {kind: (read_identity(private), read_recipient(pub)) for kind, (private, pub) in files.items()}


def test_the_chain_is_hkdf_as_the_format_says() -> None:
    keys = LevelKeys(LevelKey(3, TOP, TAGS))
    two = hkdf(TOP, "medveil-share 1/below/2")
    one = hkdf(two, "medveil-share 1/below/1")
    assert [keys.of(level).value for level in (3, 2, 1)] == [TOP, two, one]
    assert keys.of(2).section("seal", CODE) == hkdf(two, f"medveil-share 1/section/2/{CODE.hex()}/seal")
    assert keys.of(2).section("decoys") == hkdf(two, "medveil-share 1/section/2//decoys")
    assert keys.owner.tags_section("seal", CODE) == hkdf(TAGS, f"medveil-share 1/tags/{CODE.hex()}/seal")


def test_a_finer_key_opens_the_coarser_levels_and_never_the_reverse() -> None:
    keys = LevelKeys.new(4)
    for finer in range(1, 5):
        for coarser in range(1, finer + 1):
            assert keys.of(finer).below(coarser) == keys.of(coarser)
        for above in (finer + 1, 5, 0, -1, True):
            with pytest.raises(UsageError):
                keys.of(finer).below(above)


def test_every_section_of_every_code_has_a_key_of_its_own() -> None:
    keys = LevelKeys.new(3)
    found = {
        keys.of(level).section(purpose, code)
        for level in (1, 2, 3)
        for purpose in ("seal", "commitment", "decoys")
        for code in (b"", CODE, bytes(16))
    }
    found |= {keys.owner.tags_section(purpose, code) for purpose in ("seal", "id") for code in (b"", CODE)}
    found |= {keys.of(level).value for level in (1, 2, 3)} | {keys.tags}
    assert len(found) == 27 + 4 + 4


def test_the_tags_are_granted_only_where_it_is_said() -> None:
    keys = LevelKeys.new(2)
    assert keys.of(1).tags is None
    assert keys.of(1, tags=True).tags == keys.tags
    assert keys.owner.below(1).tags is None
    with pytest.raises(InputRefused, match="tags: are not granted by this key"):
        keys.of(2).tags_section("seal", CODE)
    with pytest.raises(UsageError):
        keys.of(2).below(1, tags=True)


def test_derived_keys_are_the_same_for_one_image_and_site_only() -> None:
    site, digest = Key(TOP), hashlib.sha256(b"image").digest()
    keys = LevelKeys.derived(site, digest, 3)
    assert LevelKeys.derived(site, digest, 3).owner == keys.owner
    others = [
        LevelKeys.derived(Key(TAGS), digest, 3),
        LevelKeys.derived(site, hashlib.sha256(b"other").digest(), 3),
        LevelKeys.derived(site, digest, 4),
    ]
    for other in others:
        assert other.of(1).value != keys.of(1).value
        assert other.tags != keys.tags
    for given_digest, levels in ((b"short", 3), (digest, 0), (digest, 65)):
        with pytest.raises(UsageError):
            LevelKeys.derived(site, given_digest, levels)


@pytest.mark.parametrize(
    ("level", "value", "tags"), [(0, TOP, None), (65, TOP, None), (1, b"x", None), (1, TOP, b"")]
)
def test_a_key_that_cannot_be_is_not_made(level: int, value: bytes, tags: bytes | None) -> None:
    with pytest.raises(UsageError):
        LevelKey(level, value, tags)


def test_no_secret_is_shown_or_pickled(pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    keys = LevelKeys(LevelKey(2, TOP, TAGS))
    for secret in (keys, keys.owner, keys.of(1), *(identity for identity, _ in pairs.values())):
        for shown in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
            assert len(shown) < 50
            for hidden in (TOP, TAGS, keys.of(1).value):
                assert hidden.hex()[:8] not in shown
                assert repr(hidden)[2:8] not in shown
            assert "SECRET" not in shown
            assert "PRIVATE" not in shown
        for spread in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="never pickled"):
                spread(secret)


def test_equality_looks_at_level_value_and_tags() -> None:
    key = LevelKey(2, TOP, TAGS)
    assert key == LevelKey(2, TOP, TAGS)
    assert hash(key) == hash(LevelKey(2, TOP, TAGS))
    for other in (
        LevelKey(1, TOP, TAGS),
        LevelKey(2, TAGS, TAGS),
        LevelKey(2, TOP),
        LevelKey(2, TOP, TOP),
        "x",
    ):
        assert key != other


# --- key files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["x25519", "ssh-ed25519", "ssh-rsa"])
@pytest.mark.parametrize("tags", [True, False])
def test_what_is_wrapped_for_somebody_is_unwrapped_by_them_only(
    pairs: dict[str, tuple[Identity, Recipient]], kind: str, tags: bool
) -> None:
    key = LevelKeys.new(3).of(2, tags=tags)
    identity, recipient = pairs[kind]
    assert recipient.kind == identity.kind == kind
    data = wrap(key, CODE, [recipient])
    assert unwrap(data, [identity], CODE) == key
    assert unwrap(data, [pair[0] for pair in pairs.values()], CODE) == key
    others = [pair[0] for name, pair in pairs.items() if name != kind]
    for wrong in (others, [], [read_identity(new_identity()[0].encode())]):
        with pytest.raises(InputRefused, match="key file: is not for this identity"):
            unwrap(data, wrong, CODE)


def test_one_key_file_may_be_for_several_people(pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    key = LevelKeys.new(3).owner
    data = wrap(key, CODE, [recipient for _, recipient in pairs.values()])
    for identity, _ in pairs.values():
        assert unwrap(data, [identity], CODE) == key


def test_a_key_file_is_of_one_code_only(pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    identity, recipient = pairs["x25519"]
    data = wrap(LevelKeys.new(1).owner, CODE, [recipient])
    with pytest.raises(InputRefused, match="key file: is for another code"):
        unwrap(data, [identity], bytes(16))


def test_what_is_in_a_key_file_is_as_long_whatever_it_grants(
    pairs: dict[str, tuple[Identity, Recipient]],
) -> None:
    identity, recipient = pairs["ssh-ed25519"]
    longest = LevelKeys.new(64)
    grants = [longest.of(1), longest.of(9, tags=True), longest.of(10), longest.owner]
    plain = [pyrage.decrypt(wrap(key, CODE, [recipient]), [identity.for_age()]) for key in grants]
    assert {len(text) for text in plain} == {256}
    assert json.loads(plain[-1]) == {
        "format": "medveil-level-key",
        "version": 1,
        "code": CODE.hex(),
        "level": 64,
        "key": base64.b64encode(longest.owner.value).decode(),
        "tags": base64.b64encode(longest.tags).decode(),
    }


def test_any_change_or_cut_of_a_key_file_is_an_error(pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    identity, recipient = pairs["x25519"]
    data = wrap(LevelKeys.new(2).owner, CODE, [recipient])
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((InputRefused, VerificationFailed)):
            unwrap(bytes(changed), [identity], CODE)
    for length in range(len(data)):
        with pytest.raises((InputRefused, VerificationFailed)):
            unwrap(data[:length], [identity], CODE)
    with pytest.raises(VerificationFailed, match="key file: is truncated or bits of it were changed"):
        unwrap(data[:-1], [identity], CODE)
    with pytest.raises(VerificationFailed):
        unwrap(data + b"\0", [identity], CODE)


def written(record: object) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":")).encode().ljust(256)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "is of format version 2, this medveil reads 1"),
        ({"version": True}, "does not hold"),
        ({"version": 0}, "does not hold"),
        ({"format": "medveil-key"}, "does not hold"),
        ({"more": 1}, "does not hold"),
        ({"level": 0}, "does not hold"),
        ({"level": True}, "does not hold"),
        ({"level": "2"}, "does not hold"),
        ({"key": ""}, "does not hold"),
        ({"key": "!" * 44}, "does not hold"),
        ({"tags": "AAAA"}, "does not hold"),
        ({"tags": None}, "does not hold"),
        ({"code": 5}, "does not hold"),
    ],
)
def test_a_key_file_that_somebody_else_composed_is_not_believed(
    pairs: dict[str, tuple[Identity, Recipient]], change: dict[str, object], message: str
) -> None:
    identity, recipient = pairs["x25519"]
    value = base64.b64encode(TOP).decode()
    good = {
        "format": "medveil-level-key",
        "version": 1,
        "code": CODE.hex(),
        "level": 2,
        "key": value,
        "tags": "",
    }
    assert unwrap(pyrage.encrypt(written(good), [recipient.for_age()]), [identity], CODE) == LevelKey(2, TOP)
    with pytest.raises(InputRefused, match=message) as error:
        unwrap(pyrage.encrypt(written(good | change), [recipient.for_age()]), [identity], CODE)
    assert value not in str(error.value)


def test_a_key_file_has_one_spelling() -> None:
    value = base64.b64encode(TOP).decode()
    record = {
        "format": "medveil-level-key",
        "version": 1,
        "code": CODE.hex(),
        "level": 2,
        "key": value,
        "tags": "",
    }
    good = written(record)
    assert module._level_key(good, CODE) == LevelKey(2, TOP)
    for plain in (
        good + b" ",
        good[:-1],
        b" " + good[:-1],
        json.dumps(record).encode().ljust(256),
        json.dumps(dict(sorted(record.items(), reverse=True)), separators=(",", ":")).encode().ljust(256),
        good.replace(b'"tags":""', b'"tags":"","tags":""').rstrip().ljust(256),
    ):
        with pytest.raises(InputRefused, match="does not hold"):
            module._level_key(plain, CODE)


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(st.none() | st.text(), st.lists).map(written),
        st.just(b"[" * 1000),
    )
)
def test_any_plain_text_of_a_key_file_is_read_or_refused(plain: bytes) -> None:
    with pytest.raises(InputRefused):
        module._level_key(plain, CODE)


@pytest.mark.parametrize(
    "data", [b"", b"PK\3\4", b"age-encryption.org/v2\n", b"age-encryption.org/v1\n" + bytes(1 << 16)]
)
def test_what_is_no_key_file_is_refused(data: bytes, pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    with pytest.raises(InputRefused, match="key file: is"):
        unwrap(data, [pairs["x25519"][0]], CODE)


def test_nothing_is_wrapped_for_nobody_or_for_no_code(pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    key = LevelKeys.new(1).owner
    with pytest.raises(UsageError, match="for nobody"):
        wrap(key, CODE, [])
    with pytest.raises(UsageError, match="16 bytes"):
        wrap(key, b"", [pairs["x25519"][1]])


# --- identities and recipients -----------------------------------------------------------------------------------


def test_the_comment_of_an_ssh_key_is_not_kept(pairs: dict[str, tuple[Identity, Recipient]]) -> None:
    for kind in ("ssh-ed25519", "ssh-rsa"):
        assert "jane" not in repr(pairs[kind])


def test_line_ends_and_comments_do_not_matter() -> None:
    secret, public = new_identity()
    assert read_recipient(f"\r\n# a comment\r\n  {public}\r\n\r\n") == Recipient("x25519", public)
    assert read_identity(f"# made today\r\n{secret}\r\n".encode()).secret == secret.encode()
    private, line = openssh(ed25519.Ed25519PrivateKey.generate())
    identity = read_identity(private.replace(b"\n", b"\r\n"))
    key = LevelKeys.new(1).owner
    assert unwrap(wrap(key, CODE, [read_recipient(line)]), [identity], CODE) == key


def refused(call: object, given: object, message: str) -> None:
    with pytest.raises(InputRefused, match=message) as error:
        call(given)  # type: ignore[operator]
    assert "\n" not in str(error.value)
    text = given if isinstance(given, str) else bytes(given).decode("latin-1")  # type: ignore[call-overload]
    for word in text.split():
        assert len(word) < 30 or word not in str(error.value)


def test_private_keys_that_cannot_be_used_are_refused_in_one_clear_line() -> None:
    secret, public = new_identity()
    ed = ed25519.Ed25519PrivateKey.generate()
    pem = rsa.generate_private_key(65537, 2048)
    locked_pem = pem.private_bytes(
        spell.Encoding.PEM, spell.PrivateFormat.TraditionalOpenSSL, spell.BestAvailableEncryption(b"pass")
    )
    pkcs8 = pem.private_bytes(spell.Encoding.PEM, spell.PrivateFormat.PKCS8, spell.NoEncryption())
    whole, _ = openssh(ed)
    body = base64.b64decode(b"".join(whole.splitlines()[1:-1]))
    body = body.replace(b"\0\0\0\4none\0\0\0\4none", b"\0\0\0\x0aaes256-ctr\0\0\0\6bcrypt", 1)
    locked = whole.splitlines()[0] + b"\n" + base64.b64encode(body) + b"\n" + whole.splitlines()[-1] + b"\n"
    refused(read_identity, locked, "under a passphrase")
    refused(read_identity, locked_pem, "under a passphrase")
    refused(read_identity, pyrage.passphrase.encrypt(secret.encode(), "pass"), "under a passphrase")
    refused(read_identity, pkcs8, "of no kind that is offered")
    refused(read_identity, openssh(ec.generate_private_key(ec.SECP256R1()))[0], "of no kind that is offered")
    refused(read_identity, public.encode(), "this is a public key")
    refused(read_identity, b"ssh-ed25519 AAAA", "this is a public key")
    refused(read_identity, f"{secret}\n{new_identity()[0]}".encode(), "2 keys in one file")
    refused(read_identity, b"", "0 keys in one file")
    refused(read_identity, b"\xff\xfe", "of no kind that is offered")
    refused(read_identity, secret[:-1].encode(), "is damaged")
    refused(read_identity, whole[:120], "is damaged")
    refused(read_identity, whole.replace(b"b3BlbnNza", b"AAAAAAAAA"), "is damaged")


def test_public_keys_that_cannot_be_used_are_refused_in_one_clear_line() -> None:
    secret, public = new_identity()
    small = rsa.generate_private_key(65537, 1024)  # noqa: S505 - too small on purpose
    _, line = openssh(ed25519.Ed25519PrivateKey.generate())
    refused(read_recipient, secret, "this is a private key")
    refused(read_recipient, openssh(small)[0].decode(), "this is a private key")
    refused(read_recipient, openssh(small)[1], "fewer than 2048 bits")
    refused(read_recipient, openssh(ec.generate_private_key(ec.SECP256R1()))[1], "of no kind that is offered")
    refused(read_recipient, f"{public}\n{line}", "2 keys in one file")
    refused(read_recipient, "# nothing\n", "0 keys in one file")
    refused(read_recipient, public[:-1] + ("q" if public[-1] != "q" else "p"), "damaged")
    refused(
        read_recipient,
        "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
        "damaged, or of no kind",
    )
    refused(read_recipient, line[:40], "damaged")
    refused(read_recipient, "jane.doe@hospital.example", "of no kind that is offered")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    for read in (read_identity, lambda data: read_recipient(data.decode("latin-1"))):
        for start in (b"", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", b"age1", b"ssh-ed25519 "):
            with pytest.raises(MedveilError):
                read(start + data)


def test_a_frozen_key_stays_as_it_is() -> None:
    key = LevelKey(1, TOP)
    with pytest.raises(dataclasses.FrozenInstanceError):
        key.level = 2  # type: ignore[misc]
