"""codec.primis: an image as levels of a learned sparse code, sealed or obfuscated, and back."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import InputRefused, MedveilError, Refusal, VerificationFailed
from medveil.core.image import Image
from medveil.core.secrets import Key
from medveil.io.models import read_model, shipped
from medveil.share.base import Layered, SparseLevel
from medveil.share.codec.primis import Primis
from medveil.share.container import Code
from medveil.share.keys import LevelKeys
from medveil.share.obfuscate import obfuscate, public_part, reveal
from medveil.share.seal import seal, unseal

pytest.importorskip("torch", reason="learned codes need the extra `learn`")

SITE = Key(hashlib.sha256(b"a key for tests").digest())


def film(height: int = 96, width: int = 112, dtype: str = "uint8", top: int = 255) -> Image:
    """Something with a smooth part, edges and a texture."""
    y, x = np.mgrid[:height, :width] / 64
    picture = 0.5 + 0.3 * np.sin(2 * x + y**2) + 0.15 * (np.sin(9 * x) > 0.6) + 0.03 * np.sin(40 * x * y)
    return Image(np.round(picture.clip(0, 1) * top).astype(dtype), np.eye(4), "film")


def decibel(a: Image, b: Image) -> float:
    difference = a.data.astype(float) - b.data
    return float(10 * np.log10(np.ptp(a.data.astype(float)) ** 2 / (difference**2).mean()))


@pytest.fixture(scope="module")
def codec() -> Primis:
    return Primis()


@pytest.fixture(scope="module")
def layered(codec: Primis) -> Layered:
    return codec.encode(film())


def test_each_level_brings_the_image_closer(codec: Primis, layered: Layered) -> None:
    close = [decibel(film(), codec.decode(layered.up_to(k))) for k in (1, 2, 3, 4)]
    assert close == sorted(close)
    assert close[0] > 15
    assert close[-1] > 30


@pytest.mark.parametrize(
    "image",
    [
        film(64, 64),
        film(65, 257),
        film(200, 70, "uint16", 4095),
        film(80, 80, "int16", 3000),
        Image(film(100, 64, "uint16", 65535).data, np.eye(4), "film"),
        Image(np.stack([film(48, 40).data] * 5, axis=2), np.diag([1.0, 1.0, 3.0, 1.0])),
        Image(np.full((64, 64), 7, np.uint8), np.eye(4), "film"),
        Image(film(90, 90).data.astype(np.float32), np.eye(4), "film", slope=2.0, intercept=-5.0),
    ],
    ids=repr,
)
def test_any_size_and_type_comes_back_on_its_grid(codec: Primis, image: Image) -> None:
    back = codec.decode(codec.encode(image))
    assert (back.data.shape, back.data.dtype, back.kind) == (image.data.shape, image.data.dtype, image.kind)
    assert (back.affine == image.affine).all()
    assert (back.slope, back.intercept) == (image.slope, image.intercept)
    assert back.data.min() >= image.data.min()
    assert back.data.max() <= image.data.max()
    if np.ptp(image.data):
        assert decibel(image, back) > 24
    else:
        assert (back.data == image.data).all()


def test_what_cannot_be_coded_is_declined_by_name(codec: Primis) -> None:
    colour = Image(np.stack([film().data] * 3, axis=2), np.eye(4), "film")
    labels = Image(np.zeros((32, 32, 32), np.uint8), np.eye(4), "labels")
    for image, reason in (
        (colour, "colour is not coded"),
        (labels, "labels cannot be blurred"),
        (film(8, 80), "too small a slice"),
        (Image(film().data + 0.5, np.eye(4), "film"), "numbers are not whole"),
    ):
        with pytest.raises(Refusal) as refused:
            codec.encode(image)
        assert refused.value.reason == reason


def test_sealed_levels_come_back_bit_for_bit(codec: Primis, layered: Layered) -> None:
    keys = LevelKeys.new(4)
    code = Code.from_bytes(seal(layered, keys, public=1).to_bytes())
    assert unseal(code, keys.owner).levels == layered.levels
    two = unseal(code, keys.of(2))
    assert two.levels == layered.levels[:2]
    assert (codec.decode(two).data == codec.decode(layered.up_to(2)).data).all()
    assert unseal(code).levels == layered.levels[:1]


def test_a_thousand_flipped_bits_give_a_thousand_errors(codec: Primis, layered: Layered) -> None:
    keys = LevelKeys.new(4)
    whole = seal(layered, keys, public=1, tags=b"made-up name").to_bytes()
    draw = np.random.default_rng(0)
    for _ in range(1000):
        flipped = bytearray(whole)
        flipped[draw.integers(len(whole))] ^= 1 << draw.integers(8)
        with pytest.raises(MedveilError):
            codec.decode(unseal(Code.from_bytes(bytes(flipped)), keys.owner))


def test_damaged_levels_are_found_even_without_a_container(codec: Primis, layered: Layered) -> None:
    draw = np.random.default_rng(1)
    for _ in range(40):
        level = draw.integers(4)
        bad = bytearray(layered.levels[level])
        bad[draw.integers(len(bad))] ^= 1 << draw.integers(8)
        levels = tuple(bytes(bad) if k == level else data for k, data in enumerate(layered.levels))
        with pytest.raises(VerificationFailed):
            codec.decode(replace(layered, levels=levels))


def test_levels_out_of_order_or_of_another_size_are_found(codec: Primis, layered: Layered) -> None:
    one, two, *rest = layered.levels
    other = codec.encode(film(160, 96))
    for wrong in (
        replace(layered, levels=(two, one, *rest)),
        replace(layered, levels=(*layered.levels, one)),
        replace(layered, levels=other.levels),
        replace(layered, levels=()),
    ):
        with pytest.raises(VerificationFailed):
            codec.decode(wrong)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("shape", [96, 10**6]),
        ("shape", "96x112"),
        ("dtype", "object"),
        ("span", -1),
        ("kind", "labels"),
        ("affine", [[0] * 4] * 4),
        ("version", 2),
        ("low", 1e9),
    ],
)
def test_settings_are_not_trusted(codec: Primis, layered: Layered, field: str, value: object) -> None:
    with pytest.raises(VerificationFailed):
        codec.decode(replace(layered, settings={**layered.settings, field: value}))


def test_a_code_opens_with_its_own_model_only(layered: Layered, tmp_path: Path) -> None:
    from medveil.nn.weights import pack

    model = read_model("films-16")
    other = tmp_path / "other.safetensors"
    other.write_bytes(pack(model.net, model.counts, {**model.card, "name": "other"}))
    with pytest.raises(InputRefused, match="another model"):
        Primis(str(other)).decode(layered)
    with pytest.raises(InputRefused, match="another model"):
        Primis.of(layered.settings, str(other))
    with pytest.raises(InputRefused, match="another model"):
        Primis.of({**layered.settings, "model": "0" * 64})
    assert Primis.of(layered.settings).model == "films-16"


@pytest.mark.parametrize("decoys", [4, 16, 48, 240])
def test_an_obfuscated_code_gives_the_true_components_to_key_holders(codec: Primis, decoys: int) -> None:
    levels, settings = codec.sparse(film()), codec.settings(film())
    keys = LevelKeys.derived(SITE, bytes(32), 4)
    code = obfuscate(levels, codec.statistics, settings, keys, decoys=decoys)
    for true, found in zip(levels, reveal(code, keys.owner, codec.statistics), strict=True):
        assert (true.support == found.support).all()
        assert (true.values == found.values).all()
    assert len(reveal(code, keys.of(2), codec.statistics)) == 2
    authorised = codec.render(levels, settings)
    naive = codec.render(public_part(code, codec.statistics), settings)
    assert decibel(film(), naive) < decibel(film(), authorised)


def test_decoys_look_like_the_image_they_hide_in(codec: Primis) -> None:
    """In a smooth image true values are small; decoys of the training images' size would stand out."""
    from medveil.carry.decoding import flagged
    from medveil.measure.decoding.separation import area

    image = film(256, 256)
    smooth = Image((np.round(image.data / 16) + 100).astype(np.uint16) * 16, np.eye(4), "film")
    levels = codec.sparse(smooth)
    keys = LevelKeys.derived(SITE, bytes(32), 4)
    code = obfuscate(levels, codec.statistics, codec.settings(smooth), keys, decoys=16)
    for both, true in zip(public_part(code, codec.statistics)[1:], levels[1:], strict=True):
        magnitude = np.abs(both.values.astype(float))
        assert 0.42 < (area(magnitude, flagged(both, true)) or 0) < 0.58


