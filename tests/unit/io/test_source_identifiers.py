"""What a folder of originals says about people is collected, whatever its format, and nothing but that."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io import nifti
from medveil.io.folders import inspect_folder
from medveil.io.residual import Identifier, residues
from medveil.io.source_identifiers import identifiers_by_subject, identifiers_of_folder
from medveil.measure.leak.marker import Marker
from medveil.measure.leak.planted import plant


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Marker]]:
    folder = tmp_path_factory.mktemp("planted")
    cube = Image(np.arange(512, dtype=np.int16).reshape(8, 8, 8), np.eye(4))
    found = plant(["dicom", "nifti", "bids"], Seeds(5), lambda: cube)
    for file in found.files:
        (folder / file.place).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.place).write_bytes(file.content)
    return folder, found.markers


def _values(folder: Path) -> set[tuple[str, str]]:
    return {(i.kind, i.value) for i in identifiers_of_folder(inspect_folder(folder))}


@pytest.mark.parametrize(
    ("format_", "group", "places"),
    [
        ("nifti", "NIfTI header", {"descrip", "aux_file", "db_name", "intent_name"}),
        ("nifti", "NIfTI extensions", {"DICOM dataset: PatientName", "DICOM dataset: PatientBirthDate"}),
        ("nifti", "gzip header", {"file name", "comment"}),
        ("nifti", "file names", {"name of a NIfTI file"}),
        ("bids", "sidecars", {"PatientName", "PatientID", "InstitutionName", "StationName", "DeviceSerialNumber",
                              "AccessionNumber", "StudyInstanceUID", "OperatorsName", "ReferringPhysicianName", "nested value"}),
        ("bids", "tables", {"participants: name", "participants: hospital_id", "participants: comment",
                            "scans: operator"}),
        ("dicom", "identifiers", {"PatientName", "PatientID", "AccessionNumber"}),
    ],
)  # fmt: skip
def test_markers_are_collected(
    planted: tuple[Path, list[Marker]], format_: str, group: str, places: set[str]
) -> None:
    folder, markers = planted
    values = " ".join(value for _, value in _values(folder / format_))
    mine = [m for m in markers if m.format == format_ and (m.group == group or group == "identifiers")]
    wanted = [m for m in mine if m.place in places or m.place.rpartition(".")[2] in places]
    assert len(wanted) >= len(places)
    digits = values.replace("-", "")
    assert [m.place for m in wanted if m.value not in values and m.value not in digits] == []


def test_days_of_sidecars_and_tables_are_days(planted: tuple[Path, list[Marker]]) -> None:
    folder, markers = planted
    days = {v.replace("-", "") for kind, v in _values(folder / "bids") if kind == "date"}
    days |= {v[6:] + v[3:5] + v[:2] for v in days if "." in v}
    dates = [m for m in markers if m.format == "bids" and m.kind == "date"]
    assert len(dates) >= 5
    assert [m.place for m in dates if m.value not in days] == []


@pytest.mark.parametrize("format_", ["dicom", "nifti", "bids"])
def test_everything_collected_is_found_in_the_source_itself(
    planted: tuple[Path, list[Marker]], format_: str
) -> None:
    found = identifiers_of_folder(inspect_folder(planted[0] / format_))
    assert {r.kind for r in residues(planted[0] / format_, found)} >= {i.kind for i in found}
    assert not any(v in repr(found) for v in (i.value for i in found))


def test_words_of_acquisition_categories_and_kept_columns_are_none(tmp_path: Path) -> None:
    cube = Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    for n in range(1, 5):
        place = tmp_path / f"sub-NDAR{n}X" / "anat" / f"sub-NDAR{n}X_acq-mprage_T1w.nii.gz"
        nifti.write(cube, place)
        facts = {"EchoTime": 0.003, "ProtocolName": "t1_mprage", "Manufacturer": "Siemens"}
        place.with_name(place.name.replace(".nii.gz", ".json")).write_text(json.dumps(facts))
    rows = "".join(f"sub-NDAR{n}X\t{30 + n}\tF\tschizophrenia\t{n}.123456\n" for n in range(1, 5))
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tsex\tgroup\tscore\n" + rows)
    assert _values(tmp_path) == {("id", f"NDAR{n}X") for n in range(1, 5)}
    assert set(identifiers_by_subject(inspect_folder(tmp_path))) == {
        "",
        *(f"sub-NDAR{n}X" for n in range(1, 5)),
    }


def test_names_of_plain_files_are_words_without_those_of_acquisition(tmp_path: Path) -> None:
    cube = Image(np.zeros((4, 4, 4), np.int16), np.eye(4))
    nifti.write(cube, tmp_path / "anat" / "scan001" / "Zyquartovex_Janina_19810203_t1_mprage_run2.nii.gz")
    assert _values(tmp_path) == {("name", "Zyquartovex"), ("name", "Janina"), ("date", "19810203")}


def test_many_uids_of_one_root_become_that_root() -> None:
    from medveil.io.source_identifiers import _worth

    root = "1.3.12.2.1107.5.2.32.35162.3000001"
    found = _worth([Identifier("uid", f"{root}.{n}") for n in range(100)])
    assert found == [Identifier("uid", root + ".")]
    few = [Identifier("uid", f"2.25.{10**30 + n}") for n in range(100)]
    assert _worth(few) == few
