"""The ROC: what share of people an attack recognises at which cost in false alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings
from medveil.report import words
from medveil.report.figures import QUIET, draw, pens
from medveil.report.panels.base import Drawing, Guide

if TYPE_CHECKING:
    from markupsafe import Markup

GUIDE = Guide(
    shown="For each threshold: how many mated pairs are recognised, against how many strangers are taken "
    "for the same person. Bands are pointwise intervals.",
    better="The release follows the dashed diagonal, and its band holds the diagonal all along.",
    worse="The release bends to the upper left, towards the original.",
    then="A steep start at the left, clear of the null, means that a few people are recognised with "
    "certainty: a leak, even when the AUC is close to 0.5.",
)


def paint(attack: AttackFindings, name: str) -> Markup | None:
    rows = [c for c in words.conditions(attack) if c.curves.fpr and len(c.curves.fpr) == len(c.curves.tpr)]
    if not rows:
        return None
    label = f"ROC curves of {attack.attack}; AUC: " + ", ".join(
        f"{c.label} {words.full(c.estimates.get('auc'))}" for c in rows
    )

    def fill(figure: Any) -> None:
        pen = pens([c.label for c in rows])
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (3, 2)))
        for c in rows:
            x, p = c.curves.fpr, pen[c.label]
            if len(c.curves.tpr_low) == len(c.curves.tpr_high) == len(x):
                axes.fill_between(
                    x, c.curves.tpr_low, c.curves.tpr_high, color=p.colour, alpha=0.14, linewidth=0
                )
            axes.plot(
                x,
                c.curves.tpr,
                color=p.colour,
                linestyle=p.dash,
                linewidth=p.width,
                label=words.printable(c.label),
            )
        axes.set(
            xlim=(-0.01, 1.01),
            ylim=(-0.01, 1.01),
            xlabel="strangers taken for the same person",
            ylabel="same people recognised",
        )
        axes.set_aspect("equal")
        axes.legend(loc="lower right")

    return draw(name, label, (3.2, 3.1), fill)


DRAWING = Drawing("roc", "How many are recognised, at which cost?", GUIDE, paint)