def test_every_component_is_used_within_its_bounds(codec: Primis) -> None:
    for level in codec.sparse(film()):
        assert isinstance(level, SparseLevel)
        assert level.nonzeros == 16
        assert (np.diff(level.support.astype(int), axis=1) > 0).all()
        assert (level.values != 0).all()


@pytest.mark.slow
def test_processes_and_threads_agree_to_the_last_bit(layered: Layered, codec: Primis, tmp_path: Path) -> None:
    """The same code gives the same picture whoever opens it, and the same film the same code."""
    script = """
import hashlib, sys, torch
from pathlib import Path
torch.set_num_threads(int(sys.argv[1]))
sys.path.insert(0, sys.argv[2])
from test_primis import film
from medveil.share.codec.primis import Primis
codec = Primis()
layered = codec.encode(film())
print(hashlib.sha256(b"".join(layered.levels)).hexdigest(), hashlib.sha256(codec.decode(layered).data).hexdigest())
"""
    expected = [
        hashlib.sha256(b"".join(layered.levels)).hexdigest(),
        hashlib.sha256(codec.decode(layered).data).hexdigest(),
    ]
    for threads in ("1", "2", "3"):
        command = [sys.executable, "-c", script, threads, str(Path(__file__).parent)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == expected


@pytest.mark.parametrize("name", shipped())
def test_a_model_that_comes_with_medveil_says_what_it_is(name: str) -> None:
    card = read_model(name).card
    assert card["name"] == name
    assert card["licences"]
    assert card["attribution"]
    assert card["held_out"]["psnr"]["n"] == card["people"]["test"]
    assert read_model(name).settings.nonzeros == int(name.rpartition("-")[2])


def test_the_models_are_there() -> None:
    assert shipped() == ("films-16", "films-4", "films-8")
