"""medveil inspect warns of faces where something says that there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.carry.spotting import Look
from medveil.core.cohort import Record
from medveil.core.image import Image
from medveil.io import nifti

FACE, NO_FACE, STUMP, UNFOUND = 1, 2, 3, 4


def _stand_in(record: Record) -> Look:
    """Reads what there is to see from the first voxel."""
    seen = int(record.open().data[0, 0, 0])
    return {
        FACE: Look(face=True, detected=True),
        NO_FACE: Look(),
        STUMP: Look(detected=True),
        UNFOUND: Look(unchecked="no head found"),
    }[seen]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four people said to be defaced, of whom one is not, and one of whom nothing is said."""
    monkeypatch.setattr("medveil.carry.spotting.look", _stand_in)
    for n, seen in enumerate((NO_FACE, FACE, STUMP, UNFOUND, FACE), start=1):
        name = f"canary{n}_T1w.nii.gz" if n == 5 else f"canary{n}_defaced_T1w.nii.gz"
        nifti.write(Image(np.full((4, 4, 4), seen, np.int16), np.eye(4)), tmp_path / "in" / name)
    return tmp_path / "in"


def test_a_claim_that_is_not_true_is_told(medveil: Callable, folder: Path) -> None:
    ran = medveil("inspect", folder, "--jobs", "1")
    assert ran.code == 0
    assert (
        "4 images claim to be defaced (4 by file or folder name); in 1 of them a face is still there"
        in ran.out
    )
    assert "1 x no tissue of a face, but a face detector fires" in ran.out
    assert "1 x could not be checked: no head found" in ran.out
    assert "looking for faces" in ran.err
    assert "canary" not in ran.out + ran.err


def test_the_json_lists_where_as_a_release_would_call_it(medveil: Callable, folder: Path) -> None:
    ran = medveil("inspect", folder, "--jobs", "1", "--json")
    said = json.loads(ran.out)
    assert said["claimed"] == {
        "images": 4,
        "with_face": 1,
        "detector_only": 1,
        "unchecked": {"no head found": 1},
        "places": ["sub-002/anat/sub-002_T1w.nii.gz"],
    }
    assert said["claims"] == {"file or folder name": 4}
    assert said["others"] is None
    assert "canary" not in ran.out
    assert ran.err == ""


def test_all_images_are_looked_at_on_request(medveil: Callable, folder: Path) -> None:
    ran = medveil("inspect", folder, "--faces", "--jobs", "1")
    assert "4 images claim to be defaced" in ran.out
    assert "of 1 other images, 1 show a face" in ran.out


def test_no_voxel_is_opened_where_nothing_is_claimed(
    medveil: Callable, ball: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a voxel was opened")

    monkeypatch.setattr("medveil.carry.spotting.look", never)
    monkeypatch.setattr("medveil.io.nifti.read", never)
    ran = medveil("inspect", ball)
    assert ran.code == 0
    assert "claim" not in ran.out
    assert "looking" not in ran.err


def test_an_image_that_cannot_be_read_is_not_checked_and_stops_nothing(
    medveil: Callable, tmp_path: Path
) -> None:
    (tmp_path / "canary_defaced_T1w.nii.gz").write_bytes(b"canary")
    ran = medveil("inspect", tmp_path, "--jobs", "1", "--json")
    claimed = json.loads(ran.out)["claimed"]
    assert (claimed["images"], claimed["with_face"], sum(claimed["unchecked"].values())) == (1, 0, 1)
    assert "canary" not in ran.out + ran.err


@pytest.mark.slow
def test_a_simulated_head_that_is_only_called_defaced_is_found(
    medveil: Callable, head: Image, tmp_path: Path
) -> None:
    nifti.write(head, tmp_path / "in" / "sub-01" / "anat" / "sub-01_desc-defaced_T1w.nii.gz")
    assert medveil("protect", tmp_path / "in", "--to", tmp_path / "out", "--jobs", "1").code == 0
    before, after = (
        json.loads(medveil("inspect", tmp_path / f, "--jobs", "1", "--json").out) for f in ("in", "out")
    )
    assert before["claimed"]["places"] == ["sub-01/anat/sub-01_desc-defaced_T1w.nii.gz"]
    assert (after["claimed"]["images"], after["claimed"]["with_face"]) == (1, 0)
