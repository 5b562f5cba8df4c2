"""Reading and writing NIfTI: stored numbers stay, bad files are refused in one line."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io import header, nifti

Save = Callable[..., Path]


def test_reads_numbers_as_they_are_stored_with_their_scaling(save: Save) -> None:
    path = save("a.nii.gz")
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[112:120] = struct.pack("<ff", 0.5, -3.0)  # scl_slope, scl_inter
    path.write_bytes(gzip.compress(bytes(raw)))
    image = nifti.read(path)
    assert image.data.dtype == np.int16
    assert image.data[0, 0].tolist() == [0, 1, 2, 3, 4]
    assert (image.slope, image.intercept) == (0.5, -3.0)
    assert image.values()[0, 0, 4] == -1.0
    assert np.allclose(image.values(), nib.load(path).get_fdata())


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_no_declared_scaling_means_one_and_zero(save: Save, slope: float) -> None:
    path = save("a.nii")
    raw = bytearray(path.read_bytes())
    raw[112:120] = struct.pack("<ff", slope, 7.0)
    path.write_bytes(raw)
    assert (nifti.read(path).slope, nifti.read(path).intercept) == (1.0, 0.0)


def test_series_keep_their_fourth_axis_and_lose_empty_ones_behind_it(save: Save) -> None:
    series = save("s.nii.gz", np.zeros((3, 4, 5, 2), np.float32))
    odd = save("o.nii.gz", np.zeros((3, 4, 5, 2, 1, 1), np.uint8))
    assert nifti.read(series).data.shape == (3, 4, 5, 2)
    assert nifti.read(odd).data.shape == (3, 4, 5, 2)


def test_sform_counts_before_qform(save: Save) -> None:
    path = save("a.nii", sform_code=1, qform_code=1)
    image = nib.load(path)
    other = image.affine.copy()
    other[0, 3] += 5
    image.set_sform(other, 2)
    nib.save(image, path)
    assert nifti.read(path).affine[0, 3] == 35
    assert header.read_facts(path).remarks == (
        "sform and qform disagree about the place in space; the sform was used",
    )


def test_a_mirrored_qform_is_said_by_name(save: Save) -> None:
    path = save("a.nii")
    image = nib.load(path)
    image.set_qform(np.diag([2.0, 2, 3, 1]), 1)
    nib.save(image, path)
    assert any("left and right" in r for r in header.read_facts(path).remarks)


def test_qform_serves_where_there_is_no_sform(save: Save) -> None:
    path = save("a.nii")
    image = nib.load(path)
    image.set_qform(image.affine, 1)
    image.set_sform(None, 0)
    nib.save(image, path)
    assert np.allclose(nifti.read(path).affine, nib.load(path).affine, atol=1e-5)
    assert header.read_facts(path).srow == (0.0,) * 12


def test_lengths_in_metres_become_millimetres(save: Save) -> None:
    path = save("a.nii", affine=np.diag([0.002, 0.002, 0.003, 1]), xyzt_units=1)
    assert np.allclose(nifti.read(path).spacing_mm, (2, 2, 3))


def test_the_content_decides_what_is_compressed(save: Save, tmp_path: Path) -> None:
    path = save("a.nii")
    (tmp_path / "b.nii.gz").write_bytes(path.read_bytes())
    (tmp_path / "c.nii").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("b.nii.gz", "c.nii"):
        assert np.array_equal(nifti.read(tmp_path / name).data, nifti.read(path).data)


# (what the file is, a word that the refusal must hold)
BAD = {
    "text": "not a NIfTI file",
    "empty file": "is empty",
    "missing": "not there",
    "a folder": "could not read",
    "cut gzip": "cut off",
    "gzip without its end": "cut off",
    "damaged gzip": "damaged",
    "cut data": "fewer voxels",
    "cut header": "cut off within the header",
    "absurd size": "fewer voxels",
    "slice": "single slice",
    "slice with three axes": "single slice",
    "vector image": "axes",
    "no voxels": "empty",
    "colours": "RGB",
    "complex": "complex",
    "unknown type": "unknown type",
    "only not-a-number": "no finite number",
    "singular": "singular",
    "no codes": "left and right",
    "affine not finite": "not finite",
    "scaling not finite": "scl_slope",
    "offset into header": "vox_offset",
    "dicom": "DICOM",
    "pair": "pair",
    "analyze": "Analyze",
    "named hdr": "pair",
    "named mgz": "FreeSurfer",
    "bad number of axes": "axes",
    "negative axis": "negative",
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_refused_in_one_line(save: Save, tmp_path: Path, what: str) -> None:
    path = bad_file(what, save, tmp_path)
    with pytest.raises(InputRefused) as caught:
        nifti.read(path)
    text = str(caught.value)
    assert BAD[what] in text
    assert "\n" not in text
    assert str(tmp_path) not in text
    assert path.name not in text


def bad_file(what: str, save: Save, tmp_path: Path) -> Path:
    good = save("good.nii").read_bytes()
    packed = gzip.compress(good)
    values = {
        "text": b"this is a text\n" * 50,
        "empty file": b"",
        "cut gzip": packed[: len(packed) // 2],
        "gzip without its end": packed[:-4],
        "damaged gzip": packed[:-8] + b"\0" * 8,
        "cut data": good[:-5],
        "cut header": good[:347],
        "dicom": b"\0" * 128 + b"DICM" + b"\2\0\0\0UL" + b"\0" * 500,
        "pair": patch(good, 344, b"ni1\0"),
        "analyze": patch(good, 344, b"\0\0\0\0"),
        "absurd size": patch(good, 40, struct.pack("<8h", 3, 32767, 32767, 32767, 1, 1, 1, 1)),
        "bad number of axes": patch(good, 40, struct.pack("<h", 9)),
        "negative axis": patch(good, 40, struct.pack("<2h", 3, -4)),
        "no voxels": patch(good, 40, struct.pack("<2h", 3, 0)),
        "unknown type": patch(good, 70, struct.pack("<h", 3333)),
        "no codes": patch(good, 252, struct.pack("<2h", 0, 0)),
        "affine not finite": patch(good, 280, struct.pack("<f", float("nan"))),
        "scaling not finite": patch(good, 112, struct.pack("<2f", float("inf"), 0)),
        "offset into header": patch(good, 108, struct.pack("<f", 100)),
        "singular": patch(good, 280, struct.pack("<4f", 0, 0, 0, 0)),
    }
    if what in values:
        path = tmp_path / ("bad.nii.gz" if values[what][:2] == b"\x1f\x8b" or what == "text" else "bad.nii")
        path.write_bytes(values[what])
        return path
    if what == "missing":
        return tmp_path / "nowhere.nii"
    if what == "a folder":
        (tmp_path / "folder.nii").mkdir()
        return tmp_path / "folder.nii"
    if what.startswith("named"):
        path = tmp_path / f"bad.{what.split()[1]}"
        path.write_bytes(good)
        return path
    rgb = np.zeros((3, 4, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    data = {
        "slice": np.zeros((3, 4), np.uint8),
        "slice with three axes": np.zeros((3, 4, 1), np.uint8),
        "vector image": np.zeros((3, 4, 5, 1, 3), np.float32),
        "colours": rgb,
        "complex": np.zeros((3, 4, 5), np.complex64),
        "only not-a-number": np.full((3, 4, 5), np.nan, np.float32),
    }[what]
    return save("bad.nii", data)


def patch(good: bytes, at: int, value: bytes) -> bytes:
    return good[:at] + value + good[at + len(value) :]


def test_a_missing_permission_is_one_line(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save("a.nii")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputRefused, match="permission") as caught:
        nifti.read(path)
    assert str(path) not in str(caught.value)


def test_writes_what_was_read_and_nothing_else(save: Save, tmp_path: Path) -> None:
    source = save("a.nii.gz", descrip=b"canary", aux_file=b"canary")
    out = tmp_path / "deep" / "er" / "b.nii.gz"
    image = nifti.read(source)
    nifti.write(image, out, facts=header.read_facts(source))
    again = nib.load(out)
    assert np.asarray(again.dataobj.get_unscaled()).tobytes() == image.data.tobytes()
    assert again.header["descrip"] == b""
    assert header.check_header(out, source) == []
    assert set(header.check_header(source)) == {"header field descrip", "header field aux_file"}


def test_written_without_facts_is_read_again(tmp_path: Path) -> None:
    affine = np.array([[0, 0, 2.5, 1], [-1.5, 0, 0, 2], [0, 1, 0, 3], [0, 0, 0, 1]])
    image = Image(np.arange(24, dtype=">i2").reshape(2, 3, 4), affine, slope=0.25, intercept=2)
    nifti.write(image, tmp_path / "a.nii")
    again = nifti.read(tmp_path / "a.nii")
    assert again.data.dtype == image.data.dtype
    assert again.data.tobytes() == image.data.tobytes()
    assert (again.slope, again.intercept) == (0.25, 2)
    assert np.array_equal(again.affine, affine)
    assert header.read_facts(tmp_path / "a.nii").qform_code == 1
    assert header.check_header(tmp_path / "a.nii") == []


def test_a_sheared_affine_is_written_as_sform_alone(tmp_path: Path) -> None:
    affine = np.array([[2, 0.5, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])
    nifti.write(Image(np.zeros((2, 3, 4), np.uint8), affine), tmp_path / "a.nii")
    assert header.read_facts(tmp_path / "a.nii").qform_code == 0
    assert np.array_equal(nifti.read(tmp_path / "a.nii").affine, affine)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"data": np.zeros((3, 4, 6), np.int16)}, "shape"),
        ({"data": np.zeros((3, 4, 5), np.int32)}, "data type"),
        ({"slope": 2.0}, "scaling"),
        ({"affine": np.eye(4)}, "affine"),
    ],
)
def test_facts_of_another_image_are_refused(
    save: Save, tmp_path: Path, change: dict[str, object], word: str
) -> None:
    source = save("a.nii")
    image = nifti.read(source)
    fields = {"data": image.data, "affine": image.affine, "slope": image.slope, **change}
    with pytest.raises(OutputFailed, match=word):
        nifti.write(Image(**fields), tmp_path / "b.nii", facts=header.read_facts(source))  # type: ignore[arg-type]
    assert not (tmp_path / "b.nii").exists()


@pytest.mark.parametrize("dtype", [np.bool_, np.float16, np.complex64])
def test_types_that_nifti_has_not_are_refused(tmp_path: Path, dtype: type) -> None:
    with pytest.raises(OutputFailed, match="data type"):
        nifti.write(Image(np.ones((2, 2, 2), dtype), np.eye(4)), tmp_path / "a.nii")


def test_other_suffixes_and_photographs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match=r"\.nii"):
        nifti.write(Image(np.ones((2, 2, 2), np.uint8), np.eye(4)), tmp_path / "a.png")
    with pytest.raises(OutputFailed, match="picture"):
        nifti.write(Image(np.ones((2, 2, 3), np.uint8), np.eye(4), kind="photo"), tmp_path / "a.nii")


@pytest.mark.parametrize("number", [28, 13, 5])  # no space, permission, input/output
def test_a_failed_write_leaves_nothing_and_says_so(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    image = nifti.read(save("in/a.nii"))

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OutputFailed) as caught:
        nifti.write(image, tmp_path / "out" / "b.nii.gz")
    assert str(tmp_path) not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_one_line_and_keeps_what_was_there(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = nifti.read(save("in/a.nii", np.zeros((40, 40, 40), np.int16)))
    out = tmp_path / "out" / "b.nii"
    nifti.write(image, out)
    before = out.read_bytes()
    real_open = open

    def full(file: Path, mode: str = "r", **kw: object) -> object:
        return real_open("/dev/full", "wb") if mode == "xb" else real_open(file, mode, **kw)  # type: ignore[call-overload]

    monkeypatch.setattr("medveil.io.aside.open", full, raising=False)
    with pytest.raises(OutputFailed, match="no space"):
        nifti.write(image, out)
    assert out.read_bytes() == before
    assert [p.name for p in out.parent.iterdir()] == ["b.nii"]


@pytest.mark.parametrize("kind", ["name", "comment", "extra", "time", "member", "tail", "extension", "slack"])
def test_what_hides_around_the_header_is_named(save: Save, tmp_path: Path, kind: str) -> None:
    plain = save("a.nii").read_bytes()
    out = tmp_path / "b.nii.gz"
    clean = gzip.compress(plain, mtime=0)
    flags = {"name": 8, "comment": 16, "extra": 4}
    if kind in flags:
        inside = b"\4\0\0\0ab" if kind == "extra" else b"Canary\0"
        inside = b"\6\0Canary" if kind == "extra" else inside
        out.write_bytes(clean[:3] + bytes([flags[kind]]) + clean[4:10] + inside + clean[10:])
    else:
        tail = gzip.compress(b"canary", mtime=0) if kind == "member" else b"canary"
        contents = {
            "time": gzip.compress(plain, mtime=1234567),
            "member": clean + tail,
            "tail": gzip.compress(plain + tail, mtime=0),
            "extension": gzip.compress(patch(plain, 348, b"\1"), mtime=0),
            "slack": gzip.compress(patch(plain, 4, b"canary"), mtime=0),
        }
        out.write_bytes(contents[kind])
    words = {
        "name": "gzip FNAME", "comment": "gzip FCOMMENT", "extra": "gzip FEXTRA", "time": "gzip time",
        "member": "bytes after the gzip member", "tail": "bytes after the data",
        "extension": "header extension", "slack": "header field data_type",
    }  # fmt: skip
    assert header.check_header(out) == [words[kind]]


def test_a_header_unlike_the_sources_is_named(save: Save) -> None:
    one, other = save("a.nii"), save("b.nii", np.zeros((3, 4, 5), np.float32))
    assert header.check_header(other, one) == ["dtype differs from the source"]


def test_nothing_said_about_an_image_names_it(save: Save) -> None:
    path = save("Canary_Name.nii")
    with nifti.open_nifti(path) as stream:
        assert "Canary" not in repr(stream) + repr(header.read_facts(path)) + repr(nifti.read(path))


@pytest.mark.real
def test_real_heads_come_back_bit_by_bit(real_data: Path, tmp_path: Path) -> None:
    for source in sorted((real_data / "bids" / "small_faces").rglob("*.nii.gz")):
        image, out = nifti.read(source), tmp_path / "out.nii.gz"
        reference = nib.load(source)
        assert np.array_equal(image.data, reference.dataobj.get_unscaled())
        assert np.allclose(image.affine, reference.affine, atol=1e-5)
        nifti.write(image, out, facts=header.read_facts(source))
        assert nifti.read(out).data.tobytes() == image.data.tobytes()
        assert header.check_header(out, source) == []
