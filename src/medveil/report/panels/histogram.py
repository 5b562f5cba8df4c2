"""Score histograms: mated pairs against non-mated pairs, one row a condition, one axis of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings
from medveil.report import words
from medveil.report.figures import INK, QUIET, draw, pens
from medveil.report.panels.base import Drawing, Guide

if TYPE_CHECKING:
    from markupsafe import Markup

GUIDE = Guide(
    shown="How alike the attack finds a scan and a photograph: filled where both show one person (mated), "
    "outlined where they show two (non-mated).",
    better="The two shapes of the release lie on top of each other, as those of the null do.",
    worse="The filled shape of the release stands to the right of the outline: same people look alike.",
    then="If only a tail of the filled shape stands clear, a few images may leak; look for them in the score table.",
)


def paint(attack: AttackFindings, name: str) -> Markup | None:
    rows = [c for c in words.conditions(attack) if len(c.curves.bins) > 1]
    rows = [c for c in rows if len(c.curves.mated) == len(c.curves.non_mated) == len(c.curves.bins) - 1]
    if not rows:
        return None
    label = f"Score histograms of {attack.attack}: " + "; ".join(
        f"{c.label}, {c.mated} mated and {c.non_mated} non-mated pairs" for c in rows
    )

    def fill(figure: Any) -> None:
        pen = pens([c.label for c in rows])
        grid = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
        for axes, c in zip(grid, rows, strict=True):
            colour = pen[c.label].colour
            axes.stairs(c.curves.mated, c.curves.bins, fill=True, color=colour, alpha=0.45)
            axes.stairs(c.curves.mated, c.curves.bins, color=colour, linewidth=1.1)
            axes.stairs(c.curves.non_mated, c.curves.bins, color=INK, linewidth=1.2)
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.text(
                0, 0.98, words.printable(c.label), transform=axes.transAxes, va="top", fontweight="bold"
            )
            axes.text(
                1,
                0.98,
                f"{c.mated:,} mated, {c.non_mated:,} non-mated",
                transform=axes.transAxes,
                va="top",
                ha="right",
                color=QUIET,
                fontsize=7.5,
            )
            top = max([1e-9, *c.curves.mated, *c.curves.non_mated])
            axes.set_ylim(0, 1.4 * top)
        grid[-1].set_xlabel("score (further right: more alike)")

    return draw(name, label, (3.2, 0.5 + 0.85 * len(rows)), fill, (0.1, 0.45, 0.1, 0.05))


DRAWING = Drawing("histogram", "Do same people look more alike than strangers?", GUIDE, paint)
