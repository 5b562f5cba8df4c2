"""The scores in pictures: five kinds of figure, each with its reading guide, side by side for all attacks."""

from __future__ import annotations

from typing import Any

from medveil.core.findings import Findings
from medveil.report.panels import cmc, det, gallery, histogram, roc
from medveil.report.panels.base import Panel

DRAWINGS = (histogram.DRAWING, roc.DRAWING, det.DRAWING, cmc.DRAWING, gallery.DRAWING)


def context(findings: Findings) -> dict[str, Any] | None:
    blocks = []
    for drawing in DRAWINGS:
        figures = [
            {"attack": attack.attack, "svg": svg}
            for i, attack in enumerate(findings.attacks)
            if (svg := drawing.paint(attack, f"{drawing.name}-{i}")) is not None
        ]
        if figures:
            blocks.append({"drawing": drawing, "figures": figures})
    return {"blocks": blocks} if blocks else None


PANEL = Panel("figures", "The scores in pictures", "Figures", context)
