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


PET = {
    "Manufacturer": "Siemens", "ManufacturersModelName": "Biograph64_mCT", "Units": "Bq/mL", "TracerName": "FDG",
    "TracerRadionuclide": "F18", "InjectedRadioactivity": 200.5, "InjectedRadioactivityUnits": "MBq", "InjectedMass": 5,
    "InjectedMassUnits": "ug", "SpecificRadioactivity": 929.6, "SpecificRadioactivityUnits": "MBq/ug",
    "ModeOfAdministration": "bolus-infusion", "InfusionRadioactivity": 100, "InfusionStart": 0, "InfusionSpeed": 0.1,
    "InfusionSpeedUnits": "mL/s", "InjectedVolume": 10, "TimeZero": "00:00:00", "ScanStart": 60, "InjectionStart": -30,
    "FrameTimesStart": [60], "FrameDuration": [600], "AcquisitionMode": "list mode", "ImageDecayCorrected": True,
    "ImageDecayCorrectionTime": 0, "ReconMethodName": "3D-OSEM-PSF",
    "ReconMethodParameterLabels": ["subsets", "iterations"], "ReconMethodParameterUnits": ["none", "none"],
    "ReconMethodParameterValues": [16, 10], "ReconFilterType": ["Shepp 0.5", "All-pass 0.4"], "ReconFilterSize": [2.5, 2],
    "AttenuationCorrection": "[137Cs]transmission scan-based",
}  # fmt: skip
"""All that BIDS 1.11 requires of PET."""


def test_a_pet_sidecar_of_known_words_passes_whole() -> None:
    assert clean_sidecar(PET) == (PET, [])


def test_free_text_in_a_pet_sidecar_leaves_as_na_and_every_required_key_stays() -> None:
    texts = {key for key, value in PET.items() if isinstance(value, str)} - {"TimeZero"} | {"ReconFilterType"}
    kept, removed = clean_sidecar(PET | dict.fromkeys(texts, "of Jane Canary"))
    assert kept == PET | dict.fromkeys(texts, "n/a")
    assert removed == sorted(texts)


@pytest.mark.parametrize("key", ["InjectedMass", "SpecificRadioactivity"])
@pytest.mark.parametrize("value", [19700101, "4 for Jane", None, True, [1], "n/a"])
def test_a_mass_or_activity_that_is_none_leaves_as_na(key: str, value: object) -> None:
    kept, removed = clean_sidecar({**PET, key: value})
    assert kept == {**PET, key: "n/a"}
    assert removed == ([] if value == "n/a" else [key])


def test_only_what_the_source_has_becomes_na_and_only_of_pet() -> None:
    assert clean_sidecar({"TracerName": "FDG"}) == ({"TracerName": "FDG"}, [])
    for key in (
        "Manufacturer",
        "ManufacturersModelName",
        "Units",
        "AttenuationCorrection",
        "ReconMethodParameterLabels",
    ):
        assert clean_sidecar({key: "Jane", "EchoTime": 1}) == ({"EchoTime": 1}, [key])


@pytest.mark.parametrize("time", ["10:32:07", "9:05:59", "23:59:59.125"])
def test_time_zero_leaves_as_midnight_and_what_is_relative_to_it_stays(time: str) -> None:
    kept, removed = clean_sidecar({**PET, "TimeZero": time})
    assert (kept, removed) == (PET, ["TimeZero"])


@pytest.mark.parametrize(
    "time", ["10:32", "24:00:00", "10:32:00 Jane", "10:32:00\n", 103200, None, "n/a", "\u0661:00:00"]
)
def test_a_time_zero_that_is_no_time_goes(time: object) -> None:
    kept, removed = clean_sidecar({**PET, "TimeZero": time})
    assert kept == {key: value for key, value in PET.items() if key != "TimeZero"}
    assert removed == ["TimeZero"]


@pytest.mark.parametrize(
    ("labels", "units", "values", "kept"),
    [
        (["iterations", "Jane", "beta"], ["none", "none", "none"], [4, 1970, 350],
         (["iterations", "beta"], ["none", "none"], [4, 350])),  # a number goes with its label
        (["iterations", "subsets"], ["none", "of Jane"], [4, 19700101], (["iterations"], ["none"], [4])),
        (["iterations", "subsets"], ["of Jane", None], [4, 21], (["iterations", "subsets"], ["n/a", "n/a"], [4, 21])),
        (["iterations"], "Jane", [4], (["iterations"], ["n/a"], [4])),
        (["iterations"], ["none"], [4, 5], (["none"], None, None)),
        (["iterations"], ["none"], "4", (["none"], None, None)),
        (["Jane"], ["none"], [1], (["none"], None, None)),
        ("iterations", "none", 4, (["none"], None, None)),
        ([["iterations"]], ["none"], [4], (["none"], None, None)),
        (["iterations"] * 65, ["none"] * 65, [4] * 65, (["none"], None, None)),
    ],
)  # fmt: skip
def test_a_parameter_of_reconstruction_leaves_whole_or_not(
    labels: object, units: object, values: object, kept: tuple[object, ...]
) -> None:
    keys = [f"ReconMethodParameter{what}" for what in ("Labels", "Units", "Values")]
    found, removed = clean_sidecar(PET | dict(zip(keys, (labels, units, values), strict=True)))
    assert tuple(map(found.get, keys)) == kept
    assert set(removed) <= set(keys)
    assert removed


@pytest.mark.parametrize("model", ["Prisma_fit", "DISCOVERY MR750", "Discovery MI", "Brilliance 64"])
def test_a_common_model_stays(model: str) -> None:
    assert clean_sidecar({"ManufacturersModelName": model}) == ({"ManufacturersModelName": model}, [])


@pytest.mark.parametrize(
    "model", ["Connectom", "ECAT HRRT", "Investigational_Device_7T", "Prisma of Jane", "prisma_fit "]
)
def test_a_rare_or_unknown_model_goes(model: str) -> None:
    assert clean_sidecar({"ManufacturersModelName": model}) == ({}, ["ManufacturersModelName"])
    assert clean_sidecar({**PET, "ManufacturersModelName": model})[0] == {
        **PET,
        "ManufacturersModelName": "n/a",
    }


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
