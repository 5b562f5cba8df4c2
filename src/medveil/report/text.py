"""The findings in a few plain lines, for a terminal."""

from __future__ import annotations

from medveil.core.findings import AttackFindings, Findings
from medveil.core.inference import Inference
from medveil.report import words
from medveil.report.panels.answer import SIMULATED

MOST = 12


def summary_lines(findings: Findings) -> list[str]:
    """At most 12 lines: the answer, each attack on original, release and null, images, the verdict.

    Control characters are replaced: a label from a stranger's file may not steer the terminal.
    """
    head = [findings.answer]
    tail = []
    if findings.images:
        protected = sum(1 for row in findings.images if row.get("state") == "protected")
        refused = len(findings.images) - protected
        tail.append(f"images: {protected} protected, {refused} refused")
    if findings.unmeasured:
        tail.append(f"not run, for reasons on the page: {', '.join(findings.unmeasured)}")
    if findings.simulated:
        tail.append(SIMULATED)
    tail.append(f"verdict: {findings.verdict}")
    attacks = [_line(attack) for attack in findings.attacks]
    attacks += [_guessed(found) for found in findings.inferences]
    room = MOST - len(head) - len(tail)
    if len(attacks) > room:
        attacks = [*attacks[: room - 1], f"and {len(attacks) - room + 1} more attacks"]
    return [words.printable(line) for line in head + attacks + tail]


def _line(attack: AttackFindings) -> str:
    numbers = ", ".join(f"{c.label} {words.full(c.estimates.get('auc'))}" for c in words.conditions(attack))
    return f"{attack.attack}: AUC {numbers or 'not computed'} ({attack.verdict})"


def _guessed(found: Inference) -> str:
    """The two or three figures of what was guessed of people, of each way of looking at the release."""
    names = ("balanced_accuracy", "mae", "auc", "tpr_at_fpr_01")
    shown = [
        f"{label} " + " ".join(f"{words.phrase(n)} {words.full(e[n])}" for n in names if n in e)
        for label, e in found.conditions.items()
        if label.startswith("release") or found.attribute == "member"
    ]
    return f"{found.attack}, {found.attribute}: {', '.join(shown) or 'not measured'} ({found.verdict})"
