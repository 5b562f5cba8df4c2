"""The numbers: each attack on the original, on the release and on the null, with intervals and chance."""

from __future__ import annotations

from typing import Any

from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Condition, Findings
from medveil.report import words
from medveil.report.panels import forest
from medveil.report.panels.answer import advice
from medveil.report.panels.base import Panel

READINGS = {
    "auc": "How often the right person scores higher than somebody else. "
    "Near 0.5: the attacker guesses. Near 1: they recognise.",
    "eer": "Share of wrong calls where both kinds of error are equal. "
    "Near 0.5: the attacker guesses. Near 0: they recognise.",
    "linkability": "How far a score tells that two images show one person. "
    "Near its chance value: it tells nothing. Near 1: it gives people away.",
    "rank_1": "How often the right person is first among all candidates. "
    "Near chance: the attacker guesses. Near 1: they name people.",
    "rank_1_with_table": "The same among those whom age, sex and the like leave possible. "
    "What the table alone gives away is measured by link.table.",
}
NOTHING = (
    "No attack was run: neither photographs nor other scans were given; `medveil release DIR --photos PHOTOS` "
    "measures the risk"
)


def context(findings: Findings) -> dict[str, Any]:
    return {
        "nothing": "" if findings.attacks else NOTHING,
        "forest": forest.paint(findings.attacks),
        "attacks": [_table(a, explain=i == 0) for i, a in enumerate(findings.attacks)],
        "strongest": findings.strongest,
        "unmeasured": sorted(findings.unmeasured.items()),
    }


def _table(attack: AttackFindings, *, explain: bool) -> dict[str, Any]:
    conditions = words.conditions(attack)
    names = words.in_order({k for c in conditions for k in c.estimates}, (*words.METRICS, *words.MORE))
    main = [n for n in names if n in words.METRICS] or names
    notes = {k for c in conditions for k in c.notes}
    return {
        "attack": attack.attack,
        "summary": words.sentence(attack.summary),
        "threat": attack.threat,
        "verdict": attack.verdict,
        "advice": advice(attack.verdict),
        "reason": attack.reason,
        "levels": _levels(conditions),
        "smallest": ""
        if attack.smallest_auc is None or "smallest" in attack.reason
        else words.number(attack.smallest_auc, 2),
        "conditions": [_head(c) for c in conditions],
        "rows": [_row(name, conditions, explain) for name in main],
        "more": [_more(name, conditions) for name in names] if len(names) > len(main) else [],
        "notes": [(words.phrase(k), [_note(k, c) for c in conditions]) for k in sorted(notes)],
    }


def _levels(conditions: list[Condition]) -> str:
    levels = {e.level for c in conditions for e in c.estimates.values() if e.low is not None}
    return " or ".join(f"{100 * level:g} %" for level in sorted(levels)) or "no"


def _head(condition: Condition) -> dict[str, str]:
    return {
        "label": condition.label,
        "people": words.counted(condition.persons, "person", "people"),
        "pairs": f"{condition.mated:,} mated, {condition.non_mated:,} non-mated pairs",
    }


def _row(name: str, conditions: list[Condition], explain: bool) -> dict[str, Any]:
    estimates = [c.estimates.get(name) for c in conditions]
    chances = sorted(e.chance for e in estimates if e is not None and e.chance is not None)
    ends = dict.fromkeys(words.number(x, 2) for x in (chances[0], chances[-1])) if chances else {}
    return {
        "name": words.phrase(name),
        "reading": READINGS.get(name, "") if explain else "",
        "chance": " to ".join(ends),
        "cells": [
            _cell(e or Estimate(name, None, note="not computed"), c.label)
            for e, c in zip(estimates, conditions, strict=True)
        ],
    }


def _more(name: str, conditions: list[Condition]) -> dict[str, Any]:
    estimates = [c.estimates.get(name) or Estimate(name, None) for c in conditions]
    return {
        "name": words.phrase(name),
        "note": next((e.note for e in estimates if e.note), ""),
        "cells": [{"value": words.value(e), "interval": words.interval(e)} for e in estimates],
    }


def _note(key: str, condition: Condition) -> str:
    """A number noted beside the scores; a share of detected faces reads better in per cent."""
    if key not in condition.notes:
        return ""
    share = key.endswith(("_detected", "_empty", "_located", "_on_skin"))
    return f"{100 * condition.notes[key]:.0f} %" if share else words.number(condition.notes[key])


def _cell(estimate: Estimate, label: str) -> dict[str, Any]:
    undefined = not words.finite(estimate.value)
    fine = (
        words.p_value(estimate.p_value),
        f"n = {estimate.n:,}" if estimate.n else "",
    )
    return {
        "label": label,
        "value": words.value(estimate),
        "interval": words.interval(estimate),
        "fine": [text.replace(" ", "\N{NO-BREAK SPACE}") for text in fine if text],
        "note": estimate.note if undefined else "",
        "undefined": undefined,
    }


PANEL = Panel("numbers", "What the attacks achieved", "Numbers", context)
