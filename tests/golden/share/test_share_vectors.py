"""The vectors of docs/formats/code.md and key.md: who opens what, and the one line for each thing that is wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from medveil.core.errors import MedveilError
from medveil.share.container import Code
from medveil.share.keys import read_identity, unwrap
from medveil.share.seal import check, open_tags, unseal

HERE = Path(__file__).parent
STORY = json.loads((HERE / "vectors.json").read_text())
LEVELS = tuple(base64.b64decode(level) for level in STORY["levels"])
TAGS = base64.b64decode(STORY["tags"])


def played(vector: dict[str, Any]) -> tuple[bytes, ...]:
    """The levels that the person of the vector gets, and the tags if they ask for them."""
    code = Code.from_bytes((HERE / f"{vector['code']}.mvc").read_bytes())
    key = None
    if vector["key"]:
        identity = read_identity((HERE / f"{vector['identity']}.identity").read_bytes())
        key = unwrap((HERE / f"{vector['key']}.age").read_bytes(), [identity], code.code_id)
    if code.mode == "obfuscate":
        assert key is not None
        check(code, key)
        levels = code.public
    else:
        levels = unseal(code, key, level=vector.get("level")).levels
    if vector.get("tags"):
        assert key is not None
        levels += (open_tags(code, key),)
    return levels


@pytest.mark.parametrize("vector", STORY["vectors"], ids=lambda vector: vector["name"])
def test_a_vector_ends_as_it_says(vector: dict[str, Any]) -> None:
    if "error" in vector:
        with pytest.raises(MedveilError) as error:
            played(vector)
        assert error.value.message == vector["error"]
        assert "\n" not in str(error.value)
    else:
        assert played(vector) == LEVELS[: vector["opens"]] + ((TAGS,) if vector.get("tags") else ())


def test_a_reader_that_was_written_from_the_page_alone_agrees() -> None:
    """docs/formats/code.md in thirty lines, with nothing of medveil's."""

    def hkdf(secret: bytes, info: str) -> bytes:
        return hmac.digest(hmac.digest(bytes(32), secret, "sha256"), info.encode() + b"\1", "sha256")

    data = (HERE / "good.mvc").read_bytes()
    assert hashlib.sha256(data[:-32]).digest() == data[-32:]
    assert data[:15] == b"medveil-code 1\n"
    at = 19 + int.from_bytes(data[15:19], "big")
    header = json.loads(data[19:at])
    sizes = [level["bytes"] for level in header["levels"]]
    found = []
    for size in sizes[: header["public"]]:
        found.append(data[at : at + size])
        at += size
    secrets = {2: bytes.fromhex(STORY["secrets of good.mvc"]["3"])}
    for level in (1, 0):
        secrets[level] = hkdf(secrets[level + 1], f"medveil-share 1/below/{level + 1}")
        assert secrets[level].hex() == STORY["secrets of good.mvc"][str(level + 1)]
    of_tags = bytes.fromhex(STORY["secrets of good.mvc"]["tags"])
    for index, size in enumerate([*sizes, header["tags"]]):
        secret, path = (of_tags, "tags") if index == 3 else (secrets[index], f"section/{index + 1}")
        key, commitment = (
            hkdf(secret, f"medveil-share 1/{path}/{header['code_id']}/{purpose}")
            for purpose in ("seal", "commitment")
        )
        end = at + 48 + (0 if index < header["public"] else size)
        assert data[at : at + 32] == commitment
        vouched = hashlib.sha256(data[:at]).digest()
        content = ChaCha20Poly1305(key).decrypt(bytes(12), data[at + 32 : end], vouched)
        if index >= header["public"]:
            found.append(content)
        at = end
    assert at == len(data) - 32
    assert tuple(found) == (*LEVELS, TAGS)


def test_nothing_of_the_tags_is_in_a_code() -> None:
    for path in HERE.glob("*.mvc"):
        assert b"Canary" not in path.read_bytes()
        assert b"Quentin" not in path.read_bytes()
