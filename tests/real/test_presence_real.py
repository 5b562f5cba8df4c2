"""Real heads: a face that was removed before is told from those that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from medveil.io import nifti
from medveil.protect.deface.presence import face_left

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("heads/already_defaced_t1w_1mm.nii.gz", False),
        ("heads/adult_c_t1w_1mm.nii.gz", True),
        ("heads/adult_b_t2w_5mm_upperface.nii.gz", True),
        ("heads/visible_human_ct_8bit.nii.gz", True),
    ],
)
def test_a_face_is_there_or_was_removed(name: str, there: bool, real_data: Path) -> None:
    assert face_left(nifti.read(real_data / name)).is_there == there
