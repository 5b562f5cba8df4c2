"""Formats by name: each one is read, written and checked by its own rules; what is not taken says why."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import nibabel as nib
import numpy as np
import pytest

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import bids, formats, mgh, nifti, nrrd

Save = Callable[..., Path]
DATA = np.arange(60, dtype="<i2").reshape(3, 4, 5)
SUFFIXES = [".nii", ".nii.gz", ".mgh", ".mgz", ".nrrd"]


def turned(seed: int) -> np.ndarray:
    """An affine as a scanner makes it: turned, scaled, shifted, with no round number in it."""
    rng = np.random.default_rng(seed)
    affine = np.eye(4)
    affine[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0] * rng.uniform(0.4, 5, 3)
    affine[:3, 3] = rng.uniform(-200, 200, 3)
    return affine


def source(tmp_path: Path, suffix: str, affine: np.ndarray | None = None) -> Path:
    path = tmp_path / f"in{suffix}"
    formats.write(Image(DATA, np.diag([2.0, 3, 4, 1]) if affine is None else affine), path)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_image_stays_in_its_format_bit_by_bit(tmp_path: Path, suffix: str) -> None:
    path, out = source(tmp_path, suffix, turned(5)), tmp_path / f"out{suffix}"
    image = formats.read(path)
    formats.write(image, out, like=path)
    again = formats.read(out)
    np.testing.assert_array_equal(again.data, image.data)
    assert again.data.dtype == image.data.dtype
    np.testing.assert_array_equal(again.affine, image.affine)
    assert formats.check(out, path) == []
    assert out.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("seed", range(40))
def test_any_mgh_affine_is_written_again_exactly(tmp_path: Path, seed: int) -> None:
    theirs, out = tmp_path / "theirs.mgh", tmp_path / "out.mgh"
    nib.save(nib.MGHImage(DATA, turned(seed)), theirs)
    raw = bytearray(theirs.read_bytes())
    if seed % 2:  # axes that are no unit vectors, as some programs write them
        raw[42:78] = (np.frombuffer(raw[42:78], ">f4") * np.float32(1.0371)).astype(">f4").tobytes()
        theirs.write_bytes(raw)
    image = mgh.read(theirs)
    np.testing.assert_allclose(image.affine, nib.load(theirs).affine, rtol=3e-7, atol=1e-4)
    mgh.write(image, out)
    np.testing.assert_array_equal(mgh.read(out).affine, image.affine)
    assert formats.check(out, theirs) == []
    assert mgh.encoded(mgh.read(out)) == out.read_bytes()


def test_whatever_lies_beside_an_mgh_image_is_named(tmp_path: Path) -> None:
    path = source(tmp_path, ".mgh")
    raw = bytearray(path.read_bytes())
    raw[100:106] = b"Zyquar"
    path.write_bytes(bytes(raw) + b"mri_convert /home/Zyquar")
    assert formats.check(path) == ["header holds more than the image needs", "bytes after the data"]
    packed = tmp_path / "in.mgz"
    with open(packed, "wb") as file, gzip.GzipFile("Zyquar.mgh", "wb", fileobj=file, mtime=5) as inner:
        inner.write(mgh.encoded(mgh.read(path)))
    assert formats.check(packed) == ["gzip header holds a name, a comment or a time"]
    clean = source(tmp_path, ".mgz")
    clean.write_bytes(clean.read_bytes() + gzip.compress(b"Zyquar"))
    assert formats.check(clean) == ["bytes after the gzip member"]


def test_whatever_lies_beside_an_nrrd_image_is_named(tmp_path: Path) -> None:
    path = source(tmp_path, ".nrrd")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"\n\n", b"\n# Zyquar\n\n", 1))
    assert formats.check(path) == ["header holds other fields, comments or keys than the image needs"]
    head, voxels = nrrd.header(nrrd.read(path)), DATA.tobytes(order="F")
    path.write_bytes(head + gzip.compress(voxels + b"Zyquar", mtime=0))
    assert formats.check(path) == ["bytes after the data"]
    path.write_bytes(head + gzip.compress(voxels, mtime=7))
    assert formats.check(path) == ["gzip header holds a name, a comment or a time"]
    path.write_bytes(whole + b"Zyquar")
    assert formats.check(path) == ["bytes after the gzip member"]


@pytest.mark.parametrize("suffix", [".mgz", ".nrrd"])
def test_another_place_or_type_than_the_source_is_named(tmp_path: Path, suffix: str) -> None:
    path, other = source(tmp_path, suffix), tmp_path / f"other{suffix}"
    formats.write(Image(DATA.astype("<f4"), np.diag([2.0, 3, 5, 1])), other)
    assert formats.check(other, path) == [
        "data type differs from the source",
        "affine differs from the source",
    ]


@pytest.mark.parametrize("suffix", [".mgz", ".nrrd"])
def test_a_mask_can_be_written_on_its_grid_and_no_frame_is_claimed(tmp_path: Path, suffix: str) -> None:
    path = source(tmp_path, suffix, turned(3))
    facts = formats.facts(path)
    assert facts.sform_code == formats.ALIGNED  # not the scanner's: nobody knows
    assert facts.shape == (3, 4, 5)
    np.testing.assert_allclose(facts.affine, formats.read(path).affine, atol=1e-4)
    (remark,) = formats.remarks(path, facts)
    assert "not carried" in remark


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.mnc", "MINC"), ("a.MNC.gz", "MINC"), ("a.nhdr", "another file"), ("a.hdr", "Analyze"),
        ("a.img", "Analyze"), ("a.txt", "not a NIfTI"),
    ],
)  # fmt: skip
def test_formats_that_are_not_taken_are_refused_by_name(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_bytes(b"Zyquar" * 100)
    with pytest.raises(InputRefused, match=words) as caught:
        formats.read(tmp_path / name)
    assert "Zyquar" not in str(caught.value)


def test_detached_voxels_and_colours_are_refused(tmp_path: Path) -> None:
    path = source(tmp_path, ".nrrd")
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"encoding", b"data file: other.raw\nencoding"))
    with pytest.raises(InputRefused, match="data file"):
        formats.read(path)
    path.write_bytes(raw.replace(b"domain domain domain", b"domain domain RGB-color"))
    with pytest.raises(InputRefused, match="colours"):
        formats.read(path)


def test_an_mgh_length_beyond_any_scanner_is_refused(tmp_path: Path) -> None:
    path = source(tmp_path, ".mgh")
    raw = bytearray(path.read_bytes())
    raw[30:34] = struct.pack(">f", 3e38)
    path.write_bytes(raw)
    with pytest.raises(InputRefused, match="affine"):
        formats.read(path)


def test_a_plain_folder_holds_all_formats_and_the_release_keeps_them(tmp_path: Path) -> None:
    for name in ("ann/t1.MGZ", "ann/t2.nrrd", "bob_flair.mgh", "bob.nii"):
        path = tmp_path / "in" / name
        formats.write(Image(DATA, np.eye(4)), path.with_name(path.name.lower()))
        path.with_name(path.name.lower()).rename(path)
    (tmp_path / "in" / "c.mnc").write_bytes(b"CDF\1")
    (tmp_path / "in" / "c.nhdr").write_bytes(b"NRRD0004\n")
    inventory = bids.inspect_folder(tmp_path / "in")
    assert all(r.open().data.shape == (3, 4, 5) for r in inventory.cohort)
    assert [str(p) for p in bids.release_places(inventory.cohort)] == [
        "sub-001/anat/sub-001_T1w.mgz",
        "sub-001/anat/sub-001_run-2_T2w.nrrd",
        "sub-002/anat/sub-002_image.nii",
        "sub-003/anat/sub-003_FLAIR.mgh",
    ]
    assert {str(s.place): s.reason for s in inventory.skipped} == {
        "c.mnc": "a .mnc file; convert it to .nii.gz first",
        "c.nhdr": "a .nhdr file; convert it to .nii.gz first",
    }


def test_in_bids_only_nifti_counts_but_a_release_of_medveil_is_read_again(tmp_path: Path) -> None:
    root = tmp_path / "d"
    for name in ("sub-001/anat/sub-001_T1w.nii.gz", "sub-003/anat/sub-003_T2w.mgz", "sub-003/anat/x.nrrd"):
        formats.write(Image(DATA, np.eye(4)), root / name)
    description = root / "dataset_description.json"
    description.write_text('{"GeneratedBy": [{"Name": "fMRIPrep"}]}')
    inventory = bids.inspect_folder(root)
    assert [str(r.place) for r in inventory.cohort] == ["sub-001/anat/sub-001_T1w.nii.gz"]
    assert [s.reason for s in inventory.skipped] == [
        "a .mgz file; convert it to .nii.gz first",
        "a .nrrd file; convert it to .nii.gz first",
    ]
    description.write_text('{"GeneratedBy": [{"Name": "medveil", "Version": "0"}]}')
    inventory = bids.inspect_folder(root)
    assert [str(p) for p in bids.release_places(inventory.cohort)] == [
        "sub-001/anat/sub-001_T1w.nii.gz",
        "sub-003/anat/sub-003_T2w.mgz",
    ]
    assert {str(s.place): s.reason for s in inventory.skipped} == {
        "sub-003/anat/x.nrrd": "its name does not follow BIDS"
    }


def test_kept_and_made_up_names_never_meet(tmp_path: Path) -> None:
    for name in ("ann/t1.mgz", "sub-001/anat/sub-001_T1w.mgz"):
        formats.write(Image(DATA, np.eye(4)), tmp_path / "in" / name)
    places = bids.release_places(bids.open_cohort(tmp_path / "in"))
    assert [str(p) for p in places] == ["sub-001/anat/sub-001_T1w.mgz", "sub-002/anat/sub-002_T1w.mgz"]


def test_nifti_facts_still_come_from_the_source(save: Save, tmp_path: Path) -> None:
    path = save("a.nii.gz", xyzt_units=10, descrip=b"Zyquar")
    facts = formats.facts(path)
    assert facts.sform_code == 1
    formats.write(nifti.read(path), tmp_path / "b.nii.gz", like=path)
    assert formats.check(tmp_path / "b.nii.gz", path) == []
    assert formats.check(path) == ["header field descrip"]
    assert formats.is_image(PurePosixPath("A.NRRD"))
