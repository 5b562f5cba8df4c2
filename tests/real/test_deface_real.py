"""Real heads: each is defaced with its brain untouched, whatever the contrast, orientation and field of view."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from medveil.core.image import Image
from medveil.protect.deface.erase import Erase

pytestmark = pytest.mark.real

# file: (modality that finds it, parts whose skin must go, start of the remark or nothing)
FRONT = ("eyes", "nose", "cheeks", "mouth", "chin")
HEADS = {
    "heads/adult_a_t1w_1mm.nii.gz": ("mr", FRONT, ""),
    "heads/adult_b_t2w_5mm_upperface.nii.gz": (
        "mr",
        ("eyes", "nose"),
        "outside the field of view: mouth, chin",
    ),
    "heads/already_defaced_t1w_1mm.nii.gz": ("mr", (), "the face appears to be removed already"),
    "heads/pet_wholebody_fdg.nii.gz": ("mr", FRONT, ""),
    "heads/visible_human_ct_8bit.nii.gz": ("ct", FRONT, ""),
    "bids/small_faces/sub-01/ses-1/anat/sub-01_ses-1_run-1_T1w.nii.gz": ("mr", FRONT, ""),
    "bids/small_faces/sub-02/ses-prone/anat/sub-02_ses-prone_T1w.nii.gz": ("mr", FRONT, ""),
    "bids/small_faces/sub-03/anat/sub-03_T1w.nii.gz": ("mr", FRONT, ""),
}


def read(path: Path) -> Image:
    file = nib.load(path)
    stored = np.asanyarray(file.dataobj.get_unscaled())
    return Image(stored, file.affine, slope=file.dataobj.slope, intercept=file.dataobj.inter)


@pytest.mark.parametrize("name", HEADS)
def test_a_real_head_is_defaced(name: str, real_data: Path) -> None:
    modality, parts, remark = HEADS[name]
    image = read(real_data / name)
    out = Erase(modality="ct" if modality == "ct" else "auto").apply(image)
    assert out.altered is not None
    assert out.protected is not None
    assert not (out.altered & out.protected).any()
    np.testing.assert_array_equal(out.image.data[~out.altered], image.data[~out.altered])
    assert ("cavity_l" in " ".join(out.measured)) == (modality == "ct")
    for part in parts:
        assert out.measured[f"covered_{part}"] > 0.95, part
    assert "".join(out.remarks).startswith(remark)
    assert bool(out.remarks) == bool(remark)
