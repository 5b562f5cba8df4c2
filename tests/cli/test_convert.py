"""DICOM becomes a BIDS folder that a release takes: nobody mixed, nothing guessed, and the same new names by the same key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from pydicom import dcmread

from medveil.carry import converting
from medveil.carry.picturing import Drawn
from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import nifti
from medveil.io.folder import Staging
from medveil.io.tables import read_tsv
from medveil.protect.deface.erase import Erase

from .dicom_heads import PERSON, write_series
from .test_release_dicom import _erase, _image

CALLED: list[list[tuple[str, str]]] = []


def _convert(links: Path, to: Path) -> None:
    """A stand-in for dcm2niix: one image a series, with gradients of dwi; a series called `odd` fails, one called `ph` is a phase."""
    heads = [dcmread(p) for p in sorted(links.iterdir())]
    CALLED.append(sorted({(h.PatientID, h.SeriesInstanceUID) for h in heads}))
    said = heads[0].SeriesDescription
    if "odd" in said:
        raise InputRefused("dicom: dcm2niix ended with code 8, nothing was kept")
    to.mkdir()
    kinds = ["ORIGINAL", "PRIMARY", "P" if "ph" in said.split("_") else "M"]
    for name in ("series-001_echo-1", "series-001_echo-2")[: 2 if "twice" in said else 1]:
        (to / f"{name}.nii.gz").write_text(f"{said} of {heads[0].PatientID}")
        (to / f"{name}.json").write_text(json.dumps({"ImageType": kinds}))
        if "dwi" in said:
            (to / f"{name}.bval").write_text("0 1000")
            (to / f"{name}.bvec").write_text("0 1\n0 0\n0 0")


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> None:
    CALLED.clear()
    monkeypatch.setattr(converting, "convert", _convert)
    monkeypatch.setattr(converting, "program", lambda: "")


def _series(folder: Path, patient: str, study: int, series: int, said: str, **elements: object) -> None:
    """A series of three slices; elements of DICOM by keyword."""
    image = Image(_image(series).data[:, :, :3], _image(series).affine)
    paths = write_series(image, folder, patient=patient, study=study, series=series, day=f"202402{study:02d}")
    for path in paths:
        data = dcmread(path)
        data.SeriesDescription = said
        for keyword, value in elements.items():
            setattr(data, keyword, value)
        data.save_as(path)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """Three people: one with an ID as BIDS has them, one with one that BIDS cannot hold, one whose ID is a number."""
    folder = tmp_path / "in"
    _series(folder / "a", "ZQ4711", 11, 1, "t1_mprage Canarini", PatientSex="F", PatientBirthDate="19610523",
            AcquisitionTime="101112.5")  # fmt: skip
    _series(folder / "b", "ZQ4711", 11, 2, "t1_twice")
    _series(folder / "c", "ZQ4711", 11, 3, "ep2d_dwi")
    _series(folder / "d", "ZQ4711", 11, 4, "something")
    _series(folder / "e", "ZQ4711", 12, 1, "t2_tirm_tra_dark-fluid")
    _series(folder / "f", PERSON, 13, 1, "rest_bold", PatientSex="M", PatientAge="018M")
    _series(folder / "g", "001", 14, 1, "t1_mprage")
    (folder / "notes.txt").write_text("Canarini")
    return folder


def _places(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@pytest.mark.usefixtures("stand")
def test_every_image_lies_where_bids_puts_it(medveil: Callable, hospital: Path, tmp_path: Path) -> None:
    ran = medveil("convert", hospital, "--to", tmp_path / "out", "--json")
    assert ran.code == 0, ran.err
    out = tmp_path / "out"
    first, second = "sub-ZQ4711/ses-1", "sub-ZQ4711/ses-2"
    images = [p for p in _places(out) if p.startswith("sub-") and not p.endswith((".json", ".tsv"))]
    assert images == sorted(
        [
            "sub-001/ses-1/anat/sub-001_ses-1_T1w.nii.gz",
            "sub-002/ses-1/func/sub-002_ses-1_task-unknown_bold.nii.gz",  # 001 is somebody's ID
            *(f"{first}/anat/sub-ZQ4711_ses-1_run-{n}_T1w.nii.gz" for n in (1, 2, 3)),
            *(f"{first}/dwi/sub-ZQ4711_ses-1_dwi{s}" for s in (".bval", ".bvec", ".nii.gz")),
            f"{second}/anat/sub-ZQ4711_ses-2_FLAIR.nii.gz",
        ]
    )
    for image in images:  # whose image it is
        who = {"sub-001": "001", "sub-002": PERSON, "sub-ZQ4711": "ZQ4711"}[image.split("/")[0]]
        if image.endswith(".nii.gz"):
            assert (out / image).read_text().endswith(f" of {who}")
            assert (out / image.replace(".nii.gz", ".json")).is_file()
    assert all(len(call) == 1 for call in CALLED)
    assert len(CALLED) == 7
    assert read_tsv(out / "participants.tsv") == [
        {"participant_id": "sub-001", "sex": "n/a", "age": "62"},
        {"participant_id": "sub-002", "sex": "M", "age": "62"},  # the dates, not the stated age
        {"participant_id": "sub-ZQ4711", "sex": "F", "age": "62"},
    ]
    scans = read_tsv(out / first / "sub-ZQ4711_ses-1_scans.tsv")
    assert [(r["filename"], r["acq_time"]) for r in scans] == [
        ("anat/sub-ZQ4711_ses-1_run-1_T1w.nii.gz", "2024-02-11T10:11:12.5"),
        ("anat/sub-ZQ4711_ses-1_run-2_T1w.nii.gz", "2024-02-11"),
        ("anat/sub-ZQ4711_ses-1_run-3_T1w.nii.gz", "2024-02-11"),
        ("dwi/sub-ZQ4711_ses-1_dwi.nii.gz", "2024-02-11"),
    ]
    assert [p for p in _places(out) if p.startswith("unsorted")] == [
        "unsorted/sub-ZQ4711_ses-1_series-4.json", "unsorted/sub-ZQ4711_ses-1_series-4.nii.gz", "unsorted/why.tsv",
    ]  # fmt: skip
    said = json.loads(ran.out)
    assert said == {
        "people": 3, "sessions": 4, "images": {"T1w": 4, "dwi": 1, "FLAIR": 1, "bold": 1},
        "unsorted": {"contrast unknown": 1}, "refused": {}, "numbered": 1,
        "left_out": {"no image, not part of a release": 1}, "identifies_people": True,
    }  # fmt: skip
    assert "still show who their people are" in ran.err
    assert "Do not share" in (out / "README").read_text()


@pytest.mark.usefixtures("stand")
def test_a_release_takes_it_as_bids_and_not_as_its_own_work(
    medveil: Callable, hospital: Path, tmp_path: Path
) -> None:
    ran = medveil("convert", hospital, "--to", tmp_path / "out")
    assert ran.code == 0
    assert "3 people, 4 sessions, 7 images" in ran.out
    assert not any(word in ran.out + ran.err for word in ("Canarini", "ZQ4711", "Quellberg"))
    (tmp_path / "out" / "sub-001" / "x.mgz").touch()
    ran = medveil("inspect", tmp_path / "out", "--json")
    said = json.loads(ran.out)
    assert (said["layout"], said["images"]) == ("bids", 7)


@pytest.mark.usefixtures("stand")
def test_what_may_hold_text_or_phases_is_not_sorted_in(
    medveil: Callable, hospital: Path, tmp_path: Path
) -> None:
    _series(hospital / "h", "001", 14, 2, "t1_mprage", BurnedInAnnotation="YES")
    _series(hospital / "i", "001", 14, 3, "t2star_ph")
    ran = medveil("convert", hospital, "--to", tmp_path / "out", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["unsorted"] == {
        "contrast unknown": 1, "a phase image": 1, "text may be burned in, and nobody looks for it in NIfTI": 1,
    }  # fmt: skip
    assert len(list((tmp_path / "out").glob("sub-001/*/anat/*.nii.gz"))) == 1


@pytest.mark.usefixtures("stand")
def test_a_series_that_fails_is_listed_and_costs_no_other(
    medveil: Callable, hospital: Path, tmp_path: Path
) -> None:
    _series(hospital / "h", "001", 14, 7, "t1_odd")
    ran = medveil("convert", hospital, "--to", tmp_path / "out", "--json")
    assert ran.code == 4
    said = json.loads(ran.out)
    assert said["refused"] == {"dicom: dcm2niix ended with code 8, nothing was kept": 1}
    assert sum(said["images"].values()) == 7
    why = {row["name"]: row["reason"] for row in read_tsv(tmp_path / "out" / "unsorted" / "why.tsv")}
    assert "code 8" in why["sub-001_ses-1_series-7"]


@pytest.mark.usefixtures("stand")
@pytest.mark.parametrize("error", [InputRefused("dicom: no"), OSError(28, "full"), KeyboardInterrupt()])
def test_a_conversion_that_fails_leaves_nothing(
    medveil: Callable, hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    before = _places(hospital)

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(converting, "convert" if isinstance(error, InputRefused) else "describe", fail)
    ran = medveil("convert", hospital, "--to", tmp_path / "out")
    assert ran.code == (130 if isinstance(error, KeyboardInterrupt) else 3)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert _places(hospital) == before


@pytest.mark.usefixtures("stand")
def test_an_output_that_exists_is_replaced_on_request_only(
    medveil: Callable, hospital: Path, tmp_path: Path
) -> None:
    assert medveil("convert", hospital, "--to", tmp_path / "out").code == 0
    assert medveil("convert", hospital, "--to", tmp_path / "out").code == 2
    assert medveil("convert", hospital, "--to", tmp_path / "out", "--force").code == 0
    assert medveil("convert", hospital, "--to", hospital / "out").code == 2


@pytest.mark.usefixtures("stand")
def test_nothing_of_an_earlier_run_is_taken_over(medveil: Callable, hospital: Path, tmp_path: Path) -> None:
    place = PurePosixPath("sub-001/ses-1/anat/sub-001_ses-1_T1w.nii.gz")
    with Staging(tmp_path / "out", inputs=[]) as staging:
        for old in (place, PurePosixPath("sub-009.nii.gz")):
            (staging.folder / old).parent.mkdir(parents=True, exist_ok=True)
            (staging.folder / old).write_text("old")
            staging.done(old, "")
    assert (tmp_path / "out.partial").is_dir()
    assert medveil("convert", hospital, "--to", tmp_path / "out").code == 0
    assert (tmp_path / "out" / place).read_text() == "t1_mprage of 001"
    assert not (tmp_path / "out" / "sub-009.nii.gz").exists()


def test_without_the_package_it_is_one_line(
    medveil: Callable, hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dcm2niix", None)
    ran = medveil("convert", hospital, "--to", tmp_path / "out")
    assert ran.code == 2
    assert "pip install 'medveil[convert]'" in ran.err
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


@pytest.mark.usefixtures("stand")
def test_a_folder_without_dicom_is_refused(medveil: Callable, ball: Path, tmp_path: Path) -> None:
    ran = medveil("convert", ball, "--to", tmp_path / "out")
    assert ran.code == 3
    assert "holds no DICOM image" in ran.err
    assert not (tmp_path / "out").exists()


def test_labels_are_ids_where_bids_can_hold_them_and_meet_no_other() -> None:
    ids = ["001", "4711", "Doe^Jane", "abc", "ABC", "sub-K3F", "x y"]
    assert converting.labels_of(ids) == {
        "001": "001", "4711": "4711", "Doe^Jane": "002", "abc": "003", "ABC": "004", "sub-K3F": "K3F", "x y": "005",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "iso"),
    [
        ({"AcquisitionDateTime": "20240229101112.25+0100"}, "2024-02-29T10:11:12.25"),
        ({"AcquisitionDateTime": "2024", "AcquisitionDate": "20240301"}, "2024-03-01"),
        ({"AcquisitionDate": "20240301", "AcquisitionTime": "1011"}, "2024-03-01T10:11:00"),
        ({"AcquisitionDate": "20240301", "AcquisitionTime": "noon"}, "2024-03-01"),
        ({"AcquisitionDate": "Canarini", "AcquisitionTime": "101112"}, ""),
        ({"StudyDate": "20240301"}, ""),
    ],
)
def test_the_time_of_a_scan_is_what_the_header_says(said: dict[str, str], iso: str) -> None:
    assert converting.acquired(said) == iso


@pytest.mark.parametrize(
    ("said", "age"),
    [
        ({"PatientAge": "045Y"}, "45"),
        ({"PatientAge": "018M"}, "1"),
        ({"PatientAge": "095Y"}, "95"),
        ({"PatientAge": "old"}, ""),
        ({"PatientAge": "045Y", "PatientBirthDate": "20000301", "StudyDate": "20240229"}, "23"),
    ],
)
def test_an_age_is_counted_in_whole_years(said: dict[str, str], age: str) -> None:
    assert converting.person_of(said)["age"] == age


def test_one_key_gives_dicom_and_nifti_the_same_name_and_days(
    medveil: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("dcm2niix", reason="dcm2niix is not installed (pip install 'medveil[convert]')")
    monkeypatch.setattr(Erase, "apply", _erase)
    monkeypatch.setattr("medveil.carry.picturing.draw", lambda protected, **_: Drawn([], {}))
    for study, day in ((1, "20240229"), (2, "20240317")):
        write_series(_image(study), tmp_path / "in" / day, patient="ZQ4711", study=study, day=day)
    bids, key = tmp_path / "bids", tmp_path / "one.key"
    ran = medveil("convert", tmp_path / "in", "--to", bids, "--json")
    assert ran.code == 0, ran.err
    image = nifti.read(bids / "sub-ZQ4711" / "ses-1" / "anat" / "sub-ZQ4711_ses-1_T1w.nii.gz")
    assert sorted(image.data.shape) == [10, 12, 14]
    assert int(np.sum(image.data, dtype=np.int64)) == int(np.sum(_image(1).data, dtype=np.int64))

    for source, to in ((tmp_path / "in", "dicom"), (bids, "nifti")):
        ran = medveil("protect", source, "--to", tmp_path / to, "--key", key, "--jobs", "1")
        assert ran.code == 0, ran.err
    sub = next((tmp_path / "dicom").glob("sub-*")).name
    assert [p.name for p in (tmp_path / "nifti").glob("sub-*")] == [sub]
    for n in (1, 2):
        slices = sorted((tmp_path / "dicom" / sub / f"study-{n:02d}" / "series-01").iterdir())
        (row,) = read_tsv(tmp_path / "nifti" / sub / f"ses-{n}" / f"{sub}_ses-{n}_scans.tsv")
        assert row["acq_time"].replace("-", "") == dcmread(slices[0]).AcquisitionDate
    for path in (tmp_path / "nifti").rglob("*"):
        assert "ZQ4711" not in path.name
        assert not path.is_file() or b"ZQ4711" not in path.read_bytes()
    checked = medveil("verify", tmp_path / "nifti", "--source", bids, "--key", key)
    assert checked.code == 0, checked.out + checked.err
