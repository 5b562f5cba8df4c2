"""Rank-1 by size of the gallery: how the attack would do if it had to choose among fewer people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings
from medveil.report import words
from medveil.report.figures import QUIET, draw, pens
from medveil.report.panels.base import Drawing, Guide

if TYPE_CHECKING:
    from markupsafe import Markup

GUIDE = Guide(
    shown="How often the right person comes out first, if the attacker has to choose among so many candidates: "
    "the mean over all smaller galleries that this one holds. The dashed line, one out of that many, is an "
    "attacker who guesses.",
    better="The release falls along the dashed line.",
    worse="The release stays above the line, and falls slowly: more candidates would not protect anyone.",
    then="Compare with other studies at the same number of candidates, never across. Nothing is said about "
    "galleries larger than the one that was searched.",
)


def paint(attack: AttackFindings, name: str) -> Markup | None:
    rows = [c for c in words.conditions(attack) if len(c.curves.gallery_sizes) > 1]
    if not rows:
        return None
    label = f"Rank-1 rate of {attack.attack} by number of candidates; " + ", ".join(
        f"{c.label} {words.number(c.curves.rank1_by_size[0], 2)} of {c.curves.gallery_sizes[0]:.0f} and "
        f"{words.number(c.curves.rank1_by_size[-1], 2)} of {c.curves.gallery_sizes[-1]:.0f}"
        for c in rows
    )

    def fill(figure: Any) -> None:
        pen = pens([c.label for c in rows])
        axes = figure.subplots()
        sizes = max((c.curves.gallery_sizes for c in rows), key=len)
        axes.plot(sizes, [1 / s for s in sizes], color=QUIET, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
        for c in rows:
            p, curve = pen[c.label], c.curves
            if len(curve.rank1_low) == len(curve.rank1_high) == len(curve.gallery_sizes):
                axes.fill_between(
                    curve.gallery_sizes,
                    curve.rank1_low,
                    curve.rank1_high,
                    color=p.colour,
                    alpha=0.14,
                    linewidth=0,
                )
            axes.plot(
                curve.gallery_sizes,
                curve.rank1_by_size,
                color=p.colour,
                linestyle=p.dash,
                linewidth=p.width,
                marker=p.marker,
                markersize=4.5,
                label=words.printable(c.label),
            )
        axes.set(
            xscale="log",
            ylim=(-0.01, 1.02),
            xlabel="candidates to choose from",
            ylabel="right person comes out first",
        )
        axes.set_xticks([s for s in sizes if s == sizes[-1] or s * 1.5 < sizes[-1]])
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_minor_locator(_no_ticks())
        axes.legend(loc="best")

    return draw(name, label, (3.2, 2.9), fill)


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


DRAWING = Drawing("gallery", "Would more candidates hide them?", GUIDE, paint)
