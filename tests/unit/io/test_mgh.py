"""MGH volumes: read as FreeSurfer places them, written without anything behind the voxels."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io import mgh

OBLIQUE = np.array([[-1.0, 0.2, 0, 30], [0.1, 1.1, 0.3, -20], [0, -0.3, 2.0, 5], [0, 0, 0, 1]])


def volume(dtype: str = "i2", shape: tuple[int, ...] = (3, 4, 5)) -> np.ndarray:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_reads_what_nibabel_wrote_with_its_place_in_space(tmp_path: Path, suffix: str, dtype: str) -> None:
    path = tmp_path / f"a{suffix}"
    nib.save(nib.MGHImage(volume(dtype), OBLIQUE), path)
    image = mgh.read(path)
    np.testing.assert_array_equal(image.data, volume(dtype))
    np.testing.assert_allclose(image.affine, OBLIQUE, atol=1e-5)


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 2)])
def test_nibabel_reads_what_was_written(tmp_path: Path, suffix: str, shape: tuple[int, ...]) -> None:
    path = tmp_path / f"b{suffix}"
    mgh.write(Image(volume("f4", shape), OBLIQUE), path)
    theirs = nib.load(path)
    np.testing.assert_array_equal(np.asarray(theirs.dataobj), volume("f4", shape))
    np.testing.assert_allclose(theirs.affine, OBLIQUE, atol=1e-5)


def test_the_header_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "c.mgh"
    mgh.write(Image(volume("i2", (2, 4, 6)), np.diag([2.0, 3, 4, 1])), path)
    raw = path.read_bytes()
    assert struct.unpack(">7ih", raw[:30]) == (1, 2, 4, 6, 1, 4, 0, 1)
    assert struct.unpack(">3f", raw[30:42]) == (2, 3, 4)
    assert struct.unpack(">3f", raw[78:90]) == (2, 6, 12)  # the middle: half of each axis times its zoom
    assert raw[90:284] == bytes(194)
    assert len(raw) == 284 + 2 * 48


def test_tags_and_unused_bytes_have_no_way_through(tmp_path: Path) -> None:
    source, out = tmp_path / "in.mgz", tmp_path / "out.mgz"
    mgh.write(Image(volume(), OBLIQUE), tmp_path / "plain.mgh")
    raw = bytearray((tmp_path / "plain.mgh").read_bytes())
    raw[100:106] = b"Zyquar"
    raw += b"\0\0\0\3" + b"mri_convert --user Zyquar /home/Zyquar"
    source.write_bytes(gzip.compress(bytes(raw)))
    mgh.write(mgh.read(source), out)
    assert b"Zyquar" not in gzip.decompress(out.read_bytes())
    assert out.read_bytes()[3:10] == b"\0" * 5 + out.read_bytes()[8:10]  # no name, no time


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.mgz", "b.mgz"):
        mgh.write(Image(volume(), OBLIQUE), tmp_path / name)
    assert (tmp_path / "a.mgz").read_bytes() == (tmp_path / "b.mgz").read_bytes()


def broken(tmp_path: Path, change: dict[int, bytes], cut: int = 0) -> Path:
    path = tmp_path / "x.mgh"
    mgh.write(Image(volume(), OBLIQUE), path)
    raw = bytearray(path.read_bytes())
    for place, value in change.items():
        raw[place : place + len(value)] = value
    path.write_bytes(bytes(raw[: len(raw) - cut]))
    return path


@pytest.mark.parametrize(
    ("change", "cut", "words"),
    [
        ({0: struct.pack(">i", 2)}, 0, "not an MGH"),
        ({4: struct.pack(">i", 0)}, 0, "dimensions"),
        ({4: struct.pack(">i", -3)}, 0, "dimensions"),
        ({4: struct.pack(">i", 2**31 - 1)}, 0, "dimensions"),
        ({4: struct.pack(">i", 1)}, 0, "single slice"),
        ({4: struct.pack(">i", 1 << 19)}, 0, "fewer voxels"),
        ({20: struct.pack(">i", 2)}, 0, "type"),
        ({28: struct.pack(">h", 0)}, 0, "goodRASFlag"),
        ({30: struct.pack(">f", float("nan"))}, 0, "affine"),
        ({30: struct.pack(">f", 0)}, 0, "affine"),
        ({}, 1, "fewer voxels"),
        ({}, 130, "header"),
    ],
)
def test_refuses_what_it_cannot_trust(tmp_path: Path, change: dict[int, bytes], cut: int, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        mgh.read(broken(tmp_path, change, cut))


def test_refuses_damaged_gzip_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "x.mgz"
    mgh.write(Image(volume(), OBLIQUE), path)
    raw = path.read_bytes()
    path.write_bytes(raw[:-12])
    with pytest.raises(InputRefused, match="cut off"):
        mgh.read(path)
    path.write_bytes(raw[:-8] + b"\0\0\0\0" + raw[-4:])
    with pytest.raises(InputRefused, match="damaged"):
        mgh.read(path)
    with pytest.raises(InputRefused, match="could not be read"):
        mgh.read(tmp_path / "none.mgh")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (Image(volume("f8"), OBLIQUE), "a.mgh"),
        (Image(volume(), OBLIQUE, slope=2.0), "a.mgh"),
        (Image(volume(), OBLIQUE), "a.nii"),
        (Image(np.zeros((4, 4), "u1"), np.eye(4), "photo"), "a.mgh"),
    ],
)
def test_writes_nothing_it_cannot_say(tmp_path: Path, image: Image, name: str) -> None:
    with pytest.raises(OutputFailed):
        mgh.write(image, tmp_path / name)
    assert not list(tmp_path.iterdir())
