"""Write the test vectors of docs/formats/code.md and key.md anew: python tests/golden/share/make_vectors.py

Every key here is a TEST KEY, public on purpose. Other secrets are fixed; ids of sealed codes and what age adds are
random, so each run gives other files with the same story. Vectors of version 1 are kept when version 2 comes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pyrage

from medveil.core.secrets import Key
from medveil.share.base import Layered
from medveil.share.container import Code
from medveil.share.keys import LevelKey, LevelKeys, new_identity, read_recipient, wrap
from medveil.share.seal import assemble, seal

HERE = Path(__file__).parent
TOP, TAGS_SECRET = hashlib.sha256(b"TEST KEY top").digest(), hashlib.sha256(b"TEST KEY tags").digest()
LEVELS = (b"coarse", b"", b"the exact bits")
TAGS = b"Canary^Quentin"
ERRORS = {
    "nobody": "code: no level is public, and no key was given",
    "wrong key": "key file: is not for this identity",
    "other code": "key file: is for another code",
    "missing level": "level: 3 is not granted, the finest that is open is 2",
    "no tags": "tags: are not granted by this key",
    "truncated": "code: is truncated",
    "changed": "code: bits of it were changed",
    "changed header": "code: bits of its header were changed",
    "longer": "code: has more bytes than it says",
    "forged": "level 3: the code was changed after it was sealed, on purpose",
    "swapped": "level 2: this section and the key are of different codes",
    "newer": "code: is of format version 2, this medveil reads 1",
    "foreign": "code: does not start as a medveil code does",
    "unknown field": "code: is whole, but not what this medveil writes",
    "key truncated": "key file: is truncated or bits of it were changed",
    "key changed": "key file: is truncated or bits of it were changed",
    "key newer": "key file: is of format version 2, this medveil reads 1",
    "key foreign": "key file: is not an age file",
}


def repaired(body: bytes) -> bytes:
    """With a checksum that fits."""
    return body + hashlib.sha256(body).digest()


def main() -> None:
    """Write all files and vectors.json."""
    people = {}
    for person in ("alice", "owner"):
        secret, public = new_identity()
        people[person] = read_recipient(public)
        (HERE / f"{person}.identity").write_text(f"# TEST KEY, public on purpose: never use it\n{secret}\n")

    keys = LevelKeys(LevelKey(3, TOP, TAGS_SECRET))
    layered = Layered("any", {"bits": 12}, LEVELS)
    good, other, hidden = (seal(layered, keys, public=p, tags=TAGS) for p in (1, 1, 0))
    site = LevelKeys.derived(Key(TOP), bytes(32), 3)
    shown = assemble("obfuscate", layered, site, public=3, tags=TAGS)
    data = good.to_bytes()
    head = data.index(b"{")
    body = data.index(b"}coarse") + 1
    unknown = data[head:body].replace(b'"mode"', b'"made":"x","mode"')
    one, two, three, tags = good.sealed
    forged = Code(good.header, good.public, (one, two, bytes([*three[:-1], three[-1] ^ 1]), tags))
    swapped = Code(good.header, good.public, (one, other.sealed[1], three, tags))
    codes = {
        "good": data,
        "hidden": hidden.to_bytes(),
        "obfuscated": shown.to_bytes(),
        "truncated": data[:-40],
        "changed": data[:-40] + bytes([data[-40] ^ 16]) + data[-39:],
        "changed-header": data.replace(b'"bits":12', b'"bits";12'),
        "longer": data + b"\0",
        "forged": forged.to_bytes(),
        "swapped": swapped.to_bytes(),
        "newer": repaired(b"medveil-code 2\n" + data[15:-32]),
        "foreign": b"\x89PNG\r\n\x1a\n" + data[8:],
        "unknown-field": repaired(data[:15] + len(unknown).to_bytes(4, "big") + unknown + data[body:-32]),
    }
    for name, content in codes.items():
        (HERE / f"{name}.mvc").write_bytes(content)

    alice = wrap(keys.of(2), good.code_id, [people["alice"]])
    record = json.loads(pyrage.decrypt(alice, [_identity("alice")])) | {"version": 2}
    newer = json.dumps(record, sort_keys=True, separators=(",", ":")).encode().ljust(256)
    files = {
        "alice": alice,
        "owner": wrap(keys.owner, good.code_id, [people["owner"]]),
        "obfuscated": wrap(site.owner, shown.code_id, [people["owner"]]),
        "other-code": wrap(keys.of(2), other.code_id, [people["alice"]]),
        "truncated": alice[:-5],
        "changed": alice[:-5] + bytes([alice[-5] ^ 16]) + alice[-4:],
        "newer": pyrage.encrypt(newer, [people["alice"].for_age()]),
        "foreign": b"PK\3\4" + alice[4:],
    }
    for name, content in files.items():
        (HERE / f"{name}.age").write_bytes(content)

    vectors: list[dict[str, Any]] = []

    def add(name: str, code: str, key: str = "", identity: str = "", **asked: Any) -> None:
        outcome = {"error": ERRORS[name]} if name in ERRORS else {}
        vectors.append({"name": name, "code": code, "key": key, "identity": identity} | asked | outcome)

    add("stranger", "good", opens=1)
    add("alice", "good", "alice", "alice", opens=2)
    add("owner", "good", "owner", "owner", opens=3, tags=True)
    add("owner of an obfuscated code", "obfuscated", "obfuscated", "owner", opens=3, tags=True)
    add("nobody", "hidden")
    add("wrong key", "good", "owner", "alice")
    add("other code", "good", "other-code", "alice")
    add("missing level", "good", "alice", "alice", level=3)
    add("no tags", "good", "alice", "alice", tags=True)
    for name in ("truncated", "changed", "changed header", "longer", "newer", "foreign", "unknown field"):
        add(name, name.replace(" ", "-"), "owner", "owner")
    add("forged", "forged", "owner", "owner")
    add("swapped", "swapped", "owner", "owner")
    for name in ("truncated", "changed", "newer", "foreign"):
        add(f"key {name}", "good", name, "alice")
    secrets = {str(level): keys.of(level).value.hex() for level in (1, 2, 3)} | {"tags": keys.tags.hex()}
    story = {
        "note": "TEST KEYS, public on purpose: never use one",
        "levels": [base64.b64encode(level).decode() for level in LEVELS],
        "tags": base64.b64encode(TAGS).decode(),
        "secrets of good.mvc": secrets,
        "vectors": vectors,
    }
    (HERE / "vectors.json").write_text(json.dumps(story, indent=1) + "\n")


def _identity(person: str) -> Any:
    line = (HERE / f"{person}.identity").read_text().splitlines()[1]
    return pyrage.x25519.Identity.from_str(line)


if __name__ == "__main__":
    main()
