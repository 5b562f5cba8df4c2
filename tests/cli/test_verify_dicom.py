"""medveil verify of a DICOM release: its marks, its pixels against their originals, and what is left of the source."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from medveil.carry.applying import image_measures
from medveil.carry.manifest import manifest
from medveil.carry.naming import Naming, places_of
from medveil.core.release import Entry
from medveil.io.dicom.volume import put_pixels, read_series, read_volume, restored, stored
from medveil.io.folder import sha256
from medveil.io.folders import inspect_folder
from medveil.io.keys import KeySource, read_key, write_new_key
from medveil.measure.leak.in_dicom import base_image
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.marks import marks
from medveil.protect.header.dicom.rules import Options
from medveil.protect.header.dicom.write import to_bytes

NAME = "Zyquartovex"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two people with one series of four slices each, in files named after them."""
    for person in (1, 2):
        for k in range(4):
            data = base_image(k + 1)
            root = f"1.3.6.1.4.1.5962.77.{person}"
            data.PatientName, data.PatientID = f"{NAME}{person}^Janina", f"QX77{person}81"
            data.StudyInstanceUID, data.SeriesInstanceUID = f"{root}.1", f"{root}.2"
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{root}.3.{k}"
            data.StudyDate = data.SeriesDate = "20190411"
            data.PatientBirthDate = f"195002{person:02d}"
            data.ImagePositionPatient, data.ImageOrientationPatient = [0, 0, 3.0 * k], [1, 0, 0, 0, 1, 0]
            data.InstanceNumber, data.SliceThickness = str(k + 1), "3"
            path = tmp_path / "in" / f"{NAME}{person}" / f"{k}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            data.save_as(path)
    return tmp_path / "in"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    write_new_key(tmp_path / "k.key", outside=tmp_path / "out")
    return tmp_path / "k.key"


@pytest.fixture
def out(source: Path, key: Path, tmp_path: Path) -> Path:
    """A release as the pipeline writes it, with the front half of each volume blackened."""
    folder, naming = tmp_path / "out", Naming(KeySource(key, read_key(key).label))
    inventory, pseudonyms, entries = inspect_folder(source), naming.pseudonyms(), []
    assert pseudonyms is not None
    for record, place in zip(inventory.cohort, places_of(inventory, naming), strict=True):
        assert record.place is not None
        sources = [pydicom.dcmread(p) for p in inventory.series[record.place].paths]
        volume = read_volume(sources)
        data = volume.image.data.copy()
        data[:, 32:] = 0
        frames = restored(volume, volume.image.with_data(data), [stored(s) for s in sources])
        names = []
        for n, (dataset, new) in enumerate(zip(sources, frames, strict=True), start=1):
            cleaned = clean(dataset, pseudonyms)
            cleaned = replace(cleaned, transfer_syntax=put_pixels(cleaned.dataset, new))
            marks(cleaned.dataset, options=Options(), face_removed=True, pixels_cleaned=True)
            names.append(f"{n:05d}.dcm")
            (folder / place).mkdir(parents=True, exist_ok=True)
            (folder / place / names[-1]).write_bytes(to_bytes(cleaned))
        written = [folder / place / name for name in names]
        entries.append(
            Entry(
                subject=place.parts[0],
                name="x",
                state="protected",
                place=place,
                files=tuple(names),
                measured=image_measures(volume.image, read_series(written)),
                proofs={"named parts covered": True},
                sha256=hashlib.sha256("".join(map(sha256, written)).encode()).hexdigest(),
            )
        )
    (folder / "report.html").write_text("<p>2 series</p>")
    files = {p.relative_to(folder).as_posix(): sha256(p) for p in folder.rglob("*") if p.is_file()}
    told = manifest(files, entries, [], {}, key=read_key(key).label)
    (folder / "manifest.json").write_text(json.dumps(told))
    return folder


def _listed(release: Path) -> None:
    """Brings the hashes of the manifest up to date, so that nothing but what is tested can notice a change."""
    path = release / "manifest.json"
    data = json.loads(path.read_text())
    names = [p for p in release.rglob("*") if p.is_file() and p.name != "manifest.json"]
    data["files"] = {p.relative_to(release).as_posix(): sha256(p) for p in names}
    for row in data["images"]:
        hashes = "".join(data["files"].get(f"{row['place']}/{name}", "") for name in row["files"])
        row["sha256"] = hashlib.sha256(hashes.encode()).hexdigest()
    path.write_text(json.dumps(data))


