"""The picture of a training."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field

import pytest
from PIL import Image

from medveil.core.errors import UsageError
from medveil.report.loss_curve import loss_curve


@dataclass
class History:
    steps: list[int] = field(default_factory=lambda: [100, 200, 300])
    train: list[float] = field(default_factory=lambda: [1e-3, 4e-4, 3e-4])
    held_out: list[float] = field(default_factory=lambda: [33.0, 36.5, 36.25])


def said(history: History, **other: str) -> list[str]:
    svg = loss_curve(history, "svg", **other).decode()
    return re.findall(r"<text[^>]*>([^<]+)</text>", svg)


def test_both_curves_are_named_with_their_units() -> None:
    words = said(History())
    assert {"held-out PSNR, dB", "training: mean squared error", "step"} <= set(words)
    assert "best 36.50 at step 200, 36.25 at the end" in words
    assert "0.0003 at the end" in words
    assert "training: mean absolute error, grey levels" in said(
        History(), loss="mean absolute error, grey levels"
    )


def test_the_best_is_told_once_where_it_is_the_last() -> None:
    assert "36.50 at the end" in said(History(held_out=[33.0, 36.0, 36.5]))


def test_the_same_history_gives_the_same_bytes_without_a_date() -> None:
    for form in ("png", "svg"):
        assert loss_curve(History(), form) == loss_curve(History(), form)
    assert not re.search(rb"20\d\d-\d\d|matplotlib v", loss_curve(History(), "svg"))


def test_a_png_is_a_small_picture() -> None:
    data = loss_curve(History())
    picture = Image.open(io.BytesIO(data))
    assert picture.size == (960, 660)
    assert len(data) < 150_000
    assert not picture.info.get("Software")


@pytest.mark.parametrize(
    "history",
    [
        History([1], [0.5], [12.0]),
        History([1, 2], [0.0, 0.0], [10.0, float("inf")]),
        History([1, 2], [float("nan"), 1e-3], [float("nan"), 30.0]),
        History([5, 10, 20], [9.0, 1e-1, 1e-6], [5.0, 5.0, 5.0]),
    ],
)
def test_odd_histories_are_drawn_all_the_same(history: History) -> None:
    assert loss_curve(history).startswith(b"\x89PNG")


def test_an_empty_history_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        loss_curve(History([], [], []))
