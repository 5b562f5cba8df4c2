"""Real pixels: invented names burned in by others are covered, and clean series of heads are left alone."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from medveil.protect.text.boxes import Box, covered
from medveil.protect.text.burned_in import BurnedIn
from medveil.protect.text.flags import HeaderFacts
from medveil.protect.text.glyphs import glyph_boxes

pytestmark = pytest.mark.real

PADDING_PX = 25  # the boxes were drawn on images with a border of this width (first glyph: row 0, not 25)
STEP = BurnedIn(match_strings=False)


@pytest.mark.parametrize(("file", "number"), [("pseudophi_0_compressed.dcm", 0), ("pseudophi_2.dcm", 2)])
def test_every_word_of_the_pseudo_phi_images_is_covered(file: str, number: int, real_data: Path) -> None:
    folder = real_data / "dicom" / "burned_in"
    truth = json.loads((folder / "presidio_ground_truth.json").read_text())[
        f"sample_data/{number}_ORIGINAL.dcm"
    ]
    dataset = pydicom.dcmread(folder / file)
    frames = dataset.pixel_array[None]
    seen = STEP.look(frames, HeaderFacts(modality=dataset.Modality))
    assert seen.verdict == "text"
    assert len(truth) == 5
    for word in truth:
        box = Box(word["top"] - PADDING_PX, word["left"] - PADDING_PX, word["height"], word["width"])
        assert covered(box, seen.boxes) > 0.95
    out = STEP.blank(frames, seen)
    outside = np.ones(frames.shape[1:], dtype=bool)
    for box in seen.boxes:
        outside[box.place] = False
    assert outside.mean() > 0.95
    np.testing.assert_array_equal(out[:, outside], frames[:, outside])


@pytest.mark.parametrize("file", ["deid_us_grey.dcm", "deid_us_rgb.dcm"])
def test_ultrasound_with_words_is_text(file: str, real_data: Path) -> None:
    dataset = pydicom.dcmread(real_data / "dicom" / "burned_in" / file)
    seen = STEP.look(dataset.pixel_array[None], HeaderFacts(modality="US"))
    assert seen.verdict == "text"
    assert len(seen.boxes) >= 5


@pytest.mark.parametrize(
    ("file", "axis"),
    [
        ("heads/adult_a_t1w_1mm.nii.gz", 0),
        ("heads/adult_b_t2w_5mm_upperface.nii.gz", 2),
        ("heads/adult_c_t1w_1mm.nii.gz", 0),
        ("heads/already_defaced_t1w_1mm.nii.gz", 0),
        ("heads/visible_human_ct_8bit.nii.gz", 0),
        ("heads/pet_wholebody_fdg.nii.gz", 0),
        ("bids/small_faces/sub-01/ses-1/anat/sub-01_ses-1_run-1_T1w.nii.gz", 0),
    ],
)
def test_a_clean_head_has_no_text(file: str, axis: int, real_data: Path) -> None:
    stored = np.asanyarray(nib.load(real_data / file).dataobj.get_unscaled())
    assert STEP.look(np.moveaxis(stored, axis, 0)).verdict == "none seen"


def test_a_clean_series_of_slices_has_no_text(real_data: Path) -> None:
    files = sorted((real_data / "dicom" / "head_series_hfs").glob("*.dcm"))
    frames = np.stack([pydicom.dcmread(f).pixel_array for f in files])
    assert STEP.look(frames, HeaderFacts(modality="MR")).verdict == "none seen"


def test_clean_radiographs_are_hardly_ever_called_text(real_data: Path) -> None:
    from PIL import Image

    files = sorted((real_data / "cxr" / "pneumonia224").glob("*"))[:20]
    flagged = sum(bool(glyph_boxes(np.asarray(Image.open(f).convert("L"))[None])) for f in files)
    assert len(files) == 20
    assert flagged <= 2
