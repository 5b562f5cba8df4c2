"""The answer: one sentence, a verdict in colour, sign and word, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from medveil.core.errors import InputRefused
from medveil.core.findings import AttackFindings, Findings
from medveil.report import words


@dataclass(frozen=True)
class Advice:
    """How a verdict looks and what follows from it; `tone` is a colour, `sign` says it without colour."""

    tone: str
    sign: str
    meaning: tuple[str, ...]
    steps: tuple[str, ...]


LOOK_AT_REFUSED = "Look through the refused images: they are not in the release."

FACELESS = {
    "link.brain": "No defacing hides a brain: hand it only to people who hold no other scans of these people, or who are "
    "bound by an agreement not to compare.",
    "link.metadata": "Copies of the same scan can be found by what they share: know who holds the originals.",
    "link.table": "Tell less in the table: ages in bands, fewer columns; then measure again.",
}
"""Attacks that need no face, and what to do against each."""

ADVICE = {
    "leak": Advice(
        "leak",
        "!",
        (
            "At least one attack recognises people in the release better than guessing would.",
            "Somebody who holds what that attack needs could use it to put names to images.",
        ),
        (
            "Do not hand out this release.",
            "See below which attack worked, and whether a few images or all of them carry it.",
            "Protect more strongly, make a new release and measure it again.",
            "If it has left the house already, tell whoever is responsible for the data.",
        ),
    ),
    "no evidence of a leak": Advice(
        "calm",
        "○",
        (
            "An attack that works on the originals was not seen to work on the release.",
            "That covers the attacks on this page and effects that this many people could show, no more.",
        ),
        (
            "Read the smallest effect this test could have shown; if it is too large for you, add people.",
            LOOK_AT_REFUSED,
            "Keep what else protects these people: agreements, access control, a review before data leave.",
        ),
    ),
    "attack too weak": Advice(
        "weak",
        "?",
        (
            "The attacks fail on the originals already, so their failure on the release means nothing.",
            "This is a statement about the test, not about the release.",
        ),
        (
            "Treat the release as not measured.",
            "Give the attack a better chance: more people, more or sharper photographs, another attack.",
            "Measure again; a verdict needs an attack that recognises people in the originals.",
        ),
    ),
    "not measured": Advice(
        "none",
        words.NONE,
        (
            "Nobody tried to recognise the people in this release.",
            "Below stands what was removed, not how well that protects anyone.",
        ),
        (
            "Measure the risk: `medveil release DIR --photos PHOTOS`, with photographs you are allowed to use.",
            "Until then, treat the release as untested.",
        ),
    ),
}

ROWS = (
    "subjects",
    "images",
    "contrasts",
    "released images",
    "refused images",
    "candidates, photographs",
    "candidates, scans",
)
SIMULATED = "simulated cohort: ranks tools, does not estimate real-world rates"


def advice(verdict: str) -> Advice:
    if verdict not in ADVICE:
        raise InputRefused("findings: unknown verdict", hint="known are " + ", ".join(ADVICE))
    return ADVICE[verdict]


def context(findings: Findings) -> dict[str, Any]:
    refused = any(row.get("state") != "protected" for row in findings.images)
    return {
        "answer": findings.answer,
        "verdict": findings.verdict,
        "advice": advice(findings.verdict),
        "steps": [s for s in _steps(findings) if s != LOOK_AT_REFUSED or refused],
        "threats": list(dict.fromkeys(a.threat for a in findings.attacks if a.threat)) or [findings.threat],
        "names": findings.names,
        "brains": any(a.attack.startswith("link.brain") for a in findings.attacks),
        "simulated": SIMULATED if findings.simulated else "",
        "smallest": [
            (a.attack, words.number(a.smallest_auc, 2))
            for a in findings.attacks
            if findings.verdict == a.verdict == "no evidence of a leak" and a.smallest_auc is not None
        ],
        "tiles": [tile for a in findings.attacks if (tile := _tile(a))["parts"]],
        "cohort": [(words.phrase(k), findings.cohort[k]) for k in words.in_order(findings.cohort, ROWS)],
    }


def _steps(findings: Findings) -> tuple[str, ...]:
    """What follows from the verdict; where no face is the leak, removing more of it would not help."""
    leaks = {a.attack for a in findings.attacks if a.verdict == "leak"}
    if findings.verdict != "leak" or not leaks or leaks - FACELESS.keys():
        return advice(findings.verdict).steps
    return (
        "Do not hand out this release as open data.",
        *(FACELESS[name] for name in FACELESS if name in leaks),
        "If it has left the house already, tell whoever is responsible for the data.",
    )


def _tile(attack: AttackFindings) -> dict[str, Any]:
    """One attack in a sentence a steward may repeat: how often of 100 it prefers the right person."""
    parts = []
    for condition in words.conditions(attack):
        auc = condition.estimates.get("auc")
        if auc is not None and words.finite(auc.value):
            parts.append(
                {
                    "label": condition.label,
                    "times": words.times_in_100(auc.value or 0.0),
                    "range": ""
                    if auc.low is None or auc.high is None
                    else f"{words.times_in_100(auc.low)} to {words.times_in_100(auc.high)}",
                }
            )
    return {
        "attack": attack.attack,
        "parts": parts,
        "verdict": attack.verdict,
        "advice": advice(attack.verdict),
    }
