"""Inference: what the images tell of people beside who they are, against what is told without them.

One table a property: a row each for the originals, the release, photographs, and for those who look at no image. A
reader should see first whether the release's rows lie above the last ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medveil.core.estimate import Estimate
from medveil.core.findings import Findings
from medveil.core.inference import PRIOR, RELEASE, TABLE, Inference
from medveil.report import words
from medveil.report.panels.answer import advice
from medveil.report.panels.base import Panel

CLASS_COLUMNS = (
    "balanced_accuracy",
    "accuracy",
    "auc",
    "tpr_at_fpr_01",
    "tpr_at_fpr_001",
    "gain_over_prior",
)
NUMBER_COLUMNS = ("mae", "r", "gain_over_prior")
TABLE_COLUMNS = ("with_table", "gain_over_table")
HEADS = {
    "balanced_accuracy": "Balanced accuracy",
    "accuracy": "Accuracy",
    "auc": "AUC",
    "tpr_at_fpr_01": "Found at 1 % false alarms",
    "tpr_at_fpr_001": "Found at 0.1 % false alarms",
    "mae": "Mean error",
    "r": "Correlation",
    "gain_over_prior": "Gain over guessing blindly",
    "with_table": "Image and table together",
    "gain_over_table": "Gain over the table",
}
READINGS = {
    "balanced_accuracy": "How often each class is guessed right, averaged over the classes. At its chance value: nothing is told.",
    "accuracy": "How often a person is guessed right. Chance is the share of the most frequent class.",
    "mae": "How far off the guess is in the mean. Chance is the error of guessing the median of other people.",
    "gain_over_prior": "What the image adds to guessing blindly. Above 0 with its interval: it tells something.",
    "gain_over_table": "What the image adds to the released table. Around 0: it tells nothing that the table does not.",
}
WITHOUT = {TABLE: "no image, the released table", PRIOR: "no image, no table"}
ROWS = {
    "original": "original, whole head",
    "original brain": "original, brain",
    "original render": "original, renders of the face",
    "release": "release, whole head",
    "release brain": "release, brain",
    "release render": "release, renders of the face",
}


def context(findings: Findings) -> dict[str, Any] | None:
    """None where nothing was inferred, which leaves the section out."""
    found = findings.inferences
    return {"properties": [_property(f, explain=i == 0) for i, f in enumerate(found)]} if found else None


def _property(f: Inference, *, explain: bool) -> dict[str, Any]:
    columns = [*(NUMBER_COLUMNS if f.numeric else CLASS_COLUMNS)]
    columns += TABLE_COLUMNS if f.baseline == TABLE else ()
    columns = [c for c in columns if any(c in e for e in f.conditions.values())]
    return {
        "attribute": words.printable(f.attribute),
        "verdict": f.verdict,
        "advice": advice(f.verdict),
        "reason": words.printable(f.reason),
        "people": _people(f),
        "columns": [{"head": HEADS[c], "reading": READINGS.get(c, "") if explain else ""} for c in columns],
        "rows": [_row(label, e, columns) for label, e in f.conditions.items()],
        "recalls": _recalls(f),
    }


def _people(f: Inference) -> str:
    said = words.counted(f.people, "person", "people")
    kinds = ", ".join(f"{n:,} {words.printable(c)}" for c, n in f.classes.items())
    return f"{said}: {kinds}" if kinds else said


def _row(label: str, estimates: dict[str, Estimate], columns: Sequence[str]) -> dict[str, Any]:
    return {
        "label": ROWS.get(label, WITHOUT.get(label, words.printable(label))),
        "main": label.split(maxsplit=1)[0] == RELEASE,
        "cells": [_cell(estimates.get(c)) for c in columns],
    }


def _cell(e: Estimate | None) -> dict[str, Any]:
    if e is None or not words.finite(e.value):
        return {"value": words.NONE, "interval": "", "fine": []}
    chance = e.chance if e.name in ("balanced_accuracy", "accuracy", "mae") else None
    fine = (
        f"chance {words.number(chance, 2)}" if chance is not None else "",
        words.p_value(e.p_value),
    )
    return {
        "value": words.value(e),
        "interval": words.interval(e),
        "fine": [text.replace(" ", "\N{NO-BREAK SPACE}") for text in fine if text],
    }


def _recalls(f: Inference) -> list[dict[str, Any]]:
    """How often each class was guessed right in each condition, for those who want to see whom it hits."""
    return [
        {
            "name": words.printable(c),
            "cells": [
                {"label": label, "value": words.full(e[f"recall_{c}"])}
                for label, e in f.conditions.items()
                if f"recall_{c}" in e and label != PRIOR
            ],
        }
        for c in f.classes
    ]


PANEL = Panel("inference", "What the images tell about people", "Inference", context)
