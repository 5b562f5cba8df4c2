"""A plain folder of MGH and NRRD volumes, and gradient tables: each leaves in its own format, with nothing beside it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from medveil.carry.picturing import Drawn
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Outcome
from medveil.io import formats, mgh, nifti, nrrd
from medveil.protect.deface.erase import Erase


def _stand_in(_: Erase, image: Image, given: Given = NOTHING) -> Outcome:
    """Blackens the front half."""
    altered = np.zeros(image.data.shape[:3], bool)
    altered[:, image.data.shape[1] // 2 :] = True
    data = image.data.copy()
    data[altered] = 0
    return Outcome(image.with_data(data), altered=altered, protected=~altered)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Qanary's T1w as MGZ with its history, T2w as NRRD with a name, and a MINC file."""
    monkeypatch.setattr(Erase, "apply", _stand_in)
    monkeypatch.setattr("medveil.carry.picturing.draw", lambda *_, **__: Drawn([], {}))
    data = np.random.default_rng(3).integers(1, 60, (12, 14, 10)).astype(np.int16)
    affine = np.array([[-1.1, 0.2, 0, 30.7], [0.1, 1.3, 0.3, -20.1], [0, -0.3, 2.1, 5.3], [0, 0, 0, 1]])
    place = tmp_path / "in" / "qanary_jane"
    place.mkdir(parents=True)
    nib.save(nib.MGHImage(data, affine), tmp_path / "t1.mgh")
    with gzip.open(place / "t1.mgz", "wb") as file:
        file.write((tmp_path / "t1.mgh").read_bytes() + b"\0\0\0\3mri_convert --user Qanary")
    theirs = sitk.GetImageFromArray(data)
    theirs.SetMetaData("0010|0010", "Qanary^Jane")
    sitk.WriteImage(theirs, str(place / "t2.nrrd"))
    (place / "pet.mnc").write_bytes(b"CDF\1Qanary")
    return tmp_path / "in"


def test_each_image_leaves_in_its_own_format(medveil: Callable, folder: Path, tmp_path: Path) -> None:
    assert b"Qanary" in (folder / "qanary_jane" / "t2.nrrd").read_bytes()
    ran = medveil("protect", folder, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 0, ran.err
    anat = tmp_path / "out" / "sub-001" / "anat"
    t1, t2 = anat / "sub-001_T1w.mgz", anat / "sub-001_run-2_T2w.nrrd"
    for released, read, name in ((t1, mgh.read, "t1.mgz"), (t2, nrrd.read, "t2.nrrd")):
        source = folder / "qanary_jane" / name
        before, after = read(source), read(released)
        half = before.data.shape[1] // 2
        np.testing.assert_array_equal(after.data[:, :half], before.data[:, :half])
        assert not after.data[:, half:].any()
        np.testing.assert_array_equal(after.affine, before.affine)
        assert formats.check(source)
        assert formats.check(released, source) == []
    assert nib.load(t1).shape == (12, 14, 10)
    assert sitk.ReadImage(str(t2)).GetSize() == (10, 14, 12)
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"anary" not in (gzip.decompress(content) if path.suffix == ".mgz" else content)
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert [i["state"] for i in findings["images"]] == ["protected", "protected"]
    assert all("not carried" in i["remarks"][0] for i in findings["images"])


def test_a_release_of_other_formats_is_verified_and_its_tampering_found(
    medveil: Callable, folder: Path, tmp_path: Path
) -> None:
    assert medveil("protect", folder, "--to", tmp_path / "out", "--jobs", "1").code == 0
    good = medveil("verify", tmp_path / "out", "--source", folder)
    assert good.code == 0, good.out
    assert "2 images re-read" in good.out
    path = tmp_path / "out" / "sub-001" / "anat" / "sub-001_T1w.mgz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"Qanary", mtime=0))
    bad = medveil("verify", tmp_path / "out", "--source", folder)
    assert bad.code == 5
    assert "bytes after the data" in bad.out
    assert medveil("inspect", tmp_path / "out").code == 0


def test_gradient_tables_travel_as_numbers(medveil: Callable, folder: Path, tmp_path: Path) -> None:
    data = np.random.default_rng(4).integers(1, 60, (12, 14, 10, 2)).astype(np.int16)
    for label, bval in (("01", "0  1000.0"), ("02", "0 Qanary")):
        place = tmp_path / "bids" / f"sub-{label}" / "dwi"
        nifti.write(Image(data, np.diag([2.0, 2, 3, 1])), place / f"sub-{label}_dwi.nii.gz")
        (place / f"sub-{label}_dwi.bval").write_text(bval)
    (tmp_path / "bids" / "dwi.bvec").write_text("0 0.70710678118654757\n0 -.5\n0 1e-05")
    assert medveil("protect", tmp_path / "bids", "--to", tmp_path / "out", "--jobs", "1").code == 0
    dwi = tmp_path / "out" / "sub-01" / "dwi"
    assert (dwi / "sub-01_dwi.bval").read_text() == "0 1000.0\n"
    assert (dwi / "sub-01_dwi.bvec").read_text() == "0 0.70710678118654757\n0 -.5\n0 1e-05\n"
    assert [p.name for p in sorted((tmp_path / "out" / "sub-02" / "dwi").iterdir())] == [
        "sub-02_dwi.bvec",
        "sub-02_dwi.nii.gz",
    ]
    assert medveil("verify", tmp_path / "out", "--source", tmp_path / "bids").code == 0
