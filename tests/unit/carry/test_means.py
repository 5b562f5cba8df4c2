"""What an attacker holds is read before hours of work, and says how it fits the images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medveil.carry.means import Folders, Means
from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import nifti, pictures, tables


class Ears:
    def __init__(self) -> None:
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self.heard.append(text)

    def stage(self, label: str):  # type: ignore[no-untyped-def]
        raise AssertionError("reading has no stages")


def photograph(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures.write_photograph(Image(np.full((8, 8, 3), 9, np.uint8), np.eye(4), "photo"), path)


def test_a_damaged_photograph_is_left_out_and_counted(tmp_path: Path) -> None:
    photograph(tmp_path / "sub-01" / "a.png")
    (tmp_path / "sub-02").mkdir()
    (tmp_path / "sub-02" / "Canary^Jane.jpg").write_bytes(b"no picture")
    ears = Ears()
    held = Means.read(Folders(photographs=tmp_path), ("sub-01", "sub-02"), ears)
    assert held.photographs is not None
    assert held.photographs.subjects == ("sub-01",)
    assert ears.heard[0].startswith("warning: 1 of 2 photographs left out: photograph: ")
    assert ears.heard[1] == "photographs: 1 of 2 people have no photograph"
    assert "Canary" not in " ".join(ears.heard)


def test_a_folder_without_one_readable_photograph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sub-01.jpg").write_bytes(b"no picture")
    with pytest.raises(InputRefused, match="photograph"):
        Means.read(Folders(photographs=tmp_path), ("sub-01",), Ears())


@pytest.mark.parametrize(("folders", "option"), [("scans", "--scans"), ("others", "--others")])
def test_a_folder_that_is_not_there_is_named_by_its_option(tmp_path: Path, folders: str, option: str) -> None:
    with pytest.raises(InputRefused, match=f"^{option}: input: is not there"):
        Means.read(Folders(**{folders: tmp_path / "nowhere"}), (), Ears())


def test_the_table_beside_the_scans_is_what_is_known_of_faces_too(tmp_path: Path) -> None:
    photograph(tmp_path / "photos" / "sub-01" / "a.png")
    place = tmp_path / "scans" / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    place.parent.mkdir(parents=True)
    nifti.write(Image(np.ones((4, 4, 4), np.int16), np.eye(4)), place)
    rows = [{"participant_id": "sub-01", "age": "41"}]
    tables.write_tsv(rows, tmp_path / "scans" / "participants.tsv", ["participant_id", "age"])
    held = Means.read(Folders(tmp_path / "photos", tmp_path / "scans"), ("sub-01",), Ears())
    assert held.photographs is not None
    assert held.photographs.participants["sub-01"]["age"] == "41"
    assert held.scans is not None
    assert all(r.traces is not None for r in held.scans)
    assert held.others is None


def test_other_people_are_one_cohort_of_scans_and_photographs(tmp_path: Path) -> None:
    photograph(tmp_path / "photos" / "sub-09" / "a.png")
    place = tmp_path / "scans" / "sub-09_T1w.nii.gz"
    place.parent.mkdir()
    nifti.write(Image(np.ones((4, 4, 4), np.int16), np.eye(4)), place)
    held = Means.read(Folders(others=tmp_path / "scans", others_photographs=tmp_path / "photos"), (), Ears())
    assert held.others is not None
    assert [r.contrast for r in held.others].count("photo") == 1
    assert len(held.others) == 2
    assert not held
