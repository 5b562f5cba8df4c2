"""measure: losses of a shared model in, who was in its training set out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

HEADER = ["subject", "image", "loss", "member", "out_1", "out_2", "out_3"]


def rows(factor: float, members: int = 40, others: int = 1000) -> list[list[str]]:
    """Losses that are `factor` of the usual for members; some scans are hard for every model."""
    rng, out = np.random.default_rng(2), []
    for i in range(members + others):
        hard = rng.gamma(2, 0.3)
        shadows = hard * np.exp(rng.normal(0, 0.2, 3))
        loss = hard * np.exp(rng.normal(0, 0.2)) * (factor if i < members else 1.0)
        out.append([f"s{i}", "T1w", str(loss), "yes" if i < members else "no", *map(str, shadows)])
    return out


def write(path: Path, lines: list[list[str]], header: list[str] = HEADER) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def test_a_model_that_remembers_is_found_out(medveil: Callable, tmp_path: Path) -> None:
    table = write(tmp_path / "losses.csv", rows(0.4))
    ran = medveil("measure", table, "--rounds", "100", "--json", "--fail-if", "tpr_at_fpr_01>0.1")
    assert ran.code == 1
    found = json.loads(ran.out)
    assert found["verdict"] == "leak"
    ratio = found["inferences"][0]["conditions"]["against shadow models"]
    assert ratio["auc"]["value"] > found["inferences"][0]["conditions"]["the loss alone"]["auc"]["value"]
    assert ratio["tpr_at_fpr_01"]["value"] > 0.3
    assert (
        ratio["tpr_at_fpr_001"]["value"] is None
    )  # a thousand held-out people do not show one in a thousand
    assert "against shadow models" in ran.err


def test_a_model_that_remembers_nothing_is_not_accused(medveil: Callable, tmp_path: Path) -> None:
    ran = medveil("measure", write(tmp_path / "losses.csv", rows(1.0)), "--rounds", "100")
    assert ran.code == 0
    assert "Nobody can say yet" in ran.out
    assert "verdict: attack too weak" in ran.out


def test_the_page_shows_membership(medveil: Callable, tmp_path: Path) -> None:
    table = write(tmp_path / "losses.csv", rows(0.4))
    assert medveil("measure", table, "--rounds", "100", "--to", tmp_path / "f.json").code == 0
    assert medveil("report", tmp_path / "f.json", "--to", tmp_path / "page.html").code == 0
    page = (tmp_path / "page.html").read_text()
    assert "Found at 1 % false alarms" in page
    assert "s17" not in page


@pytest.mark.parametrize(
    ("lines", "header", "said"),
    [
        (
            [["a", "T1w", "0.1", "perhaps", "1", "1", "1"]],
            HEADER,
            "line 2, column member: expected yes or no",
        ),
        ([["a", "T1w", "0.1", "1", "1", "1"]], [c for c in HEADER if c != "member"], "column member"),
        (
            [["a", "T1w", "Canary^Jane", "yes", "1", "1", "1"]],
            HEADER,
            "line 2, column loss: expected a finite",
        ),
        (
            [["a", "T1w", "1", "yes", "1", "1", "1"], ["a", "T2w", "1", "no", "1", "1", "1"]],
            HEADER,
            "line 3: a person is both a member and held out",
        ),
        (
            [["a", "T1w", "1", "yes", "1", "1", "1"], ["b", "T1w", "1", "yes", "1", "1", "1"]],
            HEADER,
            "people who were held out",
        ),
        (
            [["a", "T1w", "1", "yes", "1", "1", "1"], ["a", "T1w", "1", "yes", "1", "1", "1"]],
            HEADER,
            "named twice",
        ),
        ([["a", "1", "yes"]], ["subject", "loss", "member"], "column image is missing"),
        ([], HEADER, "has no rows"),
    ],
)
def test_a_bad_table_of_losses_gets_one_line(
    medveil: Callable, tmp_path: Path, lines: list[list[str]], header: list[str], said: str
) -> None:
    ran = medveil("measure", write(tmp_path / "losses.csv", lines, header), "--rounds", "50")
    assert ran.code in (2, 3)
    assert said in ran.err
    assert "Canary" not in ran.err
    assert len([line for line in ran.err.splitlines() if line.startswith("medveil: error")]) == 1
