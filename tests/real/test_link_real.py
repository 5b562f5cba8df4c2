"""Real brains: people who were scanned twice, among all other heads there. Nothing of them is written anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from medveil.attack.link.aligned import Aligned, AlignedBrain
from medveil.attack.link.lattice import lattice
from medveil.attack.link.similarity import SINGLE, Brains, Similarity, similarity
from medveil.core.image import Image
from medveil.locate.register import apart_mm
from medveil.protect.deface.erase import Erase

pytestmark = [pytest.mark.real, pytest.mark.slow]

SMALL = "bids/small_faces"
# Who is who, see SOURCES.md there: one person in one session with two contrasts; one lying on the back, on the
# face, and four years before; all others are strangers to each other.
T1 = {
    f"{SMALL}/sub-01/ses-1/anat/sub-01_ses-1_run-1_T1w.nii.gz": "one",
    f"{SMALL}/sub-01/ses-1/anat/sub-01_ses-1_run-2_T1w.nii.gz": "one",
    f"{SMALL}/sub-02/ses-supine/anat/sub-02_ses-supine_T1w.nii.gz": "two",
    f"{SMALL}/sub-02/ses-prone/anat/sub-02_ses-prone_T1w.nii.gz": "two",
    "heads/adult_a_t1w_1mm.nii.gz": "two",
    f"{SMALL}/sub-03/anat/sub-03_T1w.nii.gz": "three",
    f"{SMALL}/sub-04/anat/sub-04_T1w.nii.gz": "four",
    "heads/adult_c_t1w_1mm.nii.gz": "five",
    "heads/already_defaced_t1w_1mm.nii.gz": "six",
}
OTHERS = {
    "heads/adult_b_t2w_5mm_upperface.nii.gz": "T2w",
    "heads/visible_human_ct_8bit.nii.gz": "CT",
    "heads/pet_wholebody_fdg.nii.gz": "pet",
}


def image(path: Path) -> Image:
    import nibabel as nib

    if not path.is_file():
        pytest.skip("one of the real test images is not here")
    nifti = nib.load(path)
    return Image(np.asarray(nifti.dataobj), nifti.affine)


@cache
def look(path: Path) -> Aligned:
    return AlignedBrain()(image(path))


def brains(real_data: Path, *, all_kinds: bool) -> Brains:
    names = [*T1, *(OTHERS if all_kinds else ())]
    return Brains(
        np.stack([look(real_data / name).values for name in names]),
        np.array([T1.get(name, name) for name in names]),
        np.array([OTHERS.get(name, "T1w") for name in names]),
    )


def mates_rank_first(score: np.ndarray, subject: np.ndarray) -> bool:
    same = subject[:, None] == subject[None, :]
    itself = np.eye(len(subject), dtype=bool)
    return all(score[i, j] > score[i][~same[i]].max() for i, j in np.argwhere(same & ~itself))


@pytest.mark.parametrize("how", [*SINGLE, "fused"])
def test_every_mate_ranks_before_all_strangers(real_data: Path, how: Similarity) -> None:
    side = brains(real_data, all_kinds=False)
    assert mates_rank_first(similarity(side, side, lattice(3.0), how), side.subject)


@pytest.mark.timeout(
    900
)  # a body in PET and a CT without units take the locator's long way, half a minute each
def test_heads_of_other_kinds_are_scored_and_come_between_nobody(real_data: Path) -> None:
    """T2w with thick slices, CT without units and a body in PET."""
    side = brains(real_data, all_kinds=True)
    score = similarity(side, side, lattice(3.0), "fused")
    assert np.isfinite(score).all()
    assert mates_rank_first(score, side.subject)


@pytest.mark.parametrize("name", ["heads/adult_a_t1w_1mm.nii.gz", f"{SMALL}/sub-03/anat/sub-03_T1w.nii.gz"])
def test_erasing_the_face_moves_the_brain_by_less_than_a_millimetre(real_data: Path, name: str) -> None:
    erased = AlignedBrain()(Erase().apply(image(real_data / name)).image)
    assert apart_mm(erased.affine, look(real_data / name).affine) < 1.0
