"""Real slices of five makers through `medveil release`: what a diffusion scan is measured by stays, byte for byte."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest

from medveil.protect.header.dicom.private import SAFE

pytestmark = [pytest.mark.real, pytest.mark.filterwarnings("ignore")]
MAKERS = ("SIEMENS", "GE MEDICAL SYSTEMS", "Philips Medical Systems", "UIH", "TOSHIBA")
GRADIENT = [0.6, -0.8, 0.0]
# Not every slice here is of a diffusion scan; what its maker would have written there is set before the release.
DIFFUSION: dict[str, list[tuple[str, int, str, Any]]] = {
    "SIEMENS": [
        ("SIEMENS MR HEADER", 0x0019000C, "IS", 1000),
        ("SIEMENS MR HEADER", 0x0019000E, "FD", GRADIENT),
        ("SIEMENS MR HEADER", 0x00190027, "FD", [360.5, -480.25, 0.0, 640.125, 0.0, 0.0]),
    ],
    "GE MEDICAL SYSTEMS": [
        ("GEMS_PARM_01", 0x00430039, "IS", [1000000800, 8, 0, 0]),
        ("GEMS_ACQU_01", 0x001900BB, "DS", 0.6),
        ("GEMS_ACQU_01", 0x001900BC, "DS", -0.8),
        ("GEMS_ACQU_01", 0x001900BD, "DS", 0.0),
    ],
    "Philips Medical Systems": [("Philips Imaging DD 001", 0x20010003, "FL", 1000.0)],
    "UIH": [
        ("Image Private Header", 0x00650009, "FD", 1000.0),
        ("Image Private Header", 0x00650037, "FD", GRADIENT),
    ],
    "TOSHIBA": [],  # it writes the standard's elements
}
SAME = (
    "Rows", "Columns", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
    "SpacingBetweenSlices", "SliceLocation", "RescaleSlope", "RescaleIntercept", "BitsAllocated", "BitsStored",
    "PixelRepresentation", "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "MagneticFieldStrength", "KVP",
    "InPlanePhaseEncodingDirection", "DiffusionBValue", "DiffusionGradientOrientation", "AcquisitionTime", "ContentTime",
)  # fmt: skip
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _raw(dataset: Any, tag: Any) -> bytes | None:
    """The bytes of an element as they lie in the file."""
    if tag not in dataset:
        return None
    value = dataset.get_item(tag).value
    assert isinstance(value, bytes | None)
    return value or b""


def _private(dataset: Any, creator: str, tag: int) -> Any:
    """The tag that a safe element has in this file, None where its creator is not in it."""
    try:
        return dataset.private_block(tag >> 16, creator).get_tag(tag & 0xFF)
    except KeyError:
        return None


def _prepared(path: Path, target: Path) -> None:
    dataset = pydicom.dcmread(path)
    maker = str(dataset.Manufacturer)
    if dataset.Modality == "MR":
        for creator, tag, vr, value in DIFFUSION[maker]:
            block = dataset.private_block(tag >> 16, creator, create=True)
            block.add_new(tag & 0xFF, vr, value)
        dataset.DiffusionBValue = 1000.0
        dataset.DiffusionGradientOrientation = GRADIENT
    dataset.save_as(target)


def test_diffusion_scale_geometry_and_intervals_stay(
    medveil: Callable, real_data: Path, tmp_path: Path
) -> None:
    slices = sorted((real_data / "dicom" / "vendors").glob("*.dcm"))
    slices += sorted((real_data / "dicom" / "head_series_hfs").glob("*.dcm"))[:1]
    if len(slices) < 6:
        pytest.skip("the slices of the five makers are not here")
    (tmp_path / "in").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n, path in enumerate(slices):
            _prepared(path, tmp_path / "in" / f"{n}.dcm")
    ran = medveil(
        "release", tmp_path / "in", "--to", tmp_path / "out", "--step", "header.dicom", "--jobs", "1"
    )
    assert ran.code == 0, ran.err

    crosswalk = (tmp_path / "out-internal" / "crosswalk.tsv").read_text().splitlines()
    names = crosswalk[0].split("\t")
    rows = [dict(zip(names, line.split("\t"), strict=True)) for line in crosswalk[1:]]
    seen, private = set(), 0
    for row in rows:
        before = pydicom.dcmread(tmp_path / "in" / row["source"], stop_before_pixels=True)
        after = pydicom.dcmread(next((tmp_path / "out" / row["release"]).iterdir()), stop_before_pixels=True)
        maker = f"{before.Manufacturer} {before.Modality}"
        for keyword in SAME:
            tag = pydicom.datadict.tag_for_keyword(keyword)
            assert _raw(after, tag) == _raw(before, tag), (maker, keyword)
        for creator, tag in SAFE:
            old = _private(before, creator, tag)
            if old is not None and old in before and SAFE[creator, tag].vr != "SQ":
                private += 1
                assert _raw(after, _private(after, creator, tag)) == _raw(before, old), (maker, hex(tag))
        days = {k: str(before.get(k) or "") for k in DATES}
        shifts = {(_day(after[k].value) - _day(old)).days for k, old in days.items() if old.isdigit()}
        assert len(shifts) == any(map(str.isdigit, days.values())), maker
        assert 0 not in shifts
        seen.add(maker)
    assert {f"{m} MR" for m in MAKERS} <= seen
    assert private > 40
