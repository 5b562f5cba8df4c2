"""A trained network as a file: the same bytes for the same network, and nothing but clear words for anything else."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import random
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")
pytest.importorskip("safetensors", reason="networks need the extra `learn`")

from medveil.core.errors import InputRefused  # noqa: E402
from medveil.nn.bottleneck import Bottleneck  # noqa: E402
from medveil.nn.count import Counts, count  # noqa: E402
from medveil.nn.settings import NetSettings  # noqa: E402
from medveil.nn.weights import pack, unpack  # noqa: E402

SETTINGS = NetSettings(levels=2, atoms=18, nonzeros=3, window=4, stride=2, width=4, step=0.03125, steps=20)
CARD = {"licence": "CC0-1.0", "data": "made up", "psnr_db": 33.25, "naïve": ["ü", 1, None]}


@pytest.fixture(scope="module")
def made() -> tuple[Bottleneck, Counts, bytes]:
    torch.manual_seed(1)
    net = Bottleneck(SETTINGS).eval()
    counts = count(
        net, [torch.rand(1, 1, 40, 33, generator=torch.Generator().manual_seed(n)) for n in range(3)]
    )
    return net, counts, pack(net, counts, CARD)


Parts = tuple[dict[str, Any], bytes]


def parts(data: bytes) -> Parts:
    """The header of a safetensors file as JSON, and its tensors."""
    (size,) = struct.unpack("<Q", data[:8])
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def joined(header: Any, body: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def changed(data: bytes, **facts: Any) -> bytes:
    header, body = parts(data)
    return joined({**header, "__metadata__": {**header["__metadata__"], **facts}}, body)


def with_settings(data: bytes, **other: Any) -> bytes:
    return changed(data, settings=json.dumps({**SETTINGS.to_json(), **other}))


def with_array(data: bytes, name: str, array: np.ndarray) -> bytes:
    """One tensor replaced."""
    from safetensors.numpy import load, save

    header, _ = parts(data)
    return save({**load(data), name: array}, header["__metadata__"])


def test_a_round_trip_is_exact(made: tuple[Bottleneck, Counts, bytes]) -> None:
    net, counts, data = made
    model = unpack(data)
    own, back = net.state_dict(), model.net.state_dict()
    assert list(own) == list(back)
    assert all(own[k].numpy().tobytes() == back[k].numpy().tobytes() for k in own)
    assert model.settings == SETTINGS
    assert model.card == CARD
    assert model.counts.sites == counts.sites
    assert np.array_equal(model.counts.values, counts.values)
    assert np.array_equal(model.counts.chosen, counts.chosen)
    assert model.counts.values.dtype == np.int64
    assert model.digest == hashlib.sha256(data).hexdigest()
    assert not model.net.training
    assert not any(p.requires_grad for p in model.net.parameters())
    image = torch.rand(1, 1, 37, 50)
    assert torch.equal(model.net(image), net(image))


def test_the_same_network_gives_the_same_bytes(made: tuple[Bottleneck, Counts, bytes]) -> None:
    net, counts, data = made
    assert pack(net, counts, dict(reversed(CARD.items()))) == data
    model = unpack(data)
    assert pack(model.net, model.counts, model.card) == data
    with torch.no_grad():
        next(model.net.parameters()).view(-1)[0] += 1e-6
    assert pack(model.net, model.counts, model.card) != data


@pytest.mark.parametrize("variant", ["paper", "independent"])
def test_other_variants_come_back_too(variant: str) -> None:
    s = NetSettings(
        variant=variant, levels=2, atoms=9, nonzeros=2, window=2, stride=2, width=2, grouping="map"
    )
    net = Bottleneck(s)
    model = unpack(pack(net, count(net, [torch.rand(1, 1, 16, 16)]), {}))
    assert model.settings == s
    assert model.card == {}


def test_a_repr_shows_no_card(made: tuple[Bottleneck, Counts, bytes]) -> None:
    model = unpack(made[2])
    assert repr(model) == f"Model(progressive, S_x=3, {model.digest[:8]})"


def test_a_newer_version_says_so(made: tuple[Bottleneck, Counts, bytes]) -> None:
    with pytest.raises(InputRefused, match="newer version"):
        unpack(changed(made[2], version="2"))


WRONG: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("no bytes", lambda data: b""),
    ("eight bytes", lambda data: data[:8]),
    ("a picture", lambda data: b"\x89PNG\r\n\x1a\n" + data),
    ("another format", lambda data: changed(data, format="medveil.other")),
    ("no format", lambda data: joined({"__metadata__": {}}, b"")),
    ("no metadata", lambda data: joined({}, b"")),
    ("metadata a list", lambda data: joined({"__metadata__": [1]}, b"")),
    ("a header that is a list", lambda data: joined([], b"")),
    ("a header that is a number", lambda data: joined(b"7", b"")),
    ("a header that is no JSON", lambda data: joined(b"{'a': 1}", b"")),
    ("a header in no UTF-8", lambda data: joined(b'{"\xff": 1}', b"")),
    ("a header of brackets", lambda data: joined(b"[" * 200_000, b"")),
    ("settings no text", lambda data: changed(data, settings=SETTINGS.to_json())),
    ("settings a list", lambda data: changed(data, settings="[]")),
    ("settings a number", lambda data: changed(data, settings="1")),
    ("settings of brackets", lambda data: changed(data, settings="[" * 200_000)),
    ("settings no JSON", lambda data: changed(data, settings="{")),
    ("settings missing one", lambda data: changed(data, settings='{"levels": 2}')),
    ("settings with one more", lambda data: with_settings(data, more=1)),
    ("levels a text", lambda data: with_settings(data, levels="2")),
    ("levels true", lambda data: with_settings(data, levels=True)),
    ("levels 2.0", lambda data: with_settings(data, levels=2.0)),
    ("levels null", lambda data: with_settings(data, levels=None)),
    ("levels 3", lambda data: with_settings(data, levels=3)),
    ("atoms 17", lambda data: with_settings(data, atoms=17)),
    ("window 8", lambda data: with_settings(data, window=8)),
    ("step a text", lambda data: with_settings(data, step="x")),
    ("step not a number", lambda data: with_settings(data, step=float("nan"))),
    ("steps 3", lambda data: with_settings(data, steps=3)),
    ("variant a list", lambda data: with_settings(data, variant=[])),
    ("variant of none", lambda data: with_settings(data, variant="best")),
    ("reference", lambda data: with_settings(data, variant="reference")),
    ("another variant", lambda data: with_settings(data, variant="paper")),
    ("a window of a kilometre", lambda data: with_settings(data, window=2**20, stride=2**20)),
    ("the width of a house", lambda data: with_settings(data, width=2**20)),
    ("more atoms than memory", lambda data: with_settings(data, atoms=65535, levels=16, steps=16383)),
    ("card a list", lambda data: changed(data, card="[]")),
    ("card no text", lambda data: changed(data, card={})),
    ("card of brackets", lambda data: changed(data, card="[" * 200_000)),
    ("card no JSON", lambda data: changed(data, card="{")),
    ("version no text", lambda data: changed(data, version=1)),
    ("tensors missing", lambda data: joined({"__metadata__": parts(data)[0]["__metadata__"]}, b"")),
    ("a NaN", lambda data: with_array(data, "net/pairs.0.up.curved.0.bias", np.full(8, np.nan, "<f4"))),
    ("an infinity", lambda data: with_array(data, "net/pairs.0.up.curved.0.bias", np.full(8, np.inf, "<f4"))),
    ("a parameter too many", lambda data: with_array(data, "net/more", np.zeros(2, "<f4"))),
    (
        "a parameter of another shape",
        lambda data: with_array(data, "net/pairs.0.up.curved.0.bias", np.zeros(7, "<f4")),
    ),
    ("no sites", lambda data: with_array(data, "statistics/sites", np.zeros(0, "<i8"))),
    ("sites below 0", lambda data: with_array(data, "statistics/sites", np.full(1, -5, "<i8"))),
    (
        "fewer sites than were counted",
        lambda data: with_array(data, "statistics/sites", np.full(1, 1, "<i8")),
    ),
    ("counts elsewhere", lambda data: with_array(data, "statistics/at", np.full(3, 2**31, "<u4"))),
    ("counts of another length", lambda data: with_array(data, "statistics/count", np.ones(3, "<u4"))),
    ("counts below 0", lambda data: with_array(data, "statistics/count", -_counts(data).astype("<i4"))),
    (
        "counts not whole",
        lambda data: with_array(data, "statistics/count", _counts(data).astype("<f4") + 0.5),
    ),
]


def _counts(data: bytes) -> np.ndarray:
    from safetensors.numpy import load

    return load(data)["statistics/count"]


@pytest.mark.parametrize("spoil", [w for _, w in WRONG], ids=[name for name, _ in WRONG])
def test_what_is_no_network_is_refused(
    spoil: Callable[[bytes], bytes], made: tuple[Bottleneck, Counts, bytes]
) -> None:
    with pytest.raises(InputRefused, match="model: "):
        unpack(spoil(made[2]))


def test_sixty_damaged_files_are_refused(made: tuple[Bottleneck, Counts, bytes]) -> None:
    """Cut anywhere, or damaged in the header, where damage can be seen; a flipped bit of a weight is found by
    whoever knows the digest."""
    data, draw = made[2], random.Random(6)  # noqa: S311 - no secret
    header = 8 + struct.unpack("<Q", data[:8])[0]
    damaged = [data[: draw.randrange(len(data))] for _ in range(20)]
    damaged += [data + draw.randbytes(draw.randrange(1, 50)) for _ in range(5)]
    for _ in range(35):
        at = draw.randrange(header)
        damaged.append(data[:at] + bytes([data[at] ^ 1 << draw.randrange(8)]) + data[at + 1 :])
    refused = 0
    for one in damaged:
        try:
            model = unpack(one)
        except InputRefused:
            refused += 1
        else:  # a letter of the card
            assert model.card != CARD
    assert len(damaged) == 60
    assert refused >= 54


def test_no_pickle_is_ever_loaded(
    made: tuple[Bottleneck, Counts, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a pickle was opened")

    file = io.BytesIO()
    torch.save({"net": torch.zeros(3)}, file)
    traps = [file.getvalue(), pickle.dumps({"a": 1}), struct.pack("<Q", 5) + pickle.dumps([1, 2])]
    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    monkeypatch.setattr(torch, "load", never)
    for trap in traps:
        with pytest.raises(InputRefused):
            unpack(trap)
    unpack(made[2])
