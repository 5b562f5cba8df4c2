"""measure and report: a score table in, numbers and a page out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


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
