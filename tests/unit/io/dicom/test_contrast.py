"""The contrast of a series, by words first and timings where there are none."""

from __future__ import annotations

from typing import Any

import pytest

from medveil.io.dicom.contrast import contrast_of


@pytest.mark.parametrize(
    ("words", "contrast"),
    [
        ("t1_mprage_sag_p2_iso", "T1w"),
        ("Ax FSPGR 3D", "T1w"),
        ("3DT1", "T1w"),
        ("t2_tse_tra", "T2w"),
        ("t2_tirm_tra_dark-fluid", "FLAIR"),
        ("Sag CUBE FLAIR", "FLAIR"),
        ("Ax T1 FLAIR", "T1w"),
        ("t2*_gre", "T2starw"),
        ("PD_tse", "PDw"),
        ("ep2d_bold_rest", "bold"),
        ("ep2d_diff_mddw_64_ADC", "dwi"),
        ("pCASL 3D", "asl"),
        ("mp2rage_UNI_Images", "UNIT1"),
        ("AAHScout T1", ""),
        ("head", ""),
    ],
)
def test_words(words: str, contrast: str) -> None:
    assert contrast_of("MR", (words, "t2"), {}) == (contrast or ("T2w" if words == "head" else ""))


def test_other_modalities_need_no_words() -> None:
    assert [contrast_of(m, ("t1",), {}) for m in ("CT", "PT", "US", "")] == ["CT", "pet", "", ""]


MPRAGE = {
    "ScanningSequence": ["GR", "IR"],
    "RepetitionTime": 2300,
    "EchoTime": 2.9,
    "InversionTime": 900,
    "FlipAngle": 9,
}


@pytest.mark.parametrize(
    ("facts", "contrast"),
    [
        (MPRAGE, "T1w"),
        ({"ScanningSequence": "SE", "RepetitionTime": 500, "EchoTime": 12}, "T1w"),
        ({"ScanningSequence": "SE", "RepetitionTime": 4000, "EchoTime": 100}, "T2w"),
        ({"ScanningSequence": "SE", "RepetitionTime": 3000, "EchoTime": 20}, "PDw"),
        (
            {"ScanningSequence": ["SE", "IR"], "RepetitionTime": 9000, "EchoTime": 90, "InversionTime": 2500},
            "FLAIR",
        ),
        ({"ScanningSequence": "GR", "RepetitionTime": 700, "EchoTime": 20, "FlipAngle": 20}, "T2starw"),
        ({"ScanningSequence": "EP", "RepetitionTime": 2000, "EchoTime": 30}, ""),
        ({"AcquisitionContrast": "FLUID_ATTENUATED"}, "FLAIR"),
        ({"DiffusionBValue": 0.0}, "dwi"),
        ({"ScanningSequence": "GR", "RepetitionTime": "no number", "EchoTime": 4}, ""),
        ({}, ""),
    ],
)
def test_timings_where_no_word_says_anything(facts: dict[str, Any], contrast: str) -> None:
    assert contrast_of("MR", ("head", ""), facts) == contrast
