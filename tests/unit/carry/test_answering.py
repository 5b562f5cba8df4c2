"""The first sentence says who can recognise somebody, and who was not seen to."""

from __future__ import annotations

from typing import Any

import pytest

from medveil.carry.answering import NOT_MEASURED, TOO_WEAK, answer
from medveil.core.findings import AttackFindings


def found(verdict: Any) -> AttackFindings:
    return AttackFindings("a", "s", {}, {}, verdict, "")


LEAK, SAFE, WEAK = found("leak"), found("no evidence of a leak"), found("attack too weak")


@pytest.mark.parametrize(
    ("attacks", "needs", "expected"),
    [
        ([], [], NOT_MEASURED),
        ([WEAK, WEAK], ["photographs", "scans"], TOO_WEAK),
        (
            [LEAK, SAFE],
            ["photographs", "photographs"],
            "People in this release can be recognised by whoever holds photographs of them.",
        ),
        (
            [SAFE, WEAK, LEAK],
            ["photographs", "photographs", "scans"],
            "People in this release can be recognised by whoever holds another scan of their heads. With "
            "photographs, the attacks do no better than guessing.",
        ),
        (
            [LEAK, LEAK, LEAK],
            ["photographs", "scans", "table"],
            "People in this release can be recognised by whoever holds photographs of them, whoever holds another "
            "scan of their heads and whoever knows the facts that the table tells of them.",
        ),
        (
            [SAFE, WEAK],
            ["photographs", "scans"],
            "These people could be recognised in the original images. In the release, the same attacks do no "
            "better than guessing, with photographs of the right people.",
        ),
    ],
)
def test_the_answer_names_who_can(attacks: list[AttackFindings], needs: list[str], expected: str) -> None:
    assert answer(attacks, needs) == expected


def test_a_kind_of_attacker_that_leaks_once_is_not_called_closed() -> None:
    assert "guessing" not in answer([SAFE, LEAK], ["scans", "scans"])
