"""What a DICOM source says about its people is collected, and found again in what still holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from medveil.core.errors import InputRefused
from medveil.core.seeds import Seeds
from medveil.io.identifiers import dicom_identifiers
from medveil.io.residual import residues
from medveil.measure.leak.planted import plant


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "a.dcm"
    planted = plant(["dicom"], Seeds(3), lambda: pytest.fail("no volume is needed"))
    path.write_bytes(planted.files[0].content)
    return path


def test_names_ids_dates_and_uids_are_collected_in_sequences_too(source: Path) -> None:
    import pydicom

    data = pydicom.dcmread(source)
    found = {(i.kind, i.value) for i in dicom_identifiers(source)}
    assert ("name", str(data.PatientName)) in found
    assert ("id", data.PatientID) in found
    assert ("date", data.StudyDate) in found
    assert ("uid", data.SOPInstanceUID) in found
    assert ("id", data.OtherPatientIDsSequence[0].PatientID) in found
    assert ("name", str(data.MRImagingModifierSequence[0].PatientName)) in found
    assert ("text", data.InstitutionName) in found
    assert not any(value.startswith("1.2.840.10008.") for _, value in found)
    assert len(found) > 60


def test_all_of_them_are_found_in_the_source_and_none_in_an_empty_output(
    source: Path, tmp_path: Path
) -> None:
    identifiers = dicom_identifiers(source)
    met = {r.kind: r.count for r in residues(source, identifiers)}
    assert sum(met.values()) == len(identifiers)
    (tmp_path / "out").write_bytes(bytes(5000))
    assert residues(tmp_path, identifiers) == []


@pytest.mark.parametrize("content", [b"", b"no DICOM at all" * 20])
def test_other_files_are_refused_without_a_value(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InputRefused, match="could not be parsed"):
        dicom_identifiers(tmp_path / "x")
