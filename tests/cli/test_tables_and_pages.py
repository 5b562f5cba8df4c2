"""measure and report: a score table in, numbers and a page out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medveil.io.score_matrix import write_matrix


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """24 people, original scores that separate them, release scores that do not."""
    rng = np.random.default_rng(5)
    path = tmp_path / "scores.csv"
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["probe_subject", "gallery_subject", "score", "attack", "condition"])
        for condition, shift in (("original", 2.5), ("release", 0.0)):
            for p in range(24):
                for g in range(24):
                    writer.writerow(
                        [f"p{p}", f"p{g}", rng.normal() + shift * (p == g), "other.tool", condition]
                    )
    return path


def test_measure_judges_a_table_against_its_control(medveil: Callable, table: Path, tmp_path: Path) -> None:
    ran = medveil("measure", table, "--to", tmp_path / "f.json", "--rounds", "200", "--json")
    assert ran.code == 0
    findings = json.loads(ran.out)
    assert findings["verdict"] == "no evidence of a leak"
    assert findings["attacks"][0]["conditions"]["original"]["estimates"]["auc"]["value"] > 0.9
    assert json.loads((tmp_path / "f.json").read_text()) == findings


def test_limit_over_gives_exit_code_1(medveil: Callable, table: Path) -> None:
    assert medveil("measure", table, "--rounds", "50", "--fail-if", "auc>0.99").code == 0
    ran = medveil("measure", table, "--rounds", "50", "--fail-if", "eer>0.01")
    assert ran.code == 1
    assert "verdict" in ran.out
    assert medveil("measure", table, "--rounds", "50", "--fail-if", "no_such>0.1").code == 2


def test_page_from_findings(medveil: Callable, table: Path, tmp_path: Path) -> None:
    medveil("measure", table, "--to", tmp_path / "f.json", "--rounds", "50")
    assert medveil("report", tmp_path / "f.json", "--to", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "no evidence of a leak" in page.lower()
    again = medveil("report", tmp_path / "f.json", "--to", tmp_path / "page.html")
    assert again.code == 2
    assert "--force" in again.err
    assert medveil("report", tmp_path / "f.json", "--to", tmp_path / "page.html", "--force").code == 0


def test_a_table_without_control_never_reassures(medveil: Callable, table: Path, tmp_path: Path) -> None:
    lines = [line for line in table.read_text().splitlines() if "original" not in line]
    (tmp_path / "only.csv").write_text("\n".join(lines))
    ran = medveil("measure", tmp_path / "only.csv", "--rounds", "50", "--json")
    assert json.loads(ran.out)["verdict"] == "attack too weak"


@pytest.mark.parametrize(
    "text", ["", "{}", "[1, 2]", '{"format": "medveil-findings", "version": 99}', "not json"]
)
def test_bad_findings_are_refused(medveil: Callable, tmp_path: Path, text: str) -> None:
    (tmp_path / "f.json").write_text(text)
    ran = medveil("report", tmp_path / "f.json", "--to", tmp_path / "page.html")
    assert ran.code == 3
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "probe_subject,gallery_subject,score\nJane,Jane,Canary\n",
        "probe_subject,gallery_subject,score\n",
    ],
)
def test_bad_tables_are_refused_without_their_values(medveil: Callable, tmp_path: Path, text: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    ran = medveil("measure", tmp_path / "s.csv")
    assert ran.code == 3
    assert "Canary" not in ran.err
    assert "Jane" not in ran.err


HEAD = "probe_subject,gallery_subject,score,attack,condition\n"


def test_a_broken_limit_is_named_on_stderr_and_a_kept_one_is_not(medveil: Callable, table: Path) -> None:
    ran = medveil(
        "measure", table, "--rounds", "50", "--json",
        "--fail-if", "auc.high>0.4", "--fail-if", "auc>0.99", "--fail-if", "linkability-chance<1",
    )  # fmt: skip
    assert ran.code == 1
    assert "over the limit: auc.high>0.4: it is 0." in ran.err
    assert "over the limit: linkability-chance<1" in ran.err
    assert "auc>0.99" not in ran.err
    json.loads(ran.out)


@pytest.mark.parametrize("limit", ["auc", "auc>", "auc>nan", "auc.top>0.5", "auc-luck>0.5"])
def test_a_limit_that_makes_no_sense_is_refused_before_anything_is_read(
    medveil: Callable, tmp_path: Path, limit: str
) -> None:
    ran = medveil("measure", tmp_path / "nowhere.csv", "--fail-if", limit)
    assert ran.code == 2
    assert "--fail-if" in ran.err


def test_a_folder_of_matrices_is_measured_like_a_table(
    medveil: Callable, table: Path, tmp_path: Path
) -> None:
    with open(table) as file:
        rows = list(csv.DictReader(file))
    people = [(f"p{i}", "") for i in range(24)]
    for condition in ("original", "release"):
        score = [float(r["score"]) for r in rows if r["condition"] == condition]
        write_matrix(
            tmp_path / "other.tool" / condition, np.reshape(score, (24, 24)), people, people, kind=np.float64
        )
    (tmp_path / "all").mkdir()
    (tmp_path / "other.tool").rename(tmp_path / "all" / "other.tool")
    one = medveil("measure", table, "--rounds", "50", "--json")
    two = medveil("measure", tmp_path / "all", "--rounds", "50", "--json")
    assert one.code == two.code == 0
    assert json.loads(one.out)["attacks"] == json.loads(two.out)["attacks"]


def test_every_label_is_judged_where_none_is_the_release(medveil: Callable, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = [
        f"p{p},p{g},{rng.normal() + shift * (p == g)},x.y,{label}"
        for label, shift in (("original", 4.0), ("clinic-a", 4.0), ("clinic-b", 0.0))
        for p in range(20)
        for g in range(20)
    ]
    (tmp_path / "s.csv").write_text(HEAD + "\n".join(rows))
    found = json.loads(medveil("measure", tmp_path / "s.csv", "--rounds", "200", "--json").out)
    assert {a["attack"]: a["verdict"] for a in found["attacks"]} == {
        "x.y on clinic-a": "leak",
        "x.y on clinic-b": "no evidence of a leak",
    }
    assert found["verdict"] == "leak"
    assert "strongest of 2 attacks is x.y on clinic-a" in found["answer"]
    assert [a["p_corrected"] for a in found["attacks"]] == [
        pytest.approx(2 * found["attacks"][0]["p_value"]),
        pytest.approx(found["attacks"][1]["p_value"]),
    ]


@pytest.mark.parametrize(
    ("rows", "code", "word"),
    [
        ("Jane,Jane,1,x,release\n", 3, "one person only"),
        ("Jane,Joe,1,x,release\nJoe,Jane,2,x,release\n", 2, "no pair shows one person"),
        ("Jane,Jane,1,x,null\nJane,Joe,1,x,null\n", 3, "label null"),
        ("Jane,Jane,1,x,release\nJane,Jane,1,x,release\n", 3, "line 3"),
        ("Jane,JANE,1,x,release\nJane,Joe,2,x,release\n", 3, "upper and lower case"),
    ],
)
def test_tables_that_cannot_be_judged_are_refused(
    medveil: Callable, tmp_path: Path, rows: str, code: int, word: str
) -> None:
    (tmp_path / "s.csv").write_text(HEAD + rows)
    ran = medveil("measure", tmp_path / "s.csv", "--rounds", "50")
    assert ran.code == code
    assert word in ran.err
    assert "jane" not in ran.err.lower()
    assert ran.err.count("\n") <= 2


def test_large_tables_leave_nothing_behind(
    medveil: Callable, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "aside"))
    (tmp_path / "aside").mkdir()
    assert medveil("measure", table, "--rounds", "50").code == 0
    assert not list((tmp_path / "aside").glob("medveil-*"))
