"""Tables of gradients: found by BIDS inheritance, and nothing but numbers leaves, digit by digit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medveil.core.errors import InputRefused
from medveil.io import bids
from medveil.io.gradient_tables import gradients, read_table
from medveil.protect.header.gradients import MOST_VOLUMES, clean_bval, clean_bvec

Save = Callable[..., Path]
BVEC = "0 0.577350269189625731 -1e-05\n.5 -0.5 1.\n0 +0.81649 0\n"


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("0 1000\n")


def found(root: Path, place: str) -> list[str]:
    tables = gradients(bids.inspect_folder(root), PurePosixPath(place))
    return [str(t.relative_to(root)) for t in tables]


def test_the_nearest_table_wins_for_each_kind(save: Save, tmp_path: Path) -> None:
    root = tmp_path / "d"
    for name in ("sub-01/dwi/sub-01_run-1_dwi.nii.gz", "sub-01/dwi/sub-01_run-2_dwi.nii.gz"):
        save(f"d/{name}")
    save("d/sub-01/anat/sub-01_T1w.nii.gz")
    put(root, "dwi.bval", "dwi.bvec", "sub-01/dwi/sub-01_dwi.bvec", "sub-01/dwi/sub-01_run-2_dwi.bval")
    put(root, "sub-01/dwi/sub-01_run-3_dwi.bval")
    assert found(root, "sub-01/dwi/sub-01_run-1_dwi.nii.gz") == ["dwi.bval", "sub-01/dwi/sub-01_dwi.bvec"]
    assert found(root, "sub-01/dwi/sub-01_run-2_dwi.nii.gz") == [
        "sub-01/dwi/sub-01_run-2_dwi.bval",
        "sub-01/dwi/sub-01_dwi.bvec",
    ]
    assert found(root, "sub-01/anat/sub-01_T1w.nii.gz") == []
    assert {str(s.place): s.reason for s in bids.inspect_folder(root).skipped} == {
        "dwi.bvec": "speaks of no image here",  # a nearer one does, everywhere
        "sub-01/dwi/sub-01_run-3_dwi.bval": "speaks of no image here",
    }


def test_plain_folders_and_single_files_have_tables_too(save: Save, tmp_path: Path) -> None:
    path = save("p/smith/dwi.nii.gz")
    put(tmp_path / "p", "smith/dwi.bval", "smith/dwi.bvec", "smith/other.bval")
    assert found(tmp_path / "p", "smith/dwi.nii.gz") == ["smith/dwi.bval", "smith/dwi.bvec"]
    tables = gradients(bids.inspect_folder(path), PurePosixPath("dwi.nii.gz"))
    assert [t.name for t in tables] == ["dwi.bval", "dwi.bvec"]


def test_numbers_leave_as_they_were_written() -> None:
    assert clean_bval("0  5.0\t1000 9.95e2 \r\n\n") == "0 5.0 1000 9.95e2\n"
    assert clean_bvec(BVEC) == BVEC
    assert clean_bvec("0 0 0\n1 0 0\n0 1 0\n0 0 1\n") == "0 0 0\n1 0 0\n0 1 0\n0 0 1\n"


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=9))
def test_any_b_value_of_any_program_is_the_same_number_after(values: list[float]) -> None:
    text = clean_bval(" ".join(map(repr, values)))
    assert [float(word) for word in text.split()] == values


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "0 1000\n0 1000", "0 Smith", "0 nan", "0 inf", "-5 0", "0 100001", "0 19700101", "0 1_000", "0 \u0661\u0660",
        "0 0x10", "0,1000", "007 1", "# Smith\n0", "0 1000 \x00", "0 1e999", "0 0." + "1" * 21, "0 " * (MOST_VOLUMES + 1),
    ],
)  # fmt: skip
def test_b_values_that_could_be_anything_else_are_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="bval") as caught:
        clean_bval(text)
    assert "Smith" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "1 0 0 0", "1 0\n0 1", "1 0\n0 1\n0", "1 0 0\n0 Smith 0\n0 0 1", "2 0 0\n0 1 0\n0 0 1", "nan 0\n0 1\n0 0",
     "0 0 0\n" * (MOST_VOLUMES + 1)],
)  # fmt: skip
def test_gradients_that_are_no_directions_are_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="bvec") as caught:
        clean_bvec(text)
    assert "Smith" not in str(caught.value)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bval").write_bytes(b"\xef\xbb\xbf0 1000")
    assert read_table(tmp_path / "a.bval") == "0 1000"
    for content in (b"\xff\xfe0", b"0 " * (1 << 20)):
        (tmp_path / "a.bval").write_bytes(content)
        with pytest.raises(InputRefused, match="bval"):
            read_table(tmp_path / "a.bval")
    with pytest.raises(InputRefused, match="bvec"):
        read_table(tmp_path / "none.bvec")
