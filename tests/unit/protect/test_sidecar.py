"""Sidecars and participants: facts pass in their range, words in their vocabulary, the rest goes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from medveil.protect.header.participants import clean_age, clean_participants, dropped_columns
from medveil.protect.header.sidecar import UNNAMED, clean_description, clean_sidecar


def test_acquisition_facts_pass_in_the_order_of_the_source() -> None:
    facts = {
        "Modality": "MR", "Manufacturer": "Siemens", "MagneticFieldStrength": 3, "EchoTime": 0.00232,
        "RepetitionTime": 2.3, "FlipAngle": [4, 5], "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "ScanningSequence": "GR\\IR", "SliceTiming": [0, 0.5, 1], "NonlinearGradientCorrection": True,
        "PhaseEncodingDirection": "j-", "PatientPosition": "HFS", "KVP": 120, "FrameDuration": [60, 60],
        "Units": "Bq/mL", "TracerRadionuclide": "F18",
    }  # fmt: skip
    kept, removed = clean_sidecar(facts)
    assert kept == facts
    assert list(kept) == list(facts)
    assert removed == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("EchoTime", 19700101),  # a date in the place of a number
        ("EchoTime", "0.002"),
        ("EchoTime", True),
        ("EchoTime", math.nan),
        ("EchoTime", math.inf),
        ("EchoTime", -1),
        ("EchoTime", [0.1]),
        ("EchoTime", {"John": 1}),
        ("EchoTime", None),
        ("FlipAngle", []),
        ("FlipAngle", [4, "John"]),
        ("FlipAngle", [4, [5]]),
        ("SliceTiming", [0.0] * 5000),
        ("Manufacturer", "Siemens of John Smith"),
        ("Manufacturer", ["Siemens"]),
        ("ImageType", ["ORIGINAL", "SMITH"]),
        ("ImageType", "ORIGINAL\\SMITH"),
        ("ScanningSequence", "GR\\"),
        ("NonlinearGradientCorrection", 1),
        ("PatientPosition", "hfs"),
    ],
)
def test_a_value_that_is_no_such_fact_goes_with_its_key(key: str, value: object) -> None:
    assert clean_sidecar({key: value}) == ({}, [key])


@pytest.mark.parametrize(
    "key",
    ["PatientName", "PatientBirthDate", "AcquisitionDateTime", "TimeZero", "InstitutionName", "StationName",
     "DeviceSerialNumber", "SeriesInstanceUID", "ProtocolName", "SequenceName", "SoftwareVersions",
     "ImagingFrequency", "SAR", "ShimSetting", "ImageComments", "PatientWeight", "ManufacturersModelName"],
)  # fmt: skip
def test_identifying_keys_go_whatever_they_hold(key: str) -> None:
    for value in ("John", 3, ["a"], {"b": "c"}, None, True):
        assert clean_sidecar({key: value}) == ({}, [key])


def test_unknown_keys_go_and_are_not_named() -> None:
    assert clean_sidecar({"John Smith": 1, "EchoTime": 1, "global": {"a": 1}}) == (
        {"EchoTime": 1},
        [UNNAMED, UNNAMED],
    )


def test_the_source_is_left_alone() -> None:
    data = {"EchoTime": 1, "PatientName": "x"}
    clean_sidecar(data)
    assert data == {"EchoTime": 1, "PatientName": "x"}


def test_a_description_is_made_anew() -> None:
    old = {"Name": "Scans of John", "BIDSVersion": "1.8.0", "Authors": ["John"], "DatasetType": "raw"}
    assert clean_description(old, "0.1") == {
        "Name": "A medveil release",
        "BIDSVersion": "1.8.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "medveil", "Version": "0.1"}],
    }
    assert clean_description({"BIDSVersion": "John"}, "0.1")["BIDSVersion"] == "1.9.0"
    assert clean_description({"BIDSVersion": ["John"]}, "0.1")["BIDSVersion"] == "1.9.0"


def test_participants_keep_four_columns() -> None:
    rows = [
        {
            "participant_id": "sub-01",
            "age": "34.7",
            "sex": "Male",
            "handedness": "r",
            "site": "Leeds",
            "name": "J",
        },
        {"participant_id": "sub-02", "age": "93", "sex": "unclear", "handedness": "", "site": "York"},
        {"participant_id": "John Smith", "age": "50", "sex": "M"},
    ]
    assert clean_participants(rows) == [
        {"participant_id": "sub-01", "age": "34", "sex": "M", "handedness": "R"},
        {"participant_id": "sub-02", "age": "89+", "sex": "n/a", "handedness": "n/a"},
    ]
    assert dropped_columns(rows) == 2
    assert clean_participants([{"participant_id": "sub-01"}]) == [{"participant_id": "sub-01"}]
    assert clean_participants([]) == []


@pytest.mark.parametrize(
    ("text", "clean"),
    [("88", "88"), ("88.99", "88"), ("89", "89+"), ("89+", "89+"), ("90+", "89+"), ("104", "89+"), ("131", "n/a"),
     ("0", "0"), ("007", "7"), ("-3", "n/a"), ("19700101", "n/a"), ("n/a", "n/a"), ("", "n/a"), ("34 John", "n/a"),
     ("\uff13\uff14", "34"), ("34\n", "34")],
)  # fmt: skip
def test_ages_are_whole_years_and_the_oldest_are_one_group(text: str, clean: str) -> None:
    assert clean_age(text) == clean


@pytest.mark.real
def test_nothing_that_identifies_is_left_of_real_sidecars(real_data: Path) -> None:
    for path in (real_data / "bids" / "small_faces").rglob("sub-*.json"):
        kept, removed = clean_sidecar(json.loads(path.read_text()))
        assert {"Modality", "MagneticFieldStrength", "EchoTime", "RepetitionTime", "FlipAngle"} <= set(kept)
        assert {
            "PatientName",
            "PatientID",
            "InstitutionName",
            "AcquisitionDateTime",
            "StudyInstanceUID",
        } <= set(removed)
        assert not any(isinstance(v, str) and any(c.isdigit() for c in v.replace("2D", "").replace("3D", ""))
                       for v in kept.values())  # fmt: skip
