"""Tables in and out: errors name the line and the column, never what stands there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medveil.core.claims import PairClaims
from medveil.core.errors import InputRefused, OutputFailed
from medveil.io.tables import read_scores, read_tsv, write_scores, write_tsv

HEAD = "probe_subject,gallery_subject,score"


def table(tmp_path: Path, text: str | bytes, name: str = "scores.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_three_columns_are_enough(tmp_path: Path) -> None:
    (claims,) = read_scores(table(tmp_path, f"{HEAD}\na,b,0.5\na,a,1e-3\n\n"))
    assert (claims.attack, claims.condition) == ("external", "release")
    assert claims.probe_subject.tolist() == ["a", "a"]
    assert claims.gallery_subject.tolist() == ["b", "a"]
    assert claims.gallery_image.tolist() == ["", ""]
    assert claims.score.tolist() == [0.5, 0.001]


def test_attacks_and_conditions_become_claims_of_their_own(tmp_path: Path) -> None:
    text = f"condition,attack,{HEAD},remark\noriginal,x,a,a,1,?\nrelease,x,a,a,2,?\noriginal,x,a,b,3,?\n"
    found = read_scores(table(tmp_path, text))
    assert [(c.condition, c.score.tolist()) for c in found] == [("original", [1, 3]), ("release", [2])]


@pytest.mark.parametrize("name", ["a.tsv", "a.txt"])
def test_tabs_are_recognised(tmp_path: Path, name: str) -> None:
    (claims,) = read_scores(table(tmp_path, HEAD.replace(",", "\t") + "\na\tb\t2\n", name))
    assert claims.score.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no header"),
        (HEAD, "no rows"),
        ("probe_subject,score\nCANARY,1\n", "column gallery_subject is missing"),
        (f"{HEAD}\na,b,1\nCANARY,b,CANARY\n", "line 3, column score"),
        (f"{HEAD}\na,b,nan\n", "line 2, column score"),
        (f"{HEAD}\na,b,inf\n", "finite"),
        (f"{HEAD}\n,CANARY,1\n", "line 2, column probe_subject"),
        (f"{HEAD}\nCANARY,b\n", "line 2 has 2 cells, expected 3"),
        (f"{HEAD}\na,b,1,CANARY\n", "line 2 has 4 cells, expected 3"),
        (f"{HEAD},score\na,b,1,CANARY\n", "named twice"),
        (b"\xff\xfe\x00CANARY", "UTF-8"),
        (f'{HEAD}\n"a\nb",c,CANARY\n', "line 3, column score"),
    ],
)
def test_bad_tables_are_refused_by_place(tmp_path: Path, text: str | bytes, word: str) -> None:
    with pytest.raises(InputRefused) as caught:
        read_scores(table(tmp_path, text))
    assert word in str(caught.value)
    assert "CANARY" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    for path, word in ((tmp_path / "nowhere.csv", "not there"), (tmp_path, "could not read")):
        with pytest.raises(InputRefused, match=word):
            read_scores(path)


LABELS = [
    "plain",
    "=1+1",
    "+a",
    "-b",
    "@c",
    "'=x",
    "'quote",
    "-1.5",
    "ü, ö",
    'a"b',
    "l\nine",
    "\tt",
    "",
    "1e5",
]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    labels = [x for x in LABELS if x and x == x.strip()]
    n = len(labels)
    score = np.random.default_rng(0).normal(size=n) * 10.0 ** np.arange(-n // 2, n - n // 2)
    names = np.array(labels)
    claims = PairClaims(names, names[::-1], names, names[::-1], score, "a.b", "release", {})
    write_scores([claims], tmp_path / name)
    (again,) = read_scores(tmp_path / name)
    for column in ("probe_subject", "probe_image", "gallery_subject", "gallery_image", "score"):
        assert getattr(again, column).tolist() == getattr(claims, column).tolist()
    assert (again.attack, again.condition) == ("a.b", "release")


def test_no_label_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    bad = np.array(["=cmd|' /C calc'!A0", "@SUM(A1)", "+1+1", "-2+3"])
    write_scores([PairClaims(bad, bad, bad, bad, np.zeros(4), "=a", "-c", {})], tmp_path / "a.csv")
    cells = (tmp_path / "a.csv").read_text().replace("\n", ",").split(",")
    assert not [c for c in cells if c.startswith(("=", "@", "+", "-"))]


def test_participants_come_and_go_as_bids_writes_them(tmp_path: Path) -> None:
    rows = read_tsv(
        table(tmp_path, '\ufeffparticipant_id\tage\tnote\nsub-01\t 33 \t"quoted\n', "participants.tsv")
    )
    assert rows == [{"participant_id": "sub-01", "age": "33", "note": '"quoted'}]
    write_tsv([*rows, {"participant_id": "sub-02"}], tmp_path / "out.tsv", ["participant_id", "age"])
    assert (tmp_path / "out.tsv").read_text() == "participant_id\tage\nsub-01\t33\nsub-02\tn/a\n"


def test_a_cell_that_would_break_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputFailed, match="line break"):
        write_tsv([{"a": "x\ty"}], tmp_path / "out.tsv", ["a"])
    assert not (tmp_path / "out.tsv").exists()