def _edit(release: Path, change: Callable[[Any], None]) -> None:
    path = min(release.rglob("*.dcm"))
    data = pydicom.dcmread(path)
    change(data)
    data.save_as(path)
    _listed(release)


def _private(data: Any) -> None:
    data.private_block(0x0029, "ZQ MAKER", create=True).add_new(0x01, "LO", f"by {NAME}2")


def _row(release: Path, **change: Any) -> None:
    path = release / "manifest.json"
    data = json.loads(path.read_text())
    data["images"][0].update(change)
    path.write_text(json.dumps(data))


def test_a_clean_release_passes_with_and_without_its_key(
    medveil: Callable, source: Path, out: Path, key: Path
) -> None:
    ran = medveil("verify", out, "--source", source, "--key", key)
    assert ran.code == 0, ran.out
    assert "9 files checked against the manifest, 2 images re-read and against their source" in ran.out
    ran = medveil("verify", out, "--source", source)
    assert ran.code == 0, ran.out
    assert "note: names came from a key" in ran.out
    assert medveil("verify", out).code == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: setattr(d, "PatientComments", f"mother of {NAME}1"), "1 name of the source left in its bytes"),
        (lambda d: setattr(d, "StudyID", "QX77181"), "1 ID of the source left in its bytes"),
        (lambda d: setattr(d, "StudyDate", "20190411"), "1 date of the source left in its bytes"),
        (_private, "1 name of the source left in its bytes"),
        (lambda d: setattr(d, "FrameOfReferenceUID", "1.3.6.1.4.1.5962.77.1.3.2"), "1 UID of the source left"),
        (lambda d: delattr(d, "PatientIdentityRemoved"), "is not marked as de-identified"),
        (lambda d: setattr(d, "RecognizableVisualFeatures", "YES"), "its marks disagree about the face"),
        (lambda d: setattr(d, "BurnedInAnnotation", "YES"), "its marks disagree about text in the pixels"),
        (lambda d: setattr(d, "PatientID", "sub-AAAA"), "names another subject than its folder"),
        (lambda d: setattr(d, "PixelData", bytes(len(d.PixelData))), "another number of voxels differs"),
    ],
)  # fmt: skip
def test_what_was_touched_is_told_without_a_value(
    medveil: Callable, source: Path, out: Path, key: Path, change: Callable[[Any], None], said: str
) -> None:
    _edit(out, change)
    ran = medveil("verify", out, "--source", source, "--key", key)
    assert ran.code == 5
    assert said in ran.out
    assert not [v for v in (NAME, "QX77", "20190411", "5962.77") if v.lower() in (ran.out + ran.err).lower()]


def test_a_mark_of_no_face_needs_its_proof(medveil: Callable, out: Path) -> None:
    _row(out, proofs={})
    ran = medveil("verify", out)
    assert ran.code == 5
    assert ran.out.count("is marked as having no face, and the manifest does not prove it") == 4


def test_a_missing_slice_an_extra_one_and_a_wrong_hash_are_told(medveil: Callable, out: Path) -> None:
    files = sorted(out.rglob("*.dcm"))
    files[-1].unlink()
    files[0].with_name("00009.dcm").write_bytes(files[0].read_bytes())
    _row(out, sha256="0" * 64)
    ran = medveil("verify", out)
    assert ran.code == 5
    assert "is missing" in ran.out
    assert "00009.dcm: is not in the manifest" in ran.out
    assert "the manifest gives it two hashes" in ran.out


def test_a_name_in_the_page_or_in_a_folder_is_found_without_the_key(
    medveil: Callable, source: Path, out: Path
) -> None:
    (out / "report.html").write_text(f"<p>of {NAME}1</p>")
    (out / f"{NAME}2").mkdir()
    _listed(out)
    ran = medveil("verify", out, "--source", source)
    assert ran.code == 5
    assert "of the source left in its bytes" in ran.out
    assert "of the source left in its name" in ran.out
    assert NAME not in ran.out
    assert np.array_equal(
        [line.startswith("problem: place ") for line in ran.out.splitlines()[3:5]], [True, True]
    )
