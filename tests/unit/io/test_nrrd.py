"""NRRD volumes: read strictly, written without comments and key/value pairs."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io import nrrd

DATA = np.arange(60, dtype="<i2").reshape(3, 4, 5)
OBLIQUE = np.array([[-1.0, 0.2, 0, 30], [0.1, 1.1, 0.3, -20], [0, -0.3, 2.0, 5], [0, 0, 0, 1]])
FIELDS = {
    "type": "short", "dimension": "3", "space": "left-posterior-superior", "sizes": "3 4 5",
    "space directions": "(2,0,0) (0,3,0) (0,0,4)", "kinds": "domain domain domain", "endian": "little",
    "encoding": "raw", "space origin": "(10,20,30)",
}  # fmt: skip


def file(
    tmp_path: Path, body: bytes | None = None, extra: str = "", magic: str = "NRRD0004", **changes: str | None
) -> Path:
    fields = FIELDS | {k.replace("_", " "): v for k, v in changes.items()}
    lines = [magic, *(f"{k}: {v}" for k, v in fields.items() if v is not None)]
    path = tmp_path / "a.nrrd"
    path.write_bytes(
        ("\n".join(lines) + "\n" + extra + "\n").encode()
        + (DATA.tobytes(order="F") if body is None else body)
    )
    return path


def test_left_posterior_superior_becomes_ras(tmp_path: Path) -> None:
    image = nrrd.read(file(tmp_path))
    np.testing.assert_array_equal(image.data, DATA)
    expected = [[-2, 0, 0, -10], [0, -3, 0, -20], [0, 0, 4, 30], [0, 0, 0, 1]]
    np.testing.assert_array_equal(image.affine, expected)


def test_gzip_big_endian_and_ras(tmp_path: Path) -> None:
    body = gzip.compress(DATA.astype(">i2").tobytes(order="F"))
    image = nrrd.read(file(tmp_path, body, endian="big", encoding="gz", space="RAS"))
    np.testing.assert_array_equal(image.data, DATA)
    np.testing.assert_array_equal(image.affine[:3, 3], [10, 20, 30])


def test_a_first_axis_of_gradients_becomes_the_last(tmp_path: Path) -> None:
    data = np.arange(120, dtype="<i2").reshape(2, 3, 4, 5)
    path = file(
        tmp_path, data.tobytes(order="F"), dimension="4", sizes="2 3 4 5",
        space_directions="none (2,0,0) (0,3,0) (0,0,4)", kinds="vector domain domain domain",
    )  # fmt: skip
    np.testing.assert_array_equal(nrrd.read(path).data, np.moveaxis(data, 0, -1))


def test_simpleitk_and_medveil_agree_both_ways(tmp_path: Path) -> None:
    theirs = sitk.GetImageFromArray(DATA.transpose(2, 1, 0))
    theirs.SetSpacing((1.5, 2, 3))
    theirs.SetOrigin((7, -8, 9))
    theirs.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    sitk.WriteImage(theirs, str(tmp_path / "t.nrrd"))
    image = nrrd.read(tmp_path / "t.nrrd")
    np.testing.assert_array_equal(image.data, DATA)
    nrrd.write(image, tmp_path / "o.nrrd")
    again = sitk.ReadImage(str(tmp_path / "o.nrrd"))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(again), DATA.transpose(2, 1, 0))
    np.testing.assert_allclose(again.GetOrigin(), theirs.GetOrigin())
    np.testing.assert_allclose(again.GetDirection(), theirs.GetDirection())
    np.testing.assert_allclose(again.GetSpacing(), theirs.GetSpacing())


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 2)])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", "<f4", ">f8", "<u8"])
def test_written_and_read_is_the_same_to_the_last_bit(
    tmp_path: Path, shape: tuple[int, ...], dtype: str
) -> None:
    data = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    for name in ("a.nrrd", "b.nrrd"):
        nrrd.write(Image(data, OBLIQUE), tmp_path / name)
    image = nrrd.read(tmp_path / "a.nrrd")
    np.testing.assert_array_equal(image.data, data)
    assert image.data.dtype == data.dtype
    np.testing.assert_array_equal(image.affine, OBLIQUE)
    assert (tmp_path / "a.nrrd").read_bytes() == (tmp_path / "b.nrrd").read_bytes()


def test_comments_keys_and_unknown_fields_have_no_way_through(tmp_path: Path) -> None:
    extra = "# made by Zyquar\nDICOM_0010_0010:=Zyquar\ncontent: Zyquar\n"
    source = file(tmp_path, DATA.tobytes(order="F") + b"Zyquar", extra)
    nrrd.write(nrrd.read(source), tmp_path / "out.nrrd")
    raw = (tmp_path / "out.nrrd").read_bytes()
    assert b"Zyquar" not in raw + gzip.decompress(raw.split(b"\n\n", 1)[1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"magic": "NRRD0009"}, "not an NRRD"),
        ({"magic": "P6"}, "not an NRRD"),
        ({"data_file": "../../etc/passwd"}, "another file"),
        ({"extra": "datafile: LIST\n"}, "another file"),
        ({"byte_skip": "-1"}, "byte skip"),
        ({"line_skip": "2"}, "line skip"),
        ({"encoding": "ascii"}, "encoding"),
        ({"encoding": "bzip2"}, "encoding"),
        ({"encoding": None}, "encoding"),
        ({"type": "block"}, "type"),
        ({"type": None}, "type"),
        ({"endian": None}, "endian"),
        ({"endian": "middle"}, "endian"),
        ({"sizes": "3 4"}, "dimension"),
        ({"sizes": "3 -4 5"}, "sizes"),
        ({"sizes": "3 4 1000000"}, "fewer voxels"),
        ({"sizes": "3 4 99999999999"}, "sizes"),
        ({"sizes": "1 12 5"}, "single slice"),
        ({"space": None}, "left and right"),
        ({"space": "scanner-xyz"}, "left and right"),
        ({"space_directions": None}, "left and right"),
        ({"space_directions": "(1,0,0) (0,1,0)"}, "one for each axis"),
        ({"space_directions": "none (1,0,0) (0,1,0)"}, "three"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,x,1)"}, "finite"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,nan,1)"}, "finite"),
        ({"space_directions": "(1,0,0) (0,1,0) (0,1,0)"}, "singular"),
        ({"space_units": '"m" "m" "m"'}, "space units"),
        ({"body": b"short"}, "fewer voxels"),
        ({"encoding": "gzip"}, "damaged"),
        ({"encoding": "gzip", "body": gzip.compress(bytes(120))[:-9]}, "cut off"),
        ({"extra": "type: int\n"}, "twice"),
        ({"extra": "nonsense\n"}, "neither"),
    ],
)  # fmt: skip
def test_refuses_what_it_does_not_understand(tmp_path: Path, changes: dict, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        nrrd.read(file(tmp_path, **changes))


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    image = nrrd.read(file(tmp_path, gzip.compress(DATA.tobytes(order="F") + bytes(10**7)), encoding="gzip"))
    np.testing.assert_array_equal(image.data, DATA)


def test_refuses_headers_alone_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "h.nhdr"
    path.write_bytes(b"NRRD0004\ntype: short\ndata file: x.raw")
    with pytest.raises(InputRefused, match="no end"):
        nrrd.read(path)
    with pytest.raises(InputRefused, match="could not be read"):
        nrrd.read(tmp_path / "none.nrrd")


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (Image(DATA.astype(np.complex64), OBLIQUE), "a.nrrd"),
        (Image(DATA, OBLIQUE, slope=2.0), "a.nrrd"),
        (Image(DATA, OBLIQUE), "a.nhdr"),
        (Image(np.zeros((4, 4), "u1"), np.eye(4), "photo"), "a.nrrd"),
    ],
)
def test_writes_nothing_it_cannot_say(tmp_path: Path, image: Image, name: str) -> None:
    with pytest.raises(OutputFailed):
        nrrd.write(image, tmp_path / name)
    assert not list(tmp_path.iterdir())
