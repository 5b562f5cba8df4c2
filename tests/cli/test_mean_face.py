"""A mean face is made of ten people or more, and never over something else."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.io import nifti
from medveil.locate.location import Location
from medveil.protect.deface import cohort_face


@pytest.fixture
def crowd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eleven bodies that pass for heads, each with two images, and one that does not."""
    x, y, z = (np.indices((60, 70, 70)).T - [30, 35, 35]).T * 4.0
    body = np.where((x / 70) ** 2 + (y / 95) ** 2 + (z / 110) ** 2 < 1, 300, 2).astype(np.int16)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -120, -140, -140
    for n in range(1, 13):
        for suffix in ("T1w", "T2w"):
            data = body + np.int16(n)
            data[0, 0, 0] = 66 if n == 12 else 1
            nifti.write(
                Image(data, affine), tmp_path / "in" / f"sub-{n:02}" / "anat" / f"sub-{n:02}_{suffix}.nii.gz"
            )

    def found(image: Image) -> Location:
        if image.data[0, 0, 0] == 66:
            raise Refusal("no head found", "a stand-in said so")
        return Location(np.diag([0.9, 0.9, 0.9, 1.0]), {}, "mr", {})

    monkeypatch.setattr(cohort_face, "locate", found)
    return tmp_path / "in"


def test_one_image_of_each_person_is_laid_in(medveil: Callable, crowd: Path, tmp_path: Path) -> None:
    ran = medveil("mean-face", crowd, "--to", tmp_path / "face.nii.gz", "--json")
    assert ran.code == 0, ran.err
    assert ran.out.strip() == '{"people": 11}'
    face = nifti.read(tmp_path / "face.nii.gz")
    assert face.data.shape[3] == 2
    assert np.isfinite(face.data).all()


def test_those_who_were_not_found_are_counted(medveil: Callable, crowd: Path, tmp_path: Path) -> None:
    ran = medveil("mean-face", crowd, "--to", tmp_path / "face.nii.gz")
    assert "left out: 1 (no head found)" in ran.err


def test_nothing_is_overwritten(medveil: Callable, crowd: Path, tmp_path: Path) -> None:
    (tmp_path / "face.nii.gz").write_bytes(b"mine")
    ran = medveil("mean-face", crowd, "--to", tmp_path / "face.nii.gz")
    assert ran.code == 2
    assert "exists already" in ran.err
    assert (tmp_path / "face.nii.gz").read_bytes() == b"mine"


def _mark_as_no_head(crowd: Path, n: int) -> None:
    path = crowd / f"sub-{n:02}" / "anat" / f"sub-{n:02}_T1w.nii.gz"
    image = nifti.read(path)
    data = image.data.copy()
    data[0, 0, 0] = 66
    path.unlink()
    nifti.write(image.with_data(data), path)


def test_few_people_are_refused_before_one_is_located(
    medveil: Callable, crowd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(image: Image) -> Location:
        raise AssertionError("a head was looked for")

    monkeypatch.setattr(cohort_face, "locate", never)
    for n in range(10, 13):
        shutil.rmtree(crowd / f"sub-{n:02}")
    ran = medveil("mean-face", crowd, "--to", tmp_path / "face.nii.gz")
    assert ran.code == 2
    assert "made of 9 people, expected 10 or more" in ran.err


def test_few_people_whose_head_was_found_are_refused(medveil: Callable, crowd: Path, tmp_path: Path) -> None:
    for n in range(11, 13):
        shutil.rmtree(crowd / f"sub-{n:02}")
    _mark_as_no_head(crowd, 10)
    ran = medveil("mean-face", crowd, "--to", tmp_path / "face.nii.gz")
    assert ran.code == 2
    assert "made of 9 people, expected 10 or more" in ran.err
    assert not (tmp_path / "face.nii.gz").exists()
    assert medveil("mean-face", crowd, "--to", tmp_path / "face.png").code == 2
