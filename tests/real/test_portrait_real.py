"""Portraits of a real photograph and of real heads: faces are found again in what is made of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from medveil.attack.reidentify.eyes import DLIB, Resnet
from medveil.attack.reidentify.observe import Observation, Photograph, Renders
from medveil.attack.reidentify.portrait import portrait
from medveil.attack.reidentify.recogniser import Box, recogniser
from medveil.core.image import Image
from medveil.io.photograph import read_photograph

pytestmark = pytest.mark.real


@pytest.fixture
def astronaut(real_data: Path) -> Image:
    path = real_data / "photos" / "astronaut.png"
    if not path.is_file():
        pytest.skip("the real photograph is not here")
    return read_photograph(path)


@cache
def look(path: Path, eye: Resnet) -> Observation:
    import nibabel as nib

    if not path.is_file():
        pytest.skip("one of the real test images is not here")
    nifti = nib.load(path)
    return Renders(3, eye=eye)(Image(np.asarray(nifti.dataobj), nifti.affine))


def test_a_portrait_is_the_same_person_to_the_recogniser(astronaut: Image) -> None:
    """dlib takes distances below .6 for one person; own alignment against dlib's, and grey against colour."""
    plain = Photograph()(astronaut).embedding[0]
    found = recogniser().find(astronaut.data, Box(150, 50, 180), anywhere=True)
    assert found.detected
    for harmonise, most in ((False, 0.3), (True, 0.45)):
        chip = portrait(astronaut.data, found.landmarks_px, harmonise=harmonise).pixels
        assert np.linalg.norm(recogniser().describe_chip(chip) - plain) < most


def test_bald_landmarks_of_a_photograph_stay_where_the_face_is(astronaut: Image) -> None:
    raw, bald = (Photograph(eye)(astronaut).landmarks[0] for eye in (DLIB, Resnet("bald")))
    assert np.abs(raw - bald)[27:].mean() < 0.05  # eyes, nose and mouth, in sides of the face box
    assert not np.array_equal(raw, bald)


@pytest.mark.parametrize("name", ["adult_a_t1w_1mm", "adult_c_t1w_1mm"])
def test_landmarks_of_a_whole_face_lie_on_its_skin_and_views_agree(real_data: Path, name: str) -> None:
    seen = look(real_data / "heads" / f"{name}.nii.gz", DLIB)
    assert seen.on_skin is not None
    assert seen.points_mm is not None
    assert seen.on_skin[:, 27:].mean() > 0.95  # eyes, nose and mouth
    assert np.ptp(seen.points_mm[:, 27:], axis=0).mean() < 8  # mm from view to view
