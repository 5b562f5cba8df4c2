"""Folders of images: BIDS, plain, one file; what is not taken is listed with a reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from medveil.core.cohort import Record
from medveil.core.errors import InputRefused
from medveil.io import bids

Save = Callable[..., Path]
DICOM = b"\0" * 128 + b"DICM" + b"\2\0\0\0UL" + b"\0" * 60


def write(root: Path, *names: str, content: bytes = b"{}") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)


def reasons(inventory: bids.Inventory) -> dict[str, str]:
    return {str(s.place): s.reason for s in inventory.skipped}


@pytest.fixture
def dataset(save: Save, tmp_path: Path) -> Path:
    """Two subjects, sessions, runs, contrasts, sidecars with inheritance, and things that do not belong."""
    for name in (
        "sub-02/ses-b/anat/sub-02_ses-b_run-2_T1w.nii.gz",
        "sub-02/ses-b/anat/sub-02_ses-b_run-1_T1w.nii.gz",
        "sub-02/ses-a/pet/sub-02_ses-a_pet.nii",
        "sub-01/anat/sub-01_FLAIR.nii.gz",
        "derivatives/tool/sub-01/anat/sub-01_T1w.nii.gz",
        "sourcedata/sub-01/anat/sub-01_T1w.nii.gz",
        ".git/sub-01_T1w.nii.gz",
        "sub-01/anat/john_smith.nii.gz",
        "sub-01/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-02_T1w.nii.gz",
    ):
        save(f"d/{name}")
    root = tmp_path / "d"
    write(root, "dataset_description.json")
    write(root, "T1w.json", content=b'{"EchoTime": 1, "FlipAngle": 7}')
    write(root, "sub-02/ses-b/anat/sub-02_ses-b_run-1_T1w.json", content=b'{"EchoTime": 2}')
    write(root, "sub-01/anat/sub-01_T2w.json", "README", ".bidsignore", "sub-01/anat/volume.mgz")
    write(root, "participants.tsv", content=b'\xef\xbb\xbfparticipant_id\tage\nsub-01\t50\nsub-02\t"n/a\n')
    write(root, "sub-01/sub-01_scans.tsv", content=b"filename\n")
    write(root, "sub-01/anat/slice", content=DICOM)
    return root


def test_a_bids_folder_is_read_in_a_fixed_order(dataset: Path) -> None:
    inventory = bids.inspect_folder(dataset)
    assert inventory.layout == "bids"
    assert [(r.subject, r.session, r.name, r.contrast) for r in inventory.cohort] == [
        ("sub-01", "", "FLAIR", "FLAIR"),
        ("sub-02", "ses-a", "ses-a_pet", "pet"),
        ("sub-02", "ses-b", "ses-b_run-1_T1w", "T1w"),
        ("sub-02", "ses-b", "ses-b_run-2_T1w", "T1w"),
    ]
    assert inventory.cohort.records[0].open().data.shape == (3, 4, 5)
    assert inventory.cohort.participants["sub-01"]["age"] == "50"
    assert [str(t) for t in inventory.tables] == ["participants.tsv", "sub-01/sub-01_scans.tsv"]


def test_whatever_is_not_taken_has_a_reason(dataset: Path) -> None:
    assert reasons(bids.inspect_folder(dataset)) == {
        "README": "no image, not part of a release",
        "derivatives": "not part of a release",
        "sourcedata": "not part of a release",
        "sub-01/anat/john_smith.nii.gz": "its name does not follow BIDS",
        "sub-01/anat/slice": "a DICOM file; release it from a folder of its own",
        "sub-01/anat/sub-01_T2w.json": "speaks of no image here",
        "sub-01/anat/sub-02_T1w.nii.gz": "it does not lie where BIDS puts it",
        "sub-01/anat/volume.mgz": "a .mgz file; convert it to .nii.gz first",
        "sub-01/sub-01_T1w.nii.gz": "it does not lie where BIDS puts it",
    }


def test_sidecars_are_inherited_and_the_nearer_one_wins(dataset: Path) -> None:
    sidecars = bids.inspect_folder(dataset).sidecars
    run_1, run_2 = (PurePosixPath(f"sub-02/ses-b/anat/sub-02_ses-b_run-{n}_T1w.nii.gz") for n in (1, 2))
    assert bids.read_sidecar(sidecars[run_1]) == {"EchoTime": 2, "FlipAngle": 7}
    assert bids.read_sidecar(sidecars[run_2]) == {"EchoTime": 1, "FlipAngle": 7}
    assert len(sidecars) == 2


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_a_bad_sidecar_is_refused(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, "a.json", content=content)
    with pytest.raises(InputRefused, match="sidecar"):
        bids.read_sidecar([tmp_path / "a.json"])


def test_bids_labels_are_kept_in_a_release(dataset: Path) -> None:
    cohort = bids.open_cohort(dataset)
    assert bids.release_places(cohort) == [r.place for r in cohort]


def test_in_a_plain_folder_subjects_come_from_files_and_first_folders(save: Save, tmp_path: Path) -> None:
    for name in (
        "smith_john.nii.gz", "doe_jane/mprage.nii", "doe_jane/later/t2_flair.nii.gz", "doe_jane/x.nii.gz",
        "sub-07_T1w.nii.gz", "sub-07_ct.nii.gz", "derivatives/no.nii",
    ):  # fmt: skip
        save(f"p/{name}")
    inventory = bids.inspect_folder(tmp_path / "p")
    assert inventory.layout == "plain"
    assert [(r.subject, r.name) for r in inventory.cohort] == [
        ("doe_jane", "FLAIR"),
        ("doe_jane", "T1w"),
        ("doe_jane", "image"),
        ("smith_john", "image"),
        ("sub-07", "T1w"),
        ("sub-07", "CT"),
    ]
    places = bids.release_places(inventory.cohort)
    assert [str(p) for p in places] == [
        "sub-001/anat/sub-001_FLAIR.nii.gz",
        "sub-001/anat/sub-001_run-2_T1w.nii",
        "sub-001/anat/sub-001_run-3_image.nii.gz",
        "sub-002/anat/sub-002_image.nii.gz",
        "sub-003/anat/sub-003_T1w.nii.gz",
        "sub-003/ct/sub-003_run-2_CT.nii.gz",
    ]
    assert len(set(places)) == len(places)


def test_one_subject_of_a_bids_folder_stays_one_subject(save: Save, tmp_path: Path) -> None:
    for name in ("anat/sub-01_T1w.nii.gz", "ses-2/anat/sub-01_ses-2_T1w.nii.gz", "pet/other.nii"):
        save(f"sub-01/{name}")
    assert bids.open_cohort(tmp_path / "sub-01").subjects == ("other", "sub-01")


def test_a_plain_release_is_read_again_as_bids_with_the_same_places(save: Save, tmp_path: Path) -> None:
    save("p/smith_john.nii.gz")
    save("p/doe/t1.nii.gz")
    places = bids.release_places(bids.open_cohort(tmp_path / "p"))
    for place in places:
        save(f"released/{place}")
    again = bids.inspect_folder(tmp_path / "released")
    assert again.layout == "bids"
    assert bids.release_places(again.cohort) == places


def test_a_single_file_is_a_cohort_of_one(save: Save, tmp_path: Path) -> None:
    path = save("smith_t1.nii.gz")
    write(tmp_path, "smith_t1.json")
    inventory = bids.inspect_folder(path)
    record = inventory.cohort.records[0]
    assert (inventory.layout, record.subject, record.name) == ("file", "smith_t1", "T1w")
    assert inventory.sidecars[PurePosixPath("smith_t1.nii.gz")] == (tmp_path / "smith_t1.json",)
    assert bids.release_place(record, 1) == PurePosixPath("sub-001/anat/sub-001_T1w.nii.gz")


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("T1", "T1w"),
        ("sag_MPRAGE", "T1w"),
        ("t2-flair", "FLAIR"),
        ("fdg.pet", "pet"),
        ("doctor", ""),
        ("CT", "CT"),
    ],
)
def test_contrast_is_found_in_whole_words(name: str, contrast: str) -> None:
    from medveil.io.names import plain_contrast

    assert plain_contrast(PurePosixPath(f"{name}.nii.gz")) == contrast


def test_records_without_a_file_get_a_place_too() -> None:
    def never() -> object:
        raise AssertionError("opened")

    record = Record("a", "photo", never, contrast="odd name")  # type: ignore[arg-type]
    assert bids.release_place(record, 12, 2) == PurePosixPath("sub-012/anat/sub-012_run-2_image.nii.gz")


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ([], "holds no NIfTI image"),
        (["a.txt"], "found 1 others"),
        (["a.dcm"], "DICOM"),
        (["IM0001"], "DICOM"),
        (["dataset_description.json", "sub-01/smith.nii.gz"], "BIDS"),
        (["derivatives/a.nii.gz"], "holds no NIfTI image"),
    ],
)
def test_folders_without_images_are_refused(tmp_path: Path, files: list[str], word: str) -> None:
    root = tmp_path / "in"
    root.mkdir()
    write(root, *files, content=DICOM if word == "DICOM" else b"x")
    with pytest.raises(InputRefused, match=word) as caught:
        bids.open_cohort(root)
    assert str(tmp_path) not in str(caught.value)
    assert "medveil convert" in str(caught.value) or word != "DICOM"


def test_single_files_that_are_no_nifti_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", content=b"text")
    write(tmp_path, "b", content=DICOM)
    with pytest.raises(InputRefused, match="not a NIfTI"):
        bids.open_cohort(tmp_path / "a.txt")
    with pytest.raises(InputRefused, match="DICOM"):
        bids.open_cohort(tmp_path / "b")
    with pytest.raises(InputRefused, match="not there"):
        bids.open_cohort(tmp_path / "nowhere")


@pytest.mark.skipif(os.name == "nt", reason="links need special rights on Windows")
def test_links_stay_inside_the_folder(save: Save, tmp_path: Path) -> None:
    outside = save("outside/secret.nii.gz")
    inside = save("in/.store/content.nii.gz")  # as DataLad keeps it
    root = tmp_path / "in"
    (root / "good.nii.gz").symlink_to(inside)
    (root / "bad.nii.gz").symlink_to(outside)
    (root / "gone.nii.gz").symlink_to(tmp_path / "nowhere")
    (root / "folder").symlink_to(outside.parent)
    inventory = bids.inspect_folder(root)
    assert [str(r.place) for r in inventory.cohort] == ["good.nii.gz"]
    assert reasons(inventory) == {
        "bad.nii.gz": "a link that leads outside the folder",
        "folder": "a linked folder",
        "gone.nii.gz": "a link to nothing; its content may have to be fetched first",
    }


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_no_text_is_listed_and_survived(save: Save, tmp_path: Path) -> None:
    path = save("in/a.nii.gz")
    try:
        os.link(path, os.fsencode(tmp_path / "in") + b"/\xff\xfe.nii.gz")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    inventory = bids.inspect_folder(tmp_path / "in")
    assert len(inventory.cohort) == 1
    assert [s.reason for s in inventory.skipped] == ["its name cannot be read"]


def test_a_missing_permission_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    def refuse(path: str) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "in").mkdir()
    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputRefused, match="permission"):
        bids.open_cohort(tmp_path / "in")


def test_a_folder_that_may_not_be_read_is_listed(
    save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("in/a.nii.gz")
    save("in/closed/b.nii.gz")
    real = os.scandir

    def refuse(path: str) -> object:  # root may read everything, so the refusal is played
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    inventory = bids.inspect_folder(tmp_path / "in")
    assert len(inventory.cohort) == 1
    assert reasons(inventory) == {"closed": "permission to read it is missing"}


def test_a_bad_participants_table_is_listed(save: Save, tmp_path: Path) -> None:
    save("in/a.nii.gz")
    write(tmp_path / "in", "participants.tsv", content=b"participant_id\tage\nsub-01\n")
    inventory = bids.inspect_folder(tmp_path / "in")
    assert inventory.cohort.participants == {}
    assert reasons(inventory) == {"participants.tsv": "table: line 2 has 1 cells, expected 2"}


def test_reprs_show_counts_only(save: Save, tmp_path: Path) -> None:
    save("canary/canary.nii.gz", np.zeros((2, 2, 2), np.uint8))
    write(tmp_path / "canary", "canary.txt")
    inventory = bids.inspect_folder(tmp_path / "canary")
    assert "canary" not in repr(inventory) + repr(inventory.skipped) + repr(inventory.cohort.records)


@pytest.mark.real
def test_the_real_dataset_is_read(real_data: Path) -> None:
    inventory = bids.inspect_folder(real_data / "bids" / "small_faces")
    assert (len(inventory.cohort.subjects), len(inventory.cohort), len(inventory.sidecars)) == (4, 6, 4)
    assert len(bids.open_cohort(real_data / "heads").subjects) == 6
    with pytest.raises(InputRefused, match="DICOM"):
        bids.open_cohort(real_data / "dicom")
