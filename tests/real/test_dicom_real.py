"""Real and odd DICOM files: each is cleaned or set aside, never half; pixels and geometry stay."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from medveil.core.secrets import Key
from medveil.protect.header.dicom.clean import clean
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.rules import Options
from medveil.protect.header.dicom.write import to_bytes
from medveil.protect.header.pseudonyms import Pseudonyms

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
TAKE_CAPTURES = Options(secondary_capture=True)
GEOMETRY = ("Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
            "RescaleSlope", "RescaleIntercept", "RepetitionTime", "EchoTime", "FlipAngle", "SOPClassUID")  # fmt: skip


def names() -> Pseudonyms:
    return Pseudonyms(Key(bytes(range(32))))


def read(path: Path) -> Any:
    return pydicom.dcmread(path, force=True)


def released(path: Path) -> Any | None:
    """The file as released and read again; None if it was set aside."""
    try:
        dataset = read(path)
    except Exception:  # noqa: BLE001 - no reader would take it, so it never gets to the engine
        return None
    try:
        return pydicom.dcmread(BytesIO(to_bytes(clean(dataset, names(), TAKE_CAPTURES))))
    except Quarantine:
        return None


def pixels(dataset: Any) -> np.ndarray | None:
    try:
        return dataset.pixel_array
    except Exception:  # noqa: BLE001 - a codec that is not installed, or pixels that were broken before
        return None


def judge(paths: list[Path]) -> tuple[int, int, int]:
    """Checks all files; counts taken, set aside, and those whose decoded pixels were compared."""
    taken = aside = compared = 0
    for path in paths:
        new = released(path)
        if new is None:
            aside += 1
            continue
        taken += 1
        list(new.iterall())
        old = read(path)
        before, after = pixels(old), pixels(new)
        assert (before is None) == (after is None), path.name
        if before is not None:
            compared += 1
            assert np.array_equal(before, after, equal_nan=before.dtype.kind == "f"), path.name
        for keyword in GEOMETRY:
            if old.get(keyword) not in (None, ""):
                assert new.get(keyword) == old.get(keyword), (path.name, keyword)
        assert "PatientIdentityRemoved" not in new  # marks are written by who has verified
        assert new.PatientID.startswith("sub-")
    return taken, aside, compared


@pytest.mark.filterwarnings("ignore")
def test_all_files_that_pydicom_ships_are_handled() -> None:
    paths = [p for p in sorted(PACKAGED.rglob("*")) if p.is_file() and p.suffix in (".dcm", "")]
    taken, aside, compared = judge(paths)
    assert taken + aside == len(paths)
    assert taken > 100
    assert compared > 60


@pytest.mark.real
@pytest.mark.filterwarnings("ignore")
def test_all_real_files_are_handled(real_data: Path) -> None:
    paths = sorted((real_data / "dicom").rglob("*.dcm"))
    if not paths:
        pytest.skip("no DICOM files in the folder of real test images")
    taken, aside, compared = judge(paths)
    assert (taken, aside) == (len(paths), 0)
    assert compared >= len(paths) - 2  # one has no pixels; one needs a codec that may be missing


@pytest.mark.real
@pytest.mark.filterwarnings("ignore")
def test_a_series_stays_one_series_of_one_person(real_data: Path) -> None:
    paths = sorted((real_data / "dicom" / "head_series_hfs").glob("*.dcm"))
    if not paths:
        pytest.skip("the head series is not here")
    new = [released(path) for path in paths]
    old = [read(path) for path in paths]
    for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert len({ds[keyword].value for ds in new}) == len({ds[keyword].value for ds in old}) == 1
        assert new[0][keyword].value != old[0][keyword].value
    assert len({ds.SOPInstanceUID for ds in new}) == len(paths)


@pytest.mark.real
@pytest.mark.filterwarnings("ignore")
def test_no_identifier_of_a_real_file_is_in_its_bytes(real_data: Path) -> None:
    keywords = ("PatientName", "PatientID", "AccessionNumber", "InstitutionName", "StationName", "DeviceSerialNumber",
                "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientBirthDate", "StudyDate",
                "ReferringPhysicianName", "OperatorsName", "StudyDescription", "ProtocolName", "InstitutionAddress")  # fmt: skip
    searched = 0
    for path in sorted((real_data / "dicom").rglob("*.dcm")):
        old, new = read(path), clean(read(path), names(), TAKE_CAPTURES)
        if "PixelData" in new.dataset:
            del new.dataset.PixelData  # eight digits can be in pixels by chance
        data = to_bytes(new)
        for keyword in keywords:
            for text in str(old.get(keyword) or "").replace("^", " ").split():
                # A department may be called after its scanner, whose maker and model are allowed facts.
                scanner = f"{old.get('Manufacturer')} {old.get('ManufacturerModelName')}"
                if len(text) >= 6 and text not in scanner:
                    searched += 1
                    assert text.encode("latin-1", "replace") not in data, (path.name, keyword)
    assert searched > 300
