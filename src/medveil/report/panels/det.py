"""The DET: both kinds of error on normal-deviate axes, where a Gaussian attack is a straight line."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings
from medveil.report import words
from medveil.report.figures import HAIRLINE, QUIET, draw, pens
from medveil.report.panels.base import Drawing, Guide

if TYPE_CHECKING:
    from markupsafe import Markup

GUIDE = Guide(
    shown="The two ways an attack can be wrong, missed people against false alarms, drawn so that small "
    "errors have room. On the thin rising line both are equal: that crossing is the EER.",
    better="The release lies on the dashed line from corner to corner: every gain costs as much.",
    worse="The release moves towards the lower left, where both errors are small.",
    then="Compare where original and release cross the rising line: the way between them is what "
    "protection has bought.",
)
TICKS = (0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
EDGE = 0.004  # rates nearer to 0 or 1 are drawn here
ROOM = 0.12  # deviates; keeps a line at the edge off the axis


def paint(attack: AttackFindings, name: str) -> Markup | None:
    rows = [c for c in words.conditions(attack) if c.curves.fpr and len(c.curves.fpr) == len(c.curves.tpr)]
    if not rows:
        return None
    label = f"DET curves of {attack.attack}; EER: " + ", ".join(
        f"{c.label} {words.full(c.estimates.get('eer'))}" for c in rows
    )

    def fill(figure: Any) -> None:
        pen = pens([c.label for c in rows])
        axes = figure.subplots()
        low, high = deviate(EDGE), deviate(1 - EDGE)
        axes.plot([low, high], [high, low], color=QUIET, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.plot([low, high], [low, high], color=HAIRLINE, linewidth=0.8)
        for c in rows:
            p = pen[c.label]
            axes.plot(
                [deviate(x) for x in c.curves.fpr],
                [deviate(1 - y) for y in c.curves.tpr],
                color=p.colour,
                linestyle=p.dash,
                linewidth=p.width,
                label=words.printable(c.label),
            )
        ticks, names = [deviate(t) for t in TICKS], [f"{100 * t:g} %" for t in TICKS]
        axes.set_xticks(ticks, names, fontsize=7.5)
        axes.set_yticks(ticks, names, fontsize=7.5)
        axes.set(
            xlim=(low - ROOM, high + ROOM),
            ylim=(low - ROOM, high + ROOM),
            xlabel="false alarms: strangers accepted",
            ylabel="misses: same people not seen",
        )
        axes.set_aspect("equal")
        axes.legend(loc="upper right")

    return draw(name, label, (3.2, 3.1), fill)


def deviate(rate: float) -> float:
    """Where a rate lies on a normal-deviate axis; 0 and 1, which lie nowhere, go to the edge."""
    return NormalDist().inv_cdf(min(max(rate, EDGE), 1 - EDGE))


DRAWING = Drawing("det", "How wrong is the attack?", GUIDE, paint)
