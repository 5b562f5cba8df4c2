"""Glossary: the words of the page, in words."""

from __future__ import annotations

from typing import Any

from medveil.core.findings import Findings
from medveil.report.panels.base import Panel

TERMS = (
    ("original", "The images before protection. The attack must work here, else it proves nothing."),
    ("release", "The images after protection, as they would be handed out."),
    (
        "null",
        "The same attack on heads held against photographs of other people, many times over. There is nothing to "
        "find, so this is what luck gives. Its interval is the range of luck.",
    ),
    ("mated, non-mated", "A pair of images of one person; a pair of images of two people."),
    ("gallery, probe", "The labelled photographs the attacker holds; the image they want to put a name to."),
    ("score", "How alike an attack finds two images. Higher means more likely one person."),
    ("AUC", "Chance that a mated pair scores higher than a non-mated one. 0.5 is guessing, 1 is certainty."),
    ("EER", "Equal error rate: the error of the attack where misses are as frequent as false alarms."),
    (
        "linkability",
        "D_sys, 0 to 1: how much a score tells whether a pair is mated, if half of all pairs were. "
        "Small samples push it up, so compare it with its chance value, not with 0.",
    ),
    ("rank-1, rank-k", "How often the right person comes first, or among the first k, of all candidates."),
    ("CMC", "Cumulative match characteristic: the rank-k rate for every k."),
    ("ROC, DET", "Two drawings of the errors of an attack over all thresholds."),
    ("[low, high]", "Confidence interval, from redrawing people, not pairs: people are what varies."),
    ("chance", "What an attacker reaches who guesses."),
    ("p", "How often guessing would do at least as well. Small: the attack is better than guessing."),
    (
        "smallest AUC",
        "The smallest effect this many people could have told from chance. Smaller ones may go unseen.",
    ),
)


def context(findings: Findings) -> dict[str, Any]:
    return {"terms": TERMS}


PANEL = Panel("glossary", "The words on this page", "Glossary", context)
