"""Real heads through the attacker's eyes. Their renders are faces: nothing of them is written anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from medveil.attack.reidentify.observe import Observation, Renders
from medveil.core.image import Image

pytestmark = pytest.mark.real

SMALL = "bids/small_faces"
WHOLE_FACES = (
    "heads/adult_a_t1w_1mm.nii.gz",
    "heads/adult_c_t1w_1mm.nii.gz",
    f"{SMALL}/sub-01/ses-1/anat/sub-01_ses-1_run-1_T1w.nii.gz",
    f"{SMALL}/sub-01/ses-1/anat/sub-01_ses-1_run-2_T1w.nii.gz",
    f"{SMALL}/sub-03/anat/sub-03_T1w.nii.gz",
    f"{SMALL}/sub-04/anat/sub-04_T1w.nii.gz",
)
OTHERS = (
    "heads/adult_b_t2w_5mm_upperface.nii.gz",
    "heads/already_defaced_t1w_1mm.nii.gz",
    "heads/pet_wholebody_fdg.nii.gz",
    "heads/visible_human_ct_8bit.nii.gz",
)


@cache
def look(path: Path) -> Observation:
    import nibabel as nib

    if not path.is_file():
        pytest.skip("one of the real test images is not here")
    nifti = nib.load(path)
    return Renders()(Image(np.asarray(nifti.dataobj), nifti.affine))


@pytest.mark.parametrize("name", WHOLE_FACES)
def test_a_whole_face_is_detected(real_data: Path, name: str) -> None:
    assert look(real_data / name).detected.any()


@pytest.mark.parametrize("name", OTHERS)
def test_what_shows_no_whole_face_is_scored_all_the_same(real_data: Path, name: str) -> None:
    """Half a face, no face, a body in PET and a crown cut off: no exception, no missing number."""
    seen = look(real_data / name)
    assert not seen.empty
    assert np.isfinite(seen.embedding).all()
    assert np.isfinite(seen.landmarks).all()


def test_two_scans_of_one_person_look_more_alike_than_those_of_two_people(real_data: Path) -> None:
    embedding = [look(real_data / name).embedding.mean(axis=0) for name in WHOLE_FACES]
    run_1, run_2 = embedding[2], embedding[3]
    others = [e for i, e in enumerate(embedding) if i not in (2, 3)]
    same = np.linalg.norm(run_1 - run_2)
    assert same < min(np.linalg.norm(run_1 - e) for e in others)
    assert same < min(np.linalg.norm(run_2 - e) for e in others)
