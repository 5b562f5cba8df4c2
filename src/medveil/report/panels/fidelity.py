"""Fidelity: how far the released images are from their sources, the removed parts included."""

from __future__ import annotations

from typing import Any

from medveil.core.findings import Findings
from medveil.report import words
from medveil.report.panels.base import Panel

DIRECTIONS = {
    "higher": "higher is closer to the original",
    "lower": "lower is closer to the original",
    "": "",
}


def context(findings: Findings) -> dict[str, Any] | None:
    if not findings.fidelity:
        return None
    return {
        "rows": [
            {
                "name": words.phrase(key),
                "value": words.value(e),
                "interval": words.interval(e),
                "level": f"{100 * e.level:g} %" if e.low is not None else "",
                "n": f"{e.n:,}" if e.n else words.NONE,
                "reading": DIRECTIONS[e.better],
                "note": e.note,
            }
            for key, e in sorted(findings.fidelity.items())
        ]
    }


PANEL = Panel("fidelity", "What was kept", "Fidelity", context)
