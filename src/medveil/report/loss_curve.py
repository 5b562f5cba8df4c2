"""The loss curve of a training, as a small picture to lie beside the trained network."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Sequence
from typing import Any, Literal, Protocol

from medveil.core.errors import UsageError
from medveil.report.figures import HAIRLINE, INK, OTHERS, PENS, QUIET, STYLE

SIZE = (4.8, 3.3)  # inches


class History(Protocol):
    """What is drawn; `nn.fit.History` is one."""

    @property
    def steps(self) -> Sequence[int]:
        """Steps of the optimiser at which it was looked at."""
        ...

    @property
    def train(self) -> Sequence[float]:
        """Mean training loss since the look before."""
        ...

    @property
    def held_out(self) -> Sequence[float]:
        """PSNR on held-out images, dB."""
        ...


def loss_curve(
    history: History, form: Literal["png", "svg"] = "png", *, loss: str = "mean squared error"
) -> bytes:
    """Held-out PSNR above, training loss below, over the steps; the same history gives the same bytes.

    Args:
        form: of the picture.
        loss: name of the training loss, with its unit if it has one.

    Raises:
        UsageError: the history is empty.
    """
    if not history.steps:
        raise UsageError("training: nothing to draw, no step was looked at yet")
    from matplotlib import style
    from matplotlib.figure import Figure

    out = io.BytesIO()
    with style.context(["default", STYLE]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a figure of one look has an axis without extent
        figure = Figure(figsize=SIZE, dpi=200)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        figure.subplots_adjust(left=0.13, right=0.97, bottom=0.13, top=0.92, hspace=0.32)
        _line(above, history.steps, history.held_out, PENS["release"])
        _line(below, history.steps, history.train, OTHERS[0])
        if any(value > 0 for value in history.train):
            below.set_yscale("log")
            below.minorticks_off()
            _few_ticks(below, [value for value in history.train if value > 0 and math.isfinite(value)])
        _title(above, "held-out PSNR, dB", _best(history))
        _title(below, f"training: {loss}", f"{history.train[-1]:.3g} at the end")
        below.set_xlabel("step")
        below.set_xlim(0, history.steps[-1] * 1.02)
        above.tick_params(labelbottom=False)
        # Neither a date nor the version of a program: they would change the bytes.
        nothing = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(out, format=form, metadata=nothing)
    return out.getvalue()


def _line(axes: Any, steps: Sequence[int], values: Sequence[float], pen: Any) -> None:
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.plot(steps, values, color=pen.colour, linewidth=1.6)
    axes.plot(steps[-1], values[-1], pen.marker, color=pen.colour, markersize=4.5, clip_on=False)


def _title(axes: Any, left: str, right: str) -> None:
    axes.set_title(left, loc="left", fontsize=8.5, color=INK)
    axes.set_title(right, loc="right", fontsize=8.5, color=QUIET)


def _best(history: History) -> str:
    best, at = max(zip(history.held_out, history.steps, strict=True))
    if at == history.steps[-1]:
        return f"{best:.2f} at the end"
    return f"best {best:.2f} at step {at}, {history.held_out[-1]:.2f} at the end"


def _few_ticks(axes: Any, values: Sequence[float]) -> None:
    """Plain numbers at 1, 2, 5 of each decade; at the decades alone where they are many."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    decades = math.log10(max(values) / min(values)) if values else 0
    axes.yaxis.set_major_locator(
        LogLocator(subs=(1.0, 2.0, 5.0) if 0 < decades < 1.5 else (1.0,), numticks=6)
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
