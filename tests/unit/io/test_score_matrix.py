"""Score matrices: what is written is read again, block by block, and what is wrong is named by its place."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import InputRefused, OutputFailed
from medveil.io.score_matrix import GALLERY, PROBES, SCORES, open_matrices, write_matrix
from medveil.io.score_table import open_scores

NAME = "JaneCanary"
PEOPLE = [(NAME, "a"), (NAME, "b"), ("other", "")]
CANDIDATES = [("other", "x"), (NAME, "x")]
VALUES = np.array([[0.5, 1.0], [0.25, 2.0], [-3.0, 0.125]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_matrix(tmp_path / "m", VALUES, PEOPLE, CANDIDATES)
    return tmp_path / "m"


def refused(path: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        [matrix.rows(0, len(matrix.probe)) for matrix in open_matrices(path)]
    message = str(caught.value)
    assert NAME not in message
    assert str(path) not in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_what_is_written_is_read_again(tmp_path: Path, kind: str) -> None:
    write_matrix(tmp_path / "m", VALUES, PEOPLE, CANDIDATES, kind=kind)
    (matrix,) = open_matrices(tmp_path / "m")
    assert matrix.rows(0, 3).tolist() == VALUES.tolist()
    assert matrix.rows(1, 2).tolist() == VALUES[1:2].tolist()
    assert matrix.rows(0, 1).dtype == (np.float64 if kind == "float64" else np.float32)
    assert (matrix.attack, matrix.condition, matrix.pairs, matrix.persons) == ("external", "release", 6, 2)
    assert (matrix.probe[:, None] == matrix.gallery).tolist() == [[False, True], [False, True], [True, False]]
    assert NAME not in repr(matrix)


def test_rows_may_be_written_block_by_block(tmp_path: Path) -> None:
    write_matrix(tmp_path / "m", (row[None] for row in VALUES), PEOPLE, CANDIDATES)
    assert open_matrices(tmp_path / "m")[0].rows(0, 3).tolist() == VALUES.tolist()


def test_a_matrix_becomes_a_table(folder: Path) -> None:
    claims = open_matrices(folder)[0].claims()
    assert claims.probe_subject.tolist() == [NAME] * 4 + ["other"] * 2
    assert claims.probe_image.tolist() == ["a", "a", "b", "b", "", ""]
    assert claims.gallery_subject.tolist() == ["other", NAME] * 3
    assert claims.score.tolist() == VALUES.ravel().tolist()


def test_folders_name_conditions_and_attacks(tmp_path: Path) -> None:
    for place in ("a/original", "a/release", "b/release"):
        write_matrix(tmp_path / place, VALUES, PEOPLE, CANDIDATES)
    assert [(m.attack, m.condition) for m in open_matrices(tmp_path)] == [
        ("a", "original"), ("a", "release"), ("b", "release"),
    ]  # fmt: skip
    assert [(m.attack, m.condition) for m in open_matrices(tmp_path / "a")] == [
        ("external", "original"), ("external", "release"),
    ]  # fmt: skip
    write_matrix(tmp_path / "a/release/deeper", VALUES, PEOPLE, CANDIDATES)
    assert "too deep" in refused(tmp_path)


def test_the_array_itself_may_be_named(folder: Path, tmp_path: Path) -> None:
    assert open_matrices(folder / SCORES)[0].pairs == 6
    (small,) = open_scores(folder / SCORES, tmp_path)
    (large,) = open_scores(folder, tmp_path, large=5)
    assert (type(small).__name__, type(large).__name__) == ("PairClaims", "ScoreMatrix")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused_by_row_and_column(folder: Path, value: float) -> None:
    bad = VALUES.copy()
    bad[2, 1] = value
    np.save(folder / SCORES, bad)
    assert "row 3, column 2: expected a finite number" in refused(folder)


class Hook:
    def __reduce__(self) -> tuple[Callable, tuple[str]]:
        return (print, ("a pickle was run",))


ARRAYS: dict[str, object] = {
    "pickle": np.array([[Hook()]], dtype=object),
    "one dimension": VALUES.ravel(),
    "three dimensions": VALUES[None],
    "whole numbers": VALUES.astype(int),
    "complex": VALUES.astype(complex),
    "long double": VALUES.astype(np.longdouble),
    "text": VALUES.astype(str),
    "Fortran order": np.asfortranarray(VALUES),
    "transposed": VALUES.T.copy(),
    "too few rows": VALUES[:2],
    "empty": np.empty((0, 2)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_another_kind_are_refused(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(folder / SCORES, ARRAYS[name], allow_pickle=True)
    assert "score matrix" in refused(folder)
    assert "pickle was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        b"PK\x03\x04",
        b"a,b\n1,2\n",
        pickle.dumps([1]),
        b"\x93NUMPY\x01\x00\xff\xff" + b"{" * 9,
    ],
)
def test_files_of_another_kind_are_refused(folder: Path, content: bytes) -> None:
    (folder / SCORES).write_bytes(content)
    assert "score matrix" in refused(folder)


def test_a_file_cut_short_is_refused(folder: Path) -> None:
    (matrix,) = open_matrices(folder)
    whole = (folder / SCORES).read_bytes()
    (folder / SCORES).write_bytes(whole[:-3])
    refused(folder)
    with pytest.raises(InputRefused, match="ends too early"):
        matrix.rows(0, 3)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        (PROBES, "", "no header"),
        (PROBES, f"image\n{NAME}\n{NAME}\nx\n", "no column subject"),
        (PROBES, f"subject\n{NAME}\nb\n", "has 2 lines, expected 3"),
        (PROBES, f"subject\n{NAME}\n{NAME}\nx\n", "row 2: this image was there before"),
        (PROBES, f"subject\n{NAME}\nn/a\nx\n", "row 2: the subject is empty"),
        (PROBES, f"subject\n{NAME}\0\nb\nx\n", "NUL"),
        (GALLERY, f"subject\timage\n{NAME}\nb\tc\n", "line 2 has 1 cells"),
        (GALLERY, f"subject\n{NAME.upper()}\nb\n", "upper and lower case"),
    ],
)
def test_lists_that_do_not_fit_are_refused(folder: Path, name: str, text: str, word: str) -> None:
    (folder / name).write_text(text)
    assert word in refused(folder)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "void").mkdir()
    assert "there is none" in refused(tmp_path / "void")
    assert "there is none" in refused(tmp_path / "nowhere")
    (folder / GALLERY).unlink()
    assert "gallery.tsv is missing" in refused(folder)


@pytest.mark.parametrize(
    ("scores", "probes", "word"),
    [
        (VALUES[:2], PEOPLE, "as many rows"),
        (VALUES[:, :1], PEOPLE, "does not fit"),
        (VALUES * np.inf, PEOPLE, "finite"),
        (VALUES, [*PEOPLE[:2], ("", "")], "empty subject"),
        (VALUES, [*PEOPLE[:2], ("a\tb", "")], "tab"),
    ],
)
def test_what_could_not_be_read_is_not_written(
    tmp_path: Path, scores: np.ndarray, probes: list[tuple[str, str]], word: str
) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(OutputFailed, match=word):
        write_matrix(tmp_path / "m", scores, probes, CANDIDATES)
    assert not (tmp_path / "m" / SCORES).exists()


def test_numbers_too_large_for_their_type_are_not_written(tmp_path: Path) -> None:
    with np.errstate(over="ignore"), pytest.raises(OutputFailed, match="too large"):
        write_matrix(tmp_path / "m", VALUES * 1e6, PEOPLE, CANDIDATES, kind="float16")
