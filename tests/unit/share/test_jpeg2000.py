"""codec.jpeg2000: the last level is the image bit by bit, the others are as good as asked, damage is an error."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import textwrap
from binascii import crc32
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medveil.core.errors import Refusal, UsageError, VerificationFailed
from medveil.core.image import Array, Image, Kind
from medveil.share.base import Codec, Layered
from medveil.share.codec.codestream import codestream, decibel, mean_square, written
from medveil.share.codec.jpeg2000 import Jpeg2000

AFFINE = np.array([[0.9, 0.1, 0, -80.125], [0, 1.1, 0, 1 / 3], [0, 0, 2.5, 7], [0, 0, 0, 1]])


def image(data: Array, kind: Kind = "film") -> Image:
    return Image(data, AFFINE, kind, slope=0.1, intercept=-3.0)


def scene(height: int, width: int, *, top: int = 4095, seed: int = 0) -> Array:
    """A smooth gradient with waves and noise, int64, 0 .. top."""
    y, x = np.mgrid[:height, :width]
    waves = 0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 13) + 0.2 * y / height
    noise = np.random.default_rng(seed).normal(0, 0.01, y.shape)
    found: Array = (top * (waves + noise)).clip(0, top).astype(np.int64)
    return found


def psnr(a: Array, b: Array) -> float:
    return decibel(mean_square(a, b), float(a.max()) - float(a.min()))


NOISE = np.random.default_rng(3)
EXACT: dict[str, tuple[Array, Kind]] = {
    "8 bit film": (scene(61, 83, top=255).astype(np.uint8), "film"),
    "12 bit film": (scene(61, 83).astype(np.uint16), "film"),
    "12 of 16 bits, low ones unused": ((scene(61, 83) * 16).astype(np.uint16), "film"),
    "noise of 16 bits": (NOISE.integers(0, 65536, (40, 50)).astype(np.uint16), "film"),
    "signed": ((scene(61, 83) - 1024).astype(np.int16), "film"),
    "signed, all 16 bits": (np.array([[-32768, 32767], [0, 1]], np.int16), "film"),
    "big-endian": ((scene(61, 83) - 1024).astype(">i2"), "film"),
    "32 bits of which few are used": ((scene(61, 83) + 10**9).astype(np.int32), "film"),
    "whole numbers kept as floats": (scene(61, 83).astype(np.float32), "film"),
    "whole numbers kept as short floats": ((scene(61, 83) // 2).astype(np.float16), "film"),
    "yes and no": (scene(61, 83) > 2000, "film"),
    "few grey values": (NOISE.integers(0, 12, (40, 50)).astype(np.uint8), "film"),
    "constant": (np.full((64, 64), -5, np.int16), "film"),
    "one pixel": (np.array([[7]], np.uint8), "film"),
    "one row": (scene(1, 4096).astype(np.uint16), "film"),
    "one column": (scene(4096, 1).astype(np.uint16), "film"),
    "colour": (NOISE.integers(0, 256, (31, 33, 3)).astype(np.uint8), "photo"),
    "colour of 16 bits": (NOISE.integers(0, 65536, (31, 33, 3)).astype(np.uint16), "photo"),
    "volume": (np.stack([scene(40, 30, seed=s) for s in range(5)], 1).astype(np.int16), "intensity"),
    "volume in Fortran order": (
        np.asfortranarray(scene(20, 120).reshape(20, 30, 4).astype(np.int16)),
        "intensity",
    ),
    "time series": (NOISE.integers(-5, 900, (7, 16, 12, 3)).astype(np.int16), "intensity"),
    "volume of one voxel": (np.array([[[3]]], np.uint8), "intensity"),
}


@pytest.mark.parametrize("what", EXACT)
def test_the_last_level_is_the_same_image(what: str) -> None:
    data, kind = EXACT[what]
    before = image(data, kind)
    code = Jpeg2000().encode(before)
    told = json.loads(json.dumps(code.settings, allow_nan=False))
    after = Jpeg2000().decode(Layered(code.codec, told, code.levels))
    assert after.data.dtype == data.dtype
    assert after.data.dtype.byteorder == data.dtype.byteorder
    assert np.array_equal(after.data, data)
    assert np.array_equal(after.affine, AFFINE)
    assert (after.kind, after.slope, after.intercept) == (kind, 0.1, -3.0)


@pytest.mark.parametrize("what", EXACT)
def test_every_level_is_at_least_as_good_as_asked_and_as_good_as_told(what: str) -> None:
    data, kind = EXACT[what]
    code = Jpeg2000((25, 40)).encode(image(data, kind))
    for level, (asked, reached) in enumerate(zip((25, 40), code.settings["reached_db"], strict=True), 1):
        coarse = Jpeg2000((25, 40)).decode(code.up_to(level)).data
        assert coarse.dtype == data.dtype
        found = psnr(data, coarse)
        assert found >= asked - 1e-3
        assert found == pytest.approx(np.inf if reached is None else reached, abs=0.01)


def test_every_slice_of_a_volume_is_as_good_as_asked() -> None:
    data = np.stack([scene(64, 64, seed=s) // (1 + 3 * s) for s in range(6)], 2).astype(np.int16)
    code = Jpeg2000().encode(image(data, "intensity"))
    coarse = Jpeg2000().decode(code.up_to(1)).data
    for k in range(6):
        error = mean_square(data[..., k], coarse[..., k])
        assert decibel(error, float(data.max()) - float(data.min())) >= 30


def test_the_preview_is_small_and_layers_cost_little() -> None:
    data = scene(256, 256).astype(np.uint16)
    graded, plain = (Jpeg2000(db).encode(image(data)) for db in ((30, 50), ()))
    preview, _, _ = map(len, graded.levels)
    assert preview < 0.1 * len(plain.levels[0])
    assert sum(map(len, graded.levels)) < 1.01 * len(plain.levels[0])


def test_unused_low_bits_cost_nothing() -> None:
    data = scene(61, 83)
    narrow, wide = (Jpeg2000().encode(image((data * k).astype(np.uint16))) for k in (1, 16))
    assert narrow.levels[:-1] == wide.levels[:-1]  # the last holds the digest of the data


def test_the_first_layers_are_a_codestream_that_another_decoder_reads() -> None:
    openjpeg = pytest.importorskip("openjpeg")
    data = scene(61, 83, top=255).astype(np.uint8)
    data[0, 0], data[0, 1] = 0, 255  # nothing to shift
    code = Jpeg2000().encode(image(data))
    parts, header = [], b""
    for k, level in enumerate(code.levels[:2]):
        body = level[4:]
        if k == 0:
            size = struct.unpack("<H", body[:2])[0]
            header, body = body[2 : 2 + size], body[2 + size :]
        parts.append(body[4:])
        stream = codestream(data.shape, 8, header, parts)
        assert np.array_equal(openjpeg.decode(stream), Jpeg2000().decode(code.up_to(k + 1)).data)


def test_the_same_image_gives_the_same_bytes() -> None:
    before = image(scene(50, 60).astype(np.uint16))
    assert Jpeg2000().encode(before) == Jpeg2000().encode(before)


def test_it_is_a_codec() -> None:
    assert isinstance(Jpeg2000(), Codec)
    assert Jpeg2000().describe().endswith("30 dB, then 50 dB, then the exact bits")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (scene(8, 8) + 0.5, "not whole"),
        (np.full((8, 8), np.nan), "not whole"),
        (np.array([[-0.0, 1.0]]), "not whole"),
        (np.array([[0, 1, 70000]], np.int32), "more than 16 bits"),
        (np.array([[0, 2**63 + 5]], np.uint64), "more than 16 bits"),
        (np.array([[1j]]), "plain numbers"),
    ],
)
def test_what_cannot_be_exact_is_refused(data: Array, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        Jpeg2000().encode(image(data))


def test_labels_are_never_blurred() -> None:
    labels = image(NOISE.integers(0, 99, (9, 8, 7)).astype(np.int16), "labels")
    with pytest.raises(Refusal, match="labels"):
        Jpeg2000().encode(labels)
    assert np.array_equal(Jpeg2000(()).decode(Jpeg2000(()).encode(labels)).data, labels.data)


@pytest.mark.parametrize("levels_db", [(50, 30), (30, 30), (0, 30), (30, 200), (float("nan"),)])
def test_levels_that_make_no_sense_are_refused(levels_db: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="levels_db"):
        Jpeg2000(levels_db)


CODE = Jpeg2000().encode(image(scene(61, 83).astype(np.uint16)))


def test_any_flipped_bit_is_an_error() -> None:
    draw = np.random.default_rng(0)
    for _ in range(200):
        k = int(draw.integers(3))
        level = bytearray(CODE.levels[k])
        level[draw.integers(len(level))] ^= 1 << draw.integers(8)
        with pytest.raises(VerificationFailed):
            Jpeg2000().decode(replace(CODE, levels=(*CODE.levels[:k], bytes(level), *CODE.levels[k + 1 :])))


@pytest.mark.parametrize(
    "levels",
    [
        (),
        (b"",),
        (CODE.levels[0][:-1],),
        (CODE.levels[1],),
        (CODE.levels[0], CODE.levels[0]),
        (CODE.levels[0], CODE.levels[2]),
        (*CODE.levels[:2], CODE.levels[1]),
        (*CODE.levels, b""),
    ],
)
def test_missing_or_swapped_levels_are_an_error(levels: tuple[bytes, ...]) -> None:
    with pytest.raises(VerificationFailed):
        Jpeg2000().decode(replace(CODE, levels=levels))


def test_the_exact_level_of_another_image_is_an_error() -> None:
    other = Jpeg2000().encode(image(scene(61, 83, seed=1).astype(np.uint16)))
    with pytest.raises(VerificationFailed):
        Jpeg2000().decode(replace(CODE, levels=(*CODE.levels[:2], other.levels[2])))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"shape": [61, 84]},
        {"shape": [61]},
        {"shape": [1 << 30, 1 << 30]},
        {"shape": [83, 61, 1, 1]},
        {"shape": 5},
        {"kind": "intensity"},
        {"kind": ["film"]},
        {"dtype": "O"},
        {"dtype": "{"},
        {"dtype": "<i2"},  # the numbers are the same, the image is not
        {"dtype": "|u1"},
        {"low": True},
        {"low": 10**30},
        {"low": -1},
        {"span": 70000},
        {"step": 0},
        {"affine": [[1]]},
        {"affine": np.zeros((4, 4)).tolist()},
        {"slope": "x"},
        {"intercept": float("inf")},
        {"levels_db": None},
        {"levels_db": [30.0]},
    ],
)
def test_settings_that_are_not_ours_are_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(VerificationFailed):
        Jpeg2000().decode(replace(CODE, settings={**CODE.settings, **change}))


def test_a_level_of_slices_without_their_lengths_is_an_error() -> None:
    """A forged shape of very many slices asks for no memory before the bytes are seen."""
    forged = {**CODE.settings, "kind": "intensity", "shape": [1, 1, 1, 1 << 26]}
    with pytest.raises(VerificationFailed, match="too short"):
        Jpeg2000().decode(replace(CODE, settings=forged))


def test_a_codestream_without_packet_lengths_is_not_cut() -> None:
    from medveil.share.codec.codestream import cut

    pixels = scene(61, 83).astype(np.uint16)
    with pytest.raises(VerificationFailed, match="cut"):
        cut(written(pixels, layers_db=[40, 0], packet_lengths=False), pixels, 2)


def test_forged_streams_with_right_checksums_crash_nothing() -> None:
    """A public preview is not authenticated: 300 forged ones, in a process of their own, each decoded or refused."""
    script = """
        import struct, sys
        from binascii import crc32
        from dataclasses import replace
        import numpy as np
        from medveil.core.errors import VerificationFailed
        from medveil.core.image import Image
        from medveil.share.codec.jpeg2000 import Jpeg2000

        draw = np.random.default_rng(0)
        pictures = [
            Image(draw.integers(0, 200, (50, 60)).astype("u1"), np.eye(4), "film"),
            Image(draw.integers(0, 2000, (50, 60)).astype("u2"), np.eye(4), "film"),
            Image(draw.integers(0, 200, (30, 40, 3)).astype("u1"), np.eye(4), "photo"),
            Image(draw.integers(-9, 2000, (30, 40, 3)).astype("i2"), np.eye(4)),
        ]
        codes = [Jpeg2000().encode(picture) for picture in pictures]
        refused = 0
        for n in range(300):
            code, picture = codes[n % 4], pictures[n % 4]
            levels = [bytearray(level[4:]) for level in code.levels[: 1 + n % 3]]
            forged = levels[0] if n % 2 else levels[-1]
            end = min(40, len(forged)) if n % 5 else len(forged)  # the header more often than its share
            at = int(draw.integers(end))
            match n % 4:
                case 0: forged[at] ^= 1 << int(draw.integers(8))
                case 1: del forged[at:]
                case 2: forged[at : at + 4] = draw.bytes(4)
                case 3: forged[at:at] = draw.bytes(3)
            sealed = tuple(struct.pack("<I", crc32(level)) + level for level in map(bytes, levels))
            try:
                seen = Jpeg2000().decode(replace(code, levels=sealed))
                assert seen.data.shape == picture.data.shape
                assert len(levels) < 3 or np.array_equal(seen.data, picture.data)
            except VerificationFailed:
                refused += 1
        print(refused)
    """
    run = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 150 < int(done.stdout) < 300


def test_checksums_are_crc32() -> None:
    assert all(struct.pack("<I", crc32(level[4:])) == level[:4] for level in CODE.levels)


@pytest.mark.real
def test_real_films_come_back_exactly_and_as_good_as_told(real_data: Path) -> None:
    from PIL import Image as Pillow

    films = sorted((real_data / "cxr" / "masked" / "images").glob("*.jpg"))[::60]
    if not films:
        pytest.skip("the films are not here")
    for path in films:
        data = np.asarray(Pillow.open(path).convert("L"))
        code = Jpeg2000().encode(image(data))
        assert np.array_equal(Jpeg2000().decode(code).data, data)
        rates = np.cumsum([8 * len(level) / data.size for level in code.levels])
        assert rates[0] < 0.2 < rates[1] < rates[2] < 8
        assert 30 <= code.settings["reached_db"][0] < 40
        assert 50 <= code.settings["reached_db"][1] < 52


@pytest.mark.real
def test_a_real_head_comes_back_exactly(real_data: Path) -> None:
    import nibabel as nib

    path = real_data / "heads" / "adult_b_t2w_5mm_upperface.nii.gz"
    if not path.is_file():
        pytest.skip("the head is not here")
    scan = nib.load(path)
    head = Image(np.asarray(scan.dataobj), scan.affine)
    code = Jpeg2000().encode(head)
    assert np.array_equal(Jpeg2000().decode(code).data, head.data)
    assert sum(map(len, code.levels)) < 0.35 * head.data.nbytes
