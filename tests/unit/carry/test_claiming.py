"""Claims: what says that an image shows no face, and what only sounds like it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medveil.carry import claiming
from medveil.core.image import Image
from medveil.io import bids, nifti

IMAGE = Image(np.ones((3, 3, 3), np.int16), np.eye(4))


def folder_of(tmp_path: Path, *places: str) -> Path:
    for place in places:
        nifti.write(IMAGE, tmp_path / "study" / place)
    return tmp_path / "study"


def claimed(folder: Path) -> dict[str, str]:
    return {str(place): who for place, who in claiming.claims(bids.inspect_folder(folder)).items()}


@pytest.mark.parametrize(
    "place",
    [
        "sub-01/anat/sub-01_desc-defaced_T1w.nii.gz",
        "sub-01/anat/sub-01_rec-defaced_T1w.nii.gz",
        "a/T1_Defaced.nii",
        "refaced/a/t1.nii.gz",
        "a/t1-anon.nii.gz",
        "a/t1_pydeface.nii.gz",
    ],
)
def test_a_name_claims_it(tmp_path: Path, place: str) -> None:
    assert claimed(folder_of(tmp_path, place)) == {place: claiming.BY_NAME}


@pytest.mark.parametrize(
    "place", ["a/t1.nii.gz", "a/t1_not-defaced.nii.gz", "surface/t1.nii", "a/preface.nii"]
)
def test_a_name_that_denies_it_or_only_sounds_like_it_claims_nothing(tmp_path: Path, place: str) -> None:
    assert claimed(folder_of(tmp_path, place)) == {}


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"Defaced": True}, True),
        ({"Defaced": False}, False),
        ({"Defaced": "No"}, False),
        ({"DefacingMethod": "afni"}, True),
        ({"DeidentificationMethod": "mri_deface"}, True),
        ({"DeidentificationMethod": ["header cleaned", "not defaced"]}, False),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113102"}]}, True),
        ({"DeidentificationMethodCodeSequence": [{"CodeValue": "113100"}]}, False),
        ({"RecognizableVisualFeatures": "NO"}, True),
        ({"RecognizableVisualFeatures": "YES"}, False),
        ({"SurfaceCoil": "head"}, False),
    ],
)
def test_a_sidecar_claims_it(tmp_path: Path, facts: dict[str, Any], says: bool) -> None:
    folder = folder_of(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz")
    (folder / "sub-02/anat/sub-02_T1w.json").write_text(json.dumps(facts))
    assert claimed(folder) == ({"sub-02/anat/sub-02_T1w.nii.gz": claiming.BY_SIDECAR} if says else {})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("All T1w images were defaced with pydeface 2.0.", True),
        ("We ran mri_deface on everything", True),
        ("The scans have not been defaced.", False),
        ("There is no risk. Scans were defaced.", True),
        ("We refactored the surface code; see the preface.", False),
    ],
)
def test_the_papers_of_a_folder_claim_it_for_all_its_images(tmp_path: Path, text: str, says: bool) -> None:
    folder = folder_of(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "sub-02/anat/sub-02_T1w.nii.gz")
    (folder / "README.md").write_text(text)
    assert list(claimed(folder).values()) == [claiming.BY_PAPERS] * 2 * says
    (folder / "README.md").unlink()
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "x", "HowToAcknowledge": text}))
    assert list(claimed(folder).values()) == [claiming.BY_PAPERS] * 2 * says


def test_papers_that_cannot_be_read_claim_nothing(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz")
    (folder / "README").write_bytes(b"\xff\xfe\x00")
    (folder / "dataset_description.json").write_text("{ defaced")
    assert claimed(folder) == {}
