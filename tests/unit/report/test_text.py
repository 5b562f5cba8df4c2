"""The terminal summary."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medveil.report.text import summary_lines

from .example import CASES, attack, findings


@pytest.mark.parametrize("case", CASES)
def test_it_starts_with_the_answer_and_ends_with_the_verdict(case: str) -> None:
    lines = summary_lines(findings(case))
    assert lines[0] == findings(case).answer
    assert lines[-1] == f"verdict: {case}"
    assert "images: 11 protected, 1 refused" in lines
    assert len(lines) <= 12


def test_each_attack_has_its_line_with_intervals() -> None:
    assert (
        "reidentify.embedding: AUC original 0.97 [0.93, 0.99], release 0.52 [0.41, 0.63], "
        "null 0.50 [0.40, 0.60] (no evidence of a leak)"
    ) in summary_lines(findings())


def test_many_attacks_still_fit_twelve_lines() -> None:
    many = [attack(f"x.{i}", (0.9, 0.8, 0.95), (0.5, 0.4, 0.6), "leak", "") for i in range(20)]
    lines = summary_lines(findings("leak", attacks=many))
    assert len(lines) == 12
    assert "and 13 more attacks" in lines


def test_a_label_cannot_steer_the_terminal() -> None:
    lines = summary_lines(findings("leak", answer="no\x1b[2J\nleak"))
    assert lines[0] == "no\ufffd[2J\ufffdleak"


def test_what_was_not_run_is_named() -> None:
    told = replace(findings(), unmeasured={"link.brain": "no other scans", "link.table": "no table"})
    assert "not run, for reasons on the page: link.brain, link.table" in summary_lines(told)
    assert not any("not run" in line for line in summary_lines(findings()))
