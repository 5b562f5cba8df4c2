"""Forty ways a score table can be wrong: one line each, by place, and never what stands there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import InputRefused
from medveil.io import score_table
from medveil.io.score_table import open_scores
from medveil.io.tables import read_scores

HEAD = "probe_subject,gallery_subject,score"
FULL = "probe_subject,probe_image,gallery_subject,gallery_image,score,attack,condition"
NAME = "JaneCanary"
GOOD = f"{NAME},{NAME},1\n{NAME},other,0\n"

BAD: dict[str, tuple[str | bytes, str]] = {
    "empty file": ("", "no header"),
    "blank lines only": ("\n\n\n", "no header"),
    "a mark of byte order only": (b"\xef\xbb\xbf", "no header"),
    "header only": (f"{HEAD}\n", "no rows"),
    "header and blank lines": (f"{HEAD}\n\n,,\n", "no rows"),
    "no header": (f"{NAME},b,1\n", "column probe_subject is missing"),
    "UTF-16": (f"{HEAD}\n{GOOD}".encode("utf-16"), "UTF-8"),
    "UTF-16 without mark": (f"{HEAD}\n{GOOD}".encode("utf-16-le"), "no header"),
    "Latin-1": (f"{HEAD}\n{NAME}é,b,1\n".encode("latin-1"), "UTF-8"),
    "NUL in the header": (f"{HEAD}\0\n{GOOD}", "no header"),
    "NUL in a label": (f"{HEAD}\n{GOOD}{NAME}\0,b,1\n", "line 4, column probe_subject: holds a NUL"),
    "NUL in a score": (f"{HEAD}\n{GOOD}{NAME},b,1\0\n", "line 4, column score"),
    "binary": (bytes(range(256)), "UTF-8"),
    "missing probe": (f"gallery_subject,score\n{NAME},1\n", "column probe_subject is missing"),
    "missing gallery": (f"probe_subject,score\n{NAME},1\n", "column gallery_subject is missing"),
    "missing score": (f"probe_subject,gallery_subject\n{NAME},b\n", "column score is missing"),
    "misspelt column": (f"Probe_Subject,gallery_subject,score\n{NAME},b,1\n", "probe_subject is missing"),
    "column named twice": (f"{HEAD},score\n{NAME},b,1,2\n", "named twice"),
    "short row": (f"{HEAD}\n{GOOD}{NAME},b\n", "line 4 has 2 cells, expected 3"),
    "long row": (f"{HEAD}\n{GOOD}{NAME},b,1,2\n", "line 4 has 4 cells, expected 3"),
    "empty score": (f"{HEAD}\n{GOOD}{NAME},b,\n", "line 4, column score: is empty"),
    "score of a space": (f"{HEAD}\n{GOOD}{NAME},b, \n", "line 4, column score: is empty"),
    "not a number": (f"{HEAD}\n{GOOD}{NAME},b,nan\n", "line 4, column score: expected a finite number"),
    "infinite": (f"{HEAD}\n{GOOD}{NAME},b,-Infinity\n", "line 4, column score: expected a finite number"),
    "overflow": (f"{HEAD}\n{GOOD}{NAME},b,1e999\n", "line 4, column score: expected a finite number"),
    "n/a": (f"{HEAD}\n{GOOD}{NAME},b,n/a\n", "line 4, column score"),
    "text": (f"{HEAD}\n{GOOD}b,{NAME},{NAME}\n", "line 4, column score"),
    "comma decimal": (f'{HEAD}\n{GOOD}{NAME},b,"0,5"\n', "decimals take a point"),
    "comma decimal, unquoted": (f"{HEAD}\n{GOOD}{NAME},b,0,5\n", "line 4 has 4 cells"),
    "underscored number": (f"{HEAD}\n{GOOD}{NAME},b,1_000\n", "line 4, column score"),
    "complex number": (f"{HEAD}\n{GOOD}{NAME},b,1+2j\n", "line 4, column score"),
    "huge line": (f"{HEAD}\n{NAME}{'x' * (1 << 21)},b,1\n", "longer than"),
    "huge cell": (f"{HEAD}\n{NAME}{'x' * 200_000},b,1\n", "line 2 is not well-formed"),
    "quote that never ends": (f'{HEAD}\n{GOOD}"{NAME},b,1\n{GOOD}', "not well-formed"),
    "quote in the middle": (f'{HEAD}\n{GOOD}"{NAME}"x,b,1\n', "line 4 is not well-formed"),
    "semicolons": (f"{HEAD}\n{GOOD}".replace(",", ";"), "not by semicolons"),
    "tabs in the header only": (f"{HEAD}\n".replace(",", "\t") + GOOD, "line 2 has 1 cells"),
    "empty probe": (f"{HEAD}\n{GOOD},{NAME},1\n", "line 4, column probe_subject: is empty"),
    "gallery of spaces": (f"{HEAD}\n{GOOD}{NAME},   ,1\n", "line 4, column gallery_subject: is empty"),
    "same pair, other score": (f"{HEAD}\n{GOOD}{NAME},other,5\n", "line 4: this pair of images has a score"),
    "same pair, same score": (f"{HEAD}\n{GOOD}{GOOD}", "line 4: this pair of images has a score already"),
    "same pair but for spaces": (f"{HEAD}\n{GOOD}{NAME} , other,5\n", "line 4: this pair of images"),
    "same pair of named images": (
        f"{FULL}\n{NAME},1,b,2,0.5,x,release\n{NAME},2,b,2,1,x,release\n{NAME},1,b,2,0.5,x,release\n",
        "line 4: this pair",
    ),
    "labels in other case": (f"{HEAD}\n{NAME},{NAME.lower()},1\n{NAME},b,0\n", "upper and lower case only"),
}


def refused(path: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        read_scores(path)
    return str(caught.value)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_refused_by_place(tmp_path: Path, name: str) -> None:
    content, expected = BAD[name]
    path = tmp_path / "scores.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    message = refused(path)
    assert expected in message
    assert "\n" not in message
    assert NAME.lower() not in message.lower()
    assert str(tmp_path) not in message
    assert len(message) < 250


LATE = [name for name, (_, told) in BAD.items() if "line 4" in told or "case only" in told]


@pytest.mark.parametrize("held", [1, 1000])
@pytest.mark.parametrize("name", LATE)
def test_a_bad_table_is_refused_alike_where_it_goes_through_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, held: int
) -> None:
    """As a large table would: what comes first is well, so many rows are held aside already."""
    content, expected = BAD[name]
    assert isinstance(content, str)
    monkeypatch.setattr(
        score_table, "_FILLED", held
    )  # the second score comes in another part, or in the same
    path, aside = tmp_path / "scores.csv", tmp_path / "aside"
    path.write_text(content)
    aside.mkdir()
    with pytest.raises(InputRefused) as caught:
        open_scores(path, aside, large=0)
    assert expected in str(caught.value)
    assert NAME.lower() not in str(caught.value).lower()


def test_there_are_forty_of_them() -> None:
    assert len(BAD) >= 40


def test_missing_files_folders_and_permissions_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not there" in refused(tmp_path / f"{NAME}.csv")
    assert "could not read" in refused(tmp_path)
    path = tmp_path / f"{NAME}.csv"
    path.write_text(f"{HEAD}\n{GOOD}")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", denied)
    message = refused(path)
    assert "could not read" in message
    assert NAME not in message


def test_what_is_odd_but_clear_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(f"\ufeff{HEAD}, remark\r\n a , b ,+1e-3,?\r\n\r\n,,,\r\na,a,-0,\r\n".encode())
    (claims,) = read_scores(path)
    assert claims.probe_subject.tolist() == ["a", "a"]
    assert claims.gallery_subject.tolist() == ["b", "a"]
    assert claims.score.tolist() == [0.001, 0.0]


def test_the_same_pair_may_come_again_in_another_condition_or_attack(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    rows = [f"a,1,b,2,0.5,{a},{c}" for a in ("x", "y") for c in ("original", "release")]
    path.write_text("\n".join([FULL, *rows]))
    assert len(read_scores(path)) == 4


@pytest.mark.parametrize("chunk", [2, 1000])
def test_a_large_table_becomes_matrices_with_the_same_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    rng = np.random.default_rng(0)
    rows = [
        f"s{p},{i},s{g},{j},{rng.normal()!r},x,{c}"
        for c in ("original", "release")
        for p in range(5)
        for i in range(2)
        for g in range(4)
        for j in range(2)
        if rng.random() < 0.9
    ]
    path = tmp_path / "scores.csv"
    path.write_text("\n".join([FULL, *rng.permutation(rows)]))
    monkeypatch.setattr("medveil.io.score_rows._CHUNK", chunk)
    monkeypatch.setattr(score_table, "_FILLED", 5)
    (tmp_path / "aside").mkdir()
    found = open_scores(path, tmp_path / "aside", large=10)
    assert [m.pairs for m in found] == [80, 80]
    for matrix, small in zip(found, read_scores(path), strict=True):
        assert (matrix.attack, matrix.condition) == (small.attack, small.condition)
        assert _rows(matrix.claims()) == _rows(small)
    assert not list((tmp_path / "aside").glob("rows"))


def _rows(claims: object) -> list[tuple[str, ...]]:
    columns = ("probe_subject", "probe_image", "gallery_subject", "gallery_image", "score")
    return sorted(zip(*(getattr(claims, c).astype(str).tolist() for c in columns), strict=True))


def test_a_large_table_with_few_scores_for_its_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("\n".join([HEAD, *(f"a{i},b{i},1" for i in range(30))]))
    (tmp_path / "aside").mkdir()
    with pytest.raises(InputRefused, match="fewer than 1 in 20"):
        open_scores(path, tmp_path / "aside", large=10)
