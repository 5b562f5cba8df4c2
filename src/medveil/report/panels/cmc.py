"""The CMC: how often the right person is among the first k candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings, Condition
from medveil.report import words
from medveil.report.figures import QUIET, draw, pens
from medveil.report.panels.base import Drawing, Guide

if TYPE_CHECKING:
    from markupsafe import Markup

GUIDE = Guide(
    shown="The attack ranks all candidates for each image. Height at k: how often the right person is "
    "among the first k. The dashed line, k out of all candidates, is an attacker who guesses.",
    better="The release climbs along the dashed line, and its band holds the line.",
    worse="The release starts high or stays above its line: the attacker has a short list of suspects.",
    then="A short list is a leak too when other knowledge (age, site) can finish it; look at k = 5 as well "
    "as k = 1.",
)


def gallery(condition: Condition) -> int:
    """How many candidates there were: as noted, else as the chance of rank 1 says, else unknown (0)."""
    if condition.notes.get("gallery"):
        return int(condition.notes["gallery"])
    rank_1 = condition.estimates.get("rank_1")
    return round(1 / rank_1.chance) if rank_1 is not None and rank_1.chance else 0


def paint(attack: AttackFindings, name: str) -> Markup | None:
    rows = [c for c in words.conditions(attack) if c.curves.cmc]
    if not rows:
        return None
    label = f"CMC curves of {attack.attack}; rank-1 rate: " + ", ".join(
        f"{c.label} {words.full(c.estimates.get('rank_1'))}" for c in rows
    )

    def fill(figure: Any) -> None:
        pen = pens([c.label for c in rows])
        axes = figure.subplots()
        for size in sorted({gallery(c) for c in rows if c.label != "null" or len(rows) == 1} - {0}):
            last = min(size, max(len(c.curves.cmc) for c in rows))
            axes.plot(
                [1, last],
                [1 / size, last / size],
                color=QUIET,
                linewidth=0.9,
                linestyle=(0, (3, 2)),
                zorder=1,
            )
        for c in rows:
            ranks, p = range(1, len(c.curves.cmc) + 1), pen[c.label]
            if len(c.curves.cmc_low) == len(c.curves.cmc_high) == len(ranks):
                axes.fill_between(
                    ranks,
                    c.curves.cmc_low,
                    c.curves.cmc_high,
                    color=p.colour,
                    alpha=0.14,
                    linewidth=0,
                )
            axes.plot(
                ranks,
                c.curves.cmc,
                color=p.colour,
                linestyle=p.dash,
                linewidth=p.width,
                marker=p.marker if len(ranks) <= 15 else None,
                markersize=4.5,
                label=words.printable(c.label),
            )
        axes.set(ylim=(-0.01, 1.02), xlabel="k candidates looked at", ylabel="right person among them")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(loc="lower right")

    return draw(name, label, (3.2, 2.9), fill)


DRAWING = Drawing("cmc", "How short is the list of suspects?", GUIDE, paint)
