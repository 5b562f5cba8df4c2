"""The forest plot: the AUC of every attack and condition with its interval, against the line of chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from medveil.core.findings import AttackFindings
from medveil.report import words
from medveil.report.figures import HAIRLINE, INK, QUIET, draw, pens

if TYPE_CHECKING:
    from markupsafe import Markup


CHANCE = 0.5  # of an AUC, whoever guesses


def paint(attacks: Sequence[AttackFindings]) -> Markup | None:
    """All attacks in one picture, None where no AUC is defined."""
    blocks = [
        (
            attack.attack,
            [
                (c.label, c.estimates["auc"])
                for c in words.conditions(attack)
                if "auc" in c.estimates and words.finite(c.estimates["auc"].value)
            ],
        )
        for attack in attacks
    ]
    blocks = [(name, rows) for name, rows in blocks if rows]
    if not blocks:
        return None
    lines = sum(1.15 + len(rows) for _, rows in blocks)
    label = "AUC with its interval; the line of chance is at 0.5. " + " ".join(
        f"{name}: " + ", ".join(f"{k} {words.full(e)}" for k, e in rows) + "." for name, rows in blocks
    )

    from matplotlib.ticker import MultipleLocator
    from matplotlib.transforms import blended_transform_factory

    def fill(figure: Any) -> None:
        axes = figure.subplots()
        axes.axvline(CHANCE, color=QUIET, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
        beside = blended_transform_factory(figure.transFigure, axes.transData)
        y = 0.0
        for name, rows in blocks:
            axes.text(
                0.005,
                y,
                words.printable(name),
                transform=beside,
                va="center",
                fontweight="bold",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )
            y += 1.0
            pen = pens([k for k, _ in rows])
            for key, e in rows:
                if e.low is not None and e.high is not None:
                    axes.plot([e.low, e.high], [y, y], color=pen[key].colour, linewidth=2.2, zorder=2)
                axes.plot(
                    e.value,
                    y,
                    pen[key].marker,
                    color=pen[key].colour,
                    markersize=6.5,
                    zorder=3,
                    clip_on=False,
                )
                axes.text(0.005, y, words.printable(key), transform=beside, va="center", color=INK)
                axes.text(0.67, y, words.full(e), transform=beside, va="center", color=INK)
                y += 1.0
            y += 0.15
        low = min([0.4, *(e.low for _, rows in blocks for _, e in rows if e.low is not None)])
        axes.set_xlim(max(0.0, low - 0.03), 1.01)
        axes.set_ylim(y - 0.4, -0.6)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MultipleLocator(0.1 if low > 0.35 else 0.2))
        axes.spines["left"].set_visible(False)
        axes.xaxis.grid(True, color=HAIRLINE, linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel("AUC (dashed: an attacker who guesses)")

    return draw("forest", label, (3.75, 0.6 + 0.235 * lines), fill, (0.82, 0.5, 1.35, 0.05))
