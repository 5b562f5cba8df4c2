"""medveil inspect tells what a folder gives away by kind and severity, and prints no value of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.io.search import Needle, Needles
from medveil.measure.leak.marker import Marker
from medveil.measure.leak.planted import plant


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Marker]]:
    folder = tmp_path_factory.mktemp("planted")
    cube = Image(np.arange(512, dtype=np.int16).reshape(8, 8, 8), np.eye(4))
    found = plant(["dicom", "nifti", "bids"], Seeds(7), lambda: cube)
    for file in found.files:
        (folder / file.place).parent.mkdir(parents=True, exist_ok=True)
        (folder / file.place).write_bytes(file.content)
    return folder, found.markers


@pytest.mark.parametrize(
    ("format_", "kinds"),
    [
        ("dicom", {
            ("direct", "names of people"), ("direct", "IDs, addresses and notes about people"), ("direct", "birth dates"),
            ("direct", "faces, if these are heads"), ("direct", "text that may be drawn into pictures"),
            ("linking", "unique identifiers (UIDs)"), ("linking", "exact dates and times"), ("linking", "private elements"),
            ("linking", "serial numbers and stations of scanners"), ("linking", "institutions and places"),
            ("linking", "free texts, which may hold names"), ("linking", "names of files and folders"),
            ("linking", "entries that no rule knows"),
            ("facts", "age, sex, size and the like"), ("facts", "how the images were made"),
        }),
        ("bids", {
            ("direct", "names of people"), ("direct", "IDs, addresses and notes about people"), ("direct", "birth dates"),
            ("linking", "unique identifiers (UIDs)"), ("linking", "exact dates and times"),
            ("linking", "serial numbers and stations of scanners"), ("linking", "institutions and places"),
            ("linking", "free texts, which may hold names"), ("linking", "names and bytes around or behind images"),
            ("linking", "names of files and folders"), ("facts", "age, sex, size and the like"),
        }),
        ("nifti", {
            ("direct", "faces, if these are heads"), ("linking", "free texts, which may hold names"),
            ("linking", "names and bytes around or behind images"), ("linking", "names of files and folders"),
        }),
    ],
)  # fmt: skip
def test_every_kind_of_what_was_planted_is_told_and_no_value(
    medveil: Callable,
    planted: tuple[Path, list[Marker]],
    format_: str,
    kinds: set[tuple[str, str]],
) -> None:
    folder, markers = planted
    said, person = (medveil("inspect", folder / format_, "--jobs", "1", *json_) for json_ in (["--json"], []))
    assert (said.code, person.code) == (0, 0)
    told = {(e["severity"], e["kind"]) for e in json.loads(said.out)["exposures"]}
    assert kinds <= told
    assert all(e["count"] >= 1 and e["files"] >= 1 for e in json.loads(said.out)["exposures"])
    needles = Needles(
        Needle(raw, n, exact)
        for n, m in enumerate(markers)
        if m.kind not in ("number", "age")
        for raw, exact in m.spellings()
    )
    printed = (said.out + said.err + person.out + person.err).encode()
    assert needles.found_in(printed) == set()
    assert not [m.place for m in markers if m.kind == "number" and m.value.encode() in printed]
    assert len(person.out.splitlines()) <= 50
    assert (
        person.out.index("says who it is") < person.out.index("says it together") < person.out.index("facts,")
    )


def test_dicom_is_counted_by_series_modality_creators_and_signs_of_text(
    medveil: Callable, planted: tuple[Path, list[Marker]]
) -> None:
    said = json.loads(medveil("inspect", planted[0] / "dicom", "--jobs", "1", "--json").out)
    assert said["layout"] == "dicom"
    assert said["skipped"] == {"directory of files": 1}
    found = said["dicom"]
    assert (found["files"], found["series"], found["modalities"]) == (10, 9, {"MR": 9})
    assert found["private_creators"] >= 2
    assert found["quarantined"] == {}
    assert sum(found["burned_in"].values()) == 10


def test_files_that_a_release_would_set_aside_are_counted_by_reason_and_modalities_are_no_text(
    medveil: Callable, tmp_path: Path
) -> None:
    from medveil.measure.leak.in_dicom import base_image

    for n, (sop_class, modality) in enumerate(
        [("1.2.840.10008.5.1.4.1.1.7", "SC"), ("1.2.840.10008.5.1.4.1.1.4", "QANARY")], start=1
    ):
        data = base_image(n)
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = sop_class
        data.PatientID, data.Modality, data.SeriesInstanceUID = "1", modality, f"1.2.3.{n}"
        data.save_as(tmp_path / f"{n}.dcm")
    ran = medveil("inspect", tmp_path, "--jobs", "1", "--json")
    found = json.loads(ran.out)["dicom"]
    assert found["quarantined"] == {"screen capture": 1}
    assert found["modalities"] == {"SC": 1, "other": 1}
    assert "QANARY" not in ran.out + medveil("inspect", tmp_path, "--jobs", "1").out


def test_an_empty_element_gives_nothing_away(medveil: Callable, tmp_path: Path) -> None:
    from medveil.measure.leak.in_dicom import base_image

    data = base_image(1)
    data.PatientID = "1"
    for keyword in ("PatientBirthDate", "AccessionNumber", "ReferringPhysicianName"):
        setattr(data, keyword, "")
    data.save_as(tmp_path / "1.dcm")
    told = {
        e["kind"] for e in json.loads(medveil("inspect", tmp_path, "--jobs", "1", "--json").out)["exposures"]
    }
    assert "birth dates" not in told
    assert "names of people" not in told
