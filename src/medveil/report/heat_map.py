"""A heat map: one row a feature, one column a condition, the class by colour and said in the legend."""

from __future__ import annotations

import io
import math
import warnings
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Literal

from medveil.core.errors import UsageError
from medveil.report.figures import INK, QUIET, STYLE

ROW, COLUMN = 0.13, 0.75  # inches
UNDEFINED = "#ffffff"
# Cividis in steps: dark is bad, bright is good, also without colour.
SHADES = ("#00224e", "#575d6d", "#a59c74", "#fee838")


def heat_map(
    rows: Sequence[str],
    columns: Mapping[str, Sequence[float | None]],
    *,
    limits: Sequence[float],
    classes: Sequence[str],
    title: str,
    form: Literal["png", "svg"] = "png",
) -> bytes:
    """The figure; the same numbers give the same bytes.

    Args:
        rows: names, top to bottom.
        columns: name to a value for each row; None is left white.
        limits: between the classes, rising: a value on a limit is of the upper class.
        classes: their names, one more than limits and at most four.
        title: what the values are.
        form: of the picture.

    Raises:
        UsageError: nothing to draw, or counts that do not fit.
    """
    if not rows or not columns or any(len(v) != len(rows) for v in columns.values()):
        raise UsageError("heat map: expected rows, and columns with one value for each of them")
    if len(classes) != len(limits) + 1 or len(classes) > len(SHADES):
        raise UsageError(f"heat map: expected one class more than limits, and at most {len(SHADES)}")
    from matplotlib import style
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    steps = [
        [math.nan if v is None or math.isnan(v) else bisect_right(limits, v) for v in column]
        for column in columns.values()
    ]
    shades = SHADES[-len(classes) :]
    colours = ListedColormap(shades).with_extremes(bad=UNDEFINED)
    out = io.BytesIO()
    width, height = 2.0 + COLUMN * len(columns), 0.9 + ROW * len(rows)
    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        figure = Figure(figsize=(width, height), dpi=150)
        axes = figure.add_axes(
            (1.6 / width, 0.45 / height, COLUMN * len(columns) / width, ROW * len(rows) / height)
        )
        axes.imshow(
            list(zip(*steps, strict=True)),
            aspect="auto",
            interpolation="nearest",
            cmap=colours,
            vmin=-0.5,
            vmax=len(classes) - 0.5,
        )
        axes.set_yticks(range(len(rows)), rows, fontsize=6)
        axes.set_xticks(range(len(columns)), list(columns))
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        axes.set_title(title, loc="left", fontsize=8.5, color=INK)
        figure.legend(
            handles=[
                Patch(facecolor=s, edgecolor=QUIET, label=c) for s, c in zip(shades, classes, strict=True)
            ],
            loc="lower center",
            ncols=len(classes),
            fontsize=6.5,
            handlelength=1.2,
            columnspacing=1.0,
        )
        nothing = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, metadata=nothing)
    return out.getvalue()
