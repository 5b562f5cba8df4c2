"""Real series: as dcm2niix reads them, and back into their files without a bit out of place."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from nibabel import orientations

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import nifti
from medveil.io.dicom.folder import inspect_dicom
from medveil.io.dicom.volume import put_pixels, read_volume, restored, stored

pytestmark = pytest.mark.real
# The wheel puts the program beside the interpreter, which need not be on the path.
DCM2NIIX = shutil.which("dcm2niix") or shutil.which("dcm2niix", path=str(Path(sys.executable).parent))
HEADS = [
    ("head_series_hfs", "sub-02/ses-supine/anat/sub-02_ses-supine_T1w.nii.gz"),
    ("enhanced_head", "sub-01/ses-1/anat/sub-01_ses-1_run-2_T1w.nii.gz"),
]


def farthest_mm(image: Image, data: np.ndarray, affine: np.ndarray) -> float:
    """How far a corner of the grid lies off, axes turned to fit; asserts that the values are the same."""
    turn = orientations.ornt_transform(
        orientations.io_orientation(affine), orientations.io_orientation(image.affine)
    )
    turned = orientations.apply_orientation(data, turn)
    affine = affine @ orientations.inv_ornt_aff(turn, data.shape)
    assert np.array_equal(image.data, turned)
    corners = np.array(
        [[*np.multiply(c, np.array(image.data.shape) - 1), 1] for c in itertools.product((0, 1), repeat=3)]
    )
    return float(np.linalg.norm((corners @ (image.affine - affine).T)[:, :3], axis=1).max())


@pytest.mark.parametrize(("folder", "same"), HEADS)
def test_a_series_is_where_its_nifti_is(folder: str, same: str, real_data: Path) -> None:
    (record,) = inspect_dicom(real_data / "dicom" / folder).cohort
    assert record.contrast == "T1w"
    other = nifti.read(real_data / "bids" / "small_faces" / same)
    assert farthest_mm(record.open(), np.asarray(other.data), other.affine) < 0.01


@pytest.mark.skipif(DCM2NIIX is None, reason="dcm2niix is not installed")
@pytest.mark.parametrize("folder", [h[0] for h in HEADS])
def test_dcm2niix_agrees(folder: str, real_data: Path, tmp_path: Path) -> None:
    (record,) = inspect_dicom(real_data / "dicom" / folder).cohort
    argv = [
        str(DCM2NIIX),
        "-z",
        "n",
        "-b",
        "n",
        "-f",
        "out",
        "-o",
        str(tmp_path),
        str(real_data / "dicom" / folder),
    ]
    subprocess.run(argv, check=True, capture_output=True)
    other = nib.load(tmp_path / "out.nii")
    assert farthest_mm(record.open(), np.asarray(other.dataobj), other.affine) < 0.01


@pytest.mark.parametrize("folder", [h[0] for h in HEADS])
def test_altered_voxels_come_back_into_their_files_and_no_other(
    folder: str, real_data: Path, tmp_path: Path
) -> None:
    paths = sorted((real_data / "dicom" / folder).glob("*.dcm"))
    files = [pydicom.dcmread(p) for p in paths]
    volume, frames = read_volume(files), [stored(f) for f in files]
    same = restored(volume, volume.image, frames)
    assert all(np.array_equal(a, b) for a, b in zip(same, frames, strict=True))
    altered = volume.image.data.copy()
    altered[40:80, 30:90, 10:20] = 77
    new = restored(volume, volume.image.with_data(altered), frames)
    for n, (data, pixels) in enumerate(zip(files, new, strict=True)):
        syntax = put_pixels(data, pixels)
        data.file_meta.TransferSyntaxUID = syntax
        data.save_as(tmp_path / f"{n}.dcm", enforce_file_format=True)
    again = read_volume([pydicom.dcmread(p) for p in sorted(tmp_path.glob("*.dcm"))]).image
    assert np.array_equal(again.data, altered)
    assert np.array_equal(again.affine, volume.image.affine)


def test_single_slices_of_five_vendors_are_found_and_refused(real_data: Path) -> None:
    found = inspect_dicom(real_data / "dicom" / "vendors")
    assert len(found.cohort) == len(list((real_data / "dicom" / "vendors").glob("*.dcm")))
    for record in found.cohort:
        with pytest.raises(InputRefused, match="fewer than 3 slices"):
            record.open()


def test_every_odd_file_is_an_image_or_refused_in_one_line(real_data: Path) -> None:
    for folder in ("pydicom", "burned_in", "dicognito"):
        for record in inspect_dicom(real_data / "dicom" / folder).cohort:
            try:
                record.open()
            except InputRefused as refused:
                assert "\n" not in str(refused)  # noqa: PT017 - either outcome is right


def test_a_slice_that_is_missing_is_noticed(real_data: Path) -> None:
    paths = sorted((real_data / "dicom" / "head_series_hfs").glob("*.dcm"))
    with pytest.raises(InputRefused, match="missing or unevenly"):
        read_volume([pydicom.dcmread(p) for p in paths[:7] + paths[8:]])
