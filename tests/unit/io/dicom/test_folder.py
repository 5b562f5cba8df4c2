"""A folder of DICOM files in any order becomes subjects, studies and series; what is no image is named."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import nifti
from medveil.io.dicom.folder import inspect_dicom
from medveil.io.folders import inspect_folder, open_cohort

from .phantom import classic, file

PIXELS = np.zeros((2, 2), np.uint16)


def save(data: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


def put_series(
    folder: Path, *, subject: str = "Canarini-17", study: str = "1.1", uid: str = "1.1.1", **said: Any
) -> None:
    for n, data in enumerate(classic(slices=3, **said)):
        data.PatientID, data.StudyInstanceUID, data.SeriesInstanceUID = subject, study, uid
        data.SOPInstanceUID = f"{uid}.{n}"
        save(data, folder / uid / f"IM{n:03d}")


def test_files_of_two_people_are_sorted_into_studies_and_series(tmp_path: Path) -> None:
    put_series(tmp_path, study="1.1", uid="1.1.9", SeriesNumber=10, StudyDate="20200101")
    put_series(tmp_path, study="1.1", uid="1.1.5", SeriesNumber=9, StudyDate="20200101")
    put_series(tmp_path, study="1.9", uid="1.9.1", SeriesNumber=1, StudyDate="20190101")
    put_series(tmp_path, subject=" B ", study="1.3", uid="1.3.1", SeriesNumber=1)
    found = inspect_dicom(tmp_path)
    assert (found.layout, found.skipped, found.tables, found.sidecars) == ("dicom", (), (), {})
    assert [(r.subject, r.name, str(r.place)) for r in found.cohort] == [
        ("B", "study-1_series-01", "1.3.1/IM000"),
        ("Canarini-17", "study-1_series-01", "1.9.1/IM000"),
        ("Canarini-17", "study-2_series-01", "1.1.5/IM000"),
        ("Canarini-17", "study-2_series-02", "1.1.9/IM000"),
    ]
    series = found.series[PurePosixPath("1.1.5/IM000")]
    assert series.places == tuple(PurePosixPath(f"1.1.5/IM{n:03d}") for n in range(3))
    assert all(p.is_file() for p in series.paths)
    assert (series.study, series.uid, series.modality, series.frame_of_reference) == (
        "1.1",
        "1.1.5",
        "MR",
        "1.2.5",
    )
    assert [r.open().data.shape for r in found.cohort] == [(5, 4, 3)] * 4


def test_files_of_one_series_may_lie_anywhere(tmp_path: Path) -> None:
    for n, data in enumerate(classic()):
        save(data, tmp_path / ("a" if n % 2 else "b") / f"{9 - n}.dcm")
    (record,) = open_cohort(tmp_path)
    assert record.open().data.shape == (5, 4, 6)


def test_a_file_without_a_patient_belongs_to_its_study(tmp_path: Path) -> None:
    put_series(tmp_path, subject="  ")
    assert inspect_dicom(tmp_path).cohort.subjects == ("1.1",)


def test_what_is_no_image_is_named_without_a_value(tmp_path: Path) -> None:
    put_series(tmp_path)
    report = file(PIXELS, 1, sop_class="1.2.840.10008.5.1.4.1.1.88.11", SeriesInstanceUID="9")
    document = file(PIXELS, 2, sop_class="1.2.840.10008.5.1.4.1.1.104.1", SeriesInstanceUID="9")
    directory = file(PIXELS, 3, sop_class="1.2.840.10008.1.3.10")
    plan = file(PIXELS, 4, sop_class="1.2.840.10008.5.1.4.1.1.481.5")
    for name, data in (("report", report), ("doc", document), ("DICOMDIR", directory), ("plan", plan)):
        del data.PixelData
        save(data, tmp_path / name)
    save(file(PIXELS, 5, SeriesInstanceUID=""), tmp_path / "loose")
    (tmp_path / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 40)
    (tmp_path / "text.dcm").write_text("Canarini")
    (tmp_path / "notes.txt").write_text("Canarini")
    (tmp_path / ".DS_Store").write_text("Canarini")
    found = inspect_dicom(tmp_path)
    assert len(found.cohort) == 1
    assert {str(s.place): s.reason for s in found.skipped} == {
        "report": "report or presentation state",
        "doc": "encapsulated document",
        "DICOMDIR": "directory of files",
        "plan": "a DICOM object without pixels",
        "loose": "names no series",
        "broken.dcm": "cannot be parsed as DICOM",
        "text.dcm": "cannot be parsed as DICOM",
        "notes.txt": "no image, not part of a release",
    }


def test_links_that_lead_outside_are_not_followed(tmp_path: Path) -> None:
    put_series(tmp_path / "elsewhere", uid="1.1.2")
    put_series(tmp_path / "in")
    os.symlink(tmp_path / "elsewhere" / "1.1.2" / "IM000", tmp_path / "in" / "link")
    found = inspect_dicom(tmp_path / "in")
    assert [s.reason for s in found.skipped] == ["a link that leads outside the folder"]
    assert len(found.cohort) == 1


def test_one_file_is_a_folder_of_one(tmp_path: Path) -> None:
    save(file(PIXELS, 1), tmp_path / "one.dcm")
    save(file(PIXELS, 2), tmp_path / "other.dcm")
    found = inspect_folder(tmp_path / "one.dcm")
    assert (found.root, found.layout) == (tmp_path, "dicom")
    assert [str(r.place) for r in found.cohort] == ["one.dcm"]


def test_nothing_of_a_person_is_shown(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    put_series(tmp_path, SeriesDescription="t1 Canarini", StudyDate="Canarini", SeriesNumber="3")
    save(file(PIXELS, 1, SeriesInstanceUID="1.7", EchoTime="12345678"), tmp_path / "odd")
    odd = (tmp_path / "odd").read_bytes()
    (tmp_path / "odd").write_bytes(odd.replace(b"12345678", b"Canarini"))  # an echo time that is no number
    recwarn.clear()
    found = inspect_dicom(tmp_path)
    shown = [repr(x) for x in (found, *found.cohort, *found.series.values(), *found.skipped)]
    assert not any("Canarini" in text for text in (*shown, *(str(w.message) for w in recwarn)))
    assert not any("Canarini" in r.name for r in found.cohort)


def test_nifti_beside_dicom_wins(tmp_path: Path) -> None:
    put_series(tmp_path / "dicom")
    nifti.write(Image(np.ones((4, 4, 4), np.int16), np.eye(4)), tmp_path / "a_T1w.nii.gz")
    found = inspect_folder(tmp_path)
    assert (found.layout, len(found.cohort)) == ("plain", 1)


def test_images_that_bids_would_not_take_do_not_make_a_folder_dicom(tmp_path: Path) -> None:
    put_series(tmp_path / "dicom")
    (tmp_path / "dataset_description.json").write_text("{}")
    nifti.write(Image(np.ones((4, 4, 4), np.int16), np.eye(4)), tmp_path / "a_T1w.nii.gz")
    with pytest.raises(InputRefused):
        inspect_folder(tmp_path)


@pytest.mark.parametrize("place", ["empty", "missing", "empty/notes.txt"])
def test_where_there_is_no_image_the_folder_is_refused(place: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing")
    for inspect in (inspect_folder, inspect_dicom):
        with pytest.raises(InputRefused) as refused:
            inspect(tmp_path / place)
        assert "\n" not in str(refused.value)
