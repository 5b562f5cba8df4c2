"""What a release refuses: one line, the documented code, and nothing half-written."""

from __future__ import annotations

import errno
import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest


def _save(path: Path, data: np.ndarray, affine: np.ndarray | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(data, np.diag([3.0, 3.0, 3.0, 1.0]))
    if affine is not None:
        image.header.set_sform(affine, code=1)
        image.header.set_qform(None, code=0)
    nib.save(image, path)


def _text(path: Path) -> None:
    path.write_text("Canary^Jane is not an image")


def _truncated(path: Path) -> None:
    _save(path, np.random.default_rng(0).integers(0, 999, (30, 30, 30)).astype(np.int16))
    path.write_bytes(path.read_bytes()[:9000])


def _truncated_inside(path: Path) -> None:
    _save(path, np.ones((30, 30, 30), np.int16))
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:9000]))


def _no_face(path: Path) -> None:
    _save(path, np.ones((9, 9, 9), np.int16))


BAD: dict[str, Callable[[Path], None]] = {
    "text file": _text,
    "truncated gzip": _truncated,
    "truncated data": _truncated_inside,
    "not a number": lambda p: _save(p, np.full((20, 20, 20), np.nan, np.float32)),
    "one slice": lambda p: _save(p, np.ones((40, 40), np.int16)),
    "flat affine": lambda p: _save(p, np.ones((20, 20, 20), np.int16), np.diag([1.0, 1.0, 0.0, 1.0])),
    "zeros": lambda p: _save(p, np.zeros((40, 40, 40), np.int16)),
    "colour": lambda p: _save(p, np.zeros((9, 9, 9), np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))),
}


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_file_is_refused_and_leaves_nothing(medveil: Callable, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    BAD[kind](folder / "Canary_T1w.nii.gz")
    ran = medveil("protect", folder, "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 4
    said = ran.err.strip().splitlines()
    assert "no image could be protected" in said[-1] + said[-2]
    assert "Canary" not in ran.out + ran.err
    assert "Traceback" not in ran.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_empty_folder(medveil: Callable, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    ran = medveil("release", tmp_path / "in", "--to", tmp_path / "out")
    assert ran.code == 3
    assert not (tmp_path / "out").exists()


def test_a_folder_of_broken_dicom_is_refused_before_a_key_is_made(medveil: Callable, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "slice1").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 50)
    ran = medveil("release", tmp_path / "in", "--to", tmp_path / "out")
    assert ran.code == 3
    assert "medveil: error: input: " in ran.err
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("place", [".", "inside", ".."])
def test_output_and_input_may_not_overlap(medveil: Callable, ball: Path, place: str) -> None:
    ran = medveil("release", ball, "--to", ball / place)
    assert ran.code == 2
    assert not (ball / "inside").exists()


def test_existing_output_is_not_touched(medveil: Callable, ball: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert medveil("release", ball, "--to", tmp_path / "out").code == 2
    assert medveil("release", ball, "--to", tmp_path / "out", "--force").code == 2  # medveil did not write it
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"


def test_photographs_of_nobody_here_are_refused_before_any_work(
    medveil: Callable, ball: Path, tmp_path: Path
) -> None:
    from PIL import Image as Pillow

    (tmp_path / "photos" / "somebody").mkdir(parents=True)
    Pillow.new("RGB", (80, 80)).save(tmp_path / "photos" / "somebody" / "1.jpg")
    ran = medveil("release", ball, "--to", tmp_path / "out", "--photos", tmp_path / "photos")
    assert ran.code == 2
    assert "protecting" not in ran.err
    assert not (tmp_path / "out.partial").exists()


def test_disk_full_is_one_line_and_leaves_nothing(
    medveil: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from medveil.core.image import Image
    from medveil.core.release import NOTHING, Given, Outcome
    from medveil.protect.deface.erase import Erase

    def blacken(_: Erase, image: Image, given: Given = NOTHING) -> Outcome:
        altered = np.ones(image.data.shape[:3], bool)
        return Outcome(image.with_data(np.zeros_like(image.data)), altered=altered)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    _save(tmp_path / "in" / "sub-01" / "anat" / "sub-01_T1w.nii.gz", np.ones((20, 20, 20), np.int16))
    monkeypatch.setattr(Erase, "apply", blacken)
    monkeypatch.setattr("os.replace", full)
    ran = medveil("protect", tmp_path / "in", "--to", tmp_path / "out", "--jobs", "1")
    assert ran.code == 3
    assert "no space" in ran.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "template: the file is not there"),
        (_text, "template: is not a NIfTI file"),
        (_no_face, "template: expected a volume of distances"),
    ],
)
def test_a_template_that_is_no_face_ends_the_run_before_any_image_is_located(
    medveil: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    said: str,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a head was looked for")

    monkeypatch.setattr("medveil.protect.deface.method.locate", never)
    _save(tmp_path / "in" / "sub-01_T1w.nii.gz", np.ones((9, 9, 9), np.int16))
    template = tmp_path / "Canary.nii.gz"
    make(template)
    ran = medveil(
        "protect", tmp_path / "in", "--to", tmp_path / "out", "--step", "deface.replace",
        "--set", f"deface.replace.template={template}",
    )  # fmt: skip
    assert ran.code == 3
    assert said in ran.err
    assert "Canary" not in ran.err
    assert not (tmp_path / "out").exists()
