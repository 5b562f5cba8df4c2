"""What is given for an image reaches that image, or refuses it: it is never passed over."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import nifti
from medveil.io.given import find_given

PLACE = PurePosixPath("sub-01/anat/sub-01_T1w.nii.gz")
IMAGES = (PLACE, PurePosixPath("sub-02/anat/sub-02_T1w.nii.gz"))
AFFINE = np.diag([2.0, 2.0, 3.0, 1.0])
HEAD = Image(np.ones((10, 12, 8, 2), np.int16), AFFINE)
TO_MNI = "1.1 0 0 -3\n0 1.1 0 5\n0 0 1.1 -20\n0 0 0 1\n"


def _mask(path: Path, shape: tuple[int, ...] = (10, 12, 8), affine: np.ndarray = AFFINE) -> None:
    data = np.zeros(shape, np.uint8)
    data[2:5, 3:6, 2:4] = 1
    nifti.write(Image(data, affine), path)


def _read(folder: Path, image: Image = HEAD) -> object:
    found, _ = find_given(folder, IMAGES)
    return found[PLACE].read(image)


@pytest.mark.parametrize("below", ["", "sub-01/anat"])
def test_all_four_kinds_are_found_beside_the_image_or_flat(tmp_path: Path, below: str) -> None:
    at = tmp_path / below
    _mask(at / "sub-01_T1w_brain.nii.gz")
    _mask(at / "sub-01_T1w_keep.nii")
    (at / "sub-01_T1w_to-mni.txt").write_text(TO_MNI)
    (at / "sub-01_T1w_landmarks.json").write_text(json.dumps({"nasion": [10, 20, 4.5]}))
    found, strangers = find_given(tmp_path, IMAGES)
    given = found[PLACE].read(HEAD)
    assert strangers == 0
    assert list(found) == [PLACE]
    assert given.brain.sum() == given.keep.sum() == 18
    assert given.affine_to_mni[2, 3] == -20
    assert given.landmarks == {"nasion": (10.0, 20.0, 4.5)}


def test_files_named_after_no_image_are_counted(tmp_path: Path) -> None:
    _mask(tmp_path / "sub-09_T1w_brain.nii.gz")
    _mask(tmp_path / "sub-02" / "anat" / "sub-01_T1w_brain.nii.gz")  # another image's folder
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".hidden").write_text("")
    assert find_given(tmp_path, IMAGES) == ({}, 3)


def test_a_flat_file_that_fits_two_images_refuses_both(tmp_path: Path) -> None:
    images = (PurePosixPath("smith/t1.nii.gz"), PurePosixPath("jones/t1.nii.gz"))
    _mask(tmp_path / "t1_brain.nii.gz")
    found, _ = find_given(tmp_path, images)
    for image in images:
        with pytest.raises(InputRefused, match="given brain: fits several images"):
            found[image].read(HEAD)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("to-mni.mat", TO_MNI, "given to-mni: expected a file that ends in .txt"),
        ("to-mni.v2.txt", TO_MNI, "given to-mni: expected a file that ends in .txt"),
        ("to-mni.txt", "1 0 0 0\n0 1 0 0\n0 0 1 0\n", "expected four rows of four numbers"),
        ("to-mni.txt", TO_MNI.replace("-20", "x"), "expected four rows of four numbers"),
        ("to-mni.txt", TO_MNI.replace("0 0 0 1", "0 0 1 1"), "expected four rows of four numbers"),
        ("to-mni.txt", TO_MNI.replace("1.1 0 0 -3", "-1.1 0 0 -3"), "mirrors left and right"),
        ("to-mni.txt", TO_MNI.replace("1.1", "9"), "makes no head of usual size"),
        ("landmarks.json", "{", "not well-formed JSON"),
        ("landmarks.json", "[]", "expected {"),
        ("landmarks.json", '{"Qanary": [0, 0, 0]}', "unknown name"),
        ("landmarks.json", '{"nasion": [0, 0]}', "nasion: expected three numbers"),
        ("landmarks.json", '{"nasion": [0, 0, NaN]}', "nasion: expected three numbers"),
        ("landmarks.json", '{"nasion": [0, 900, 0]}', "nasion: lies far outside the image"),
        ("brain.nii.gz", "not an image", "given brain: "),
        ("keep.txt", "", "given keep: expected a file that ends in .nii.gz"),
    ],
)
def test_a_malformed_file_refuses_its_image(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / f"sub-01_T1w_{name}").write_text(content)
    with pytest.raises(InputRefused) as caught:
        _read(tmp_path)
    assert said in caught.value.message
    assert "Qanary" not in str(caught.value)


def test_a_mask_of_another_grid_or_place_is_refused(tmp_path: Path) -> None:
    for shape, affine, said in (
        ((10, 12, 9), AFFINE, "has shape"),
        ((10, 12, 8), np.diag([2.0, 2.0, 3.1, 1.0]), "lies elsewhere in space"),
    ):
        _mask(tmp_path / "sub-01_T1w_brain.nii.gz", shape, affine)
        with pytest.raises(InputRefused, match=said):
            _read(tmp_path)


def test_an_empty_mask_is_refused(tmp_path: Path) -> None:
    nifti.write(Image(np.zeros((10, 12, 8), np.uint8), AFFINE), tmp_path / "sub-01_T1w_keep.nii.gz")
    with pytest.raises(InputRefused, match="given keep: is empty"):
        _read(tmp_path)


def test_the_same_kind_twice_is_refused(tmp_path: Path) -> None:
    _mask(tmp_path / "sub-01_T1w_brain.nii.gz")
    _mask(tmp_path / "sub-01" / "anat" / "sub-01_T1w_brain.nii.gz")
    with pytest.raises(InputRefused, match="given brain: is there twice"):
        _read(tmp_path)


def test_the_digest_follows_every_byte(tmp_path: Path) -> None:
    (tmp_path / "sub-01_T1w_to-mni.txt").write_text(TO_MNI)
    before = find_given(tmp_path, IMAGES)[0][PLACE].digest()
    assert find_given(tmp_path, IMAGES)[0][PLACE].digest() == before
    (tmp_path / "sub-01_T1w_to-mni.txt").write_text(TO_MNI + "\n")
    assert find_given(tmp_path, IMAGES)[0][PLACE].digest() != before
