"""The heat map: classes by colour, and the same bytes again."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageColor

from medveil.core.errors import UsageError
from medveil.report.heat_map import SHADES, heat_map

ROWS = ["first", "second", "third", "fourth", "fifth"]
LIMITS, CLASSES = (0.5, 0.75, 0.9), ("poor", "moderate", "good", "excellent")


def drawn(columns: dict[str, list[float | None]], form: str = "png") -> bytes:
    return heat_map(ROWS, columns, limits=LIMITS, classes=CLASSES, title="ICC(2,1)", form=form)


def test_a_value_has_the_colour_of_its_class() -> None:
    picture = np.asarray(Image.open(io.BytesIO(drawn({"a": [0.2, 0.5, 0.89, 0.9, None]}))).convert("RGB"))
    seen = [
        tuple(int(v) for v in c) for c in picture[:, int(1.95 * 150)]
    ]  # down the middle of the only column
    shades = [ImageColor.getrgb(s) for s in SHADES]
    assert list(dict.fromkeys(c for c in seen[: int(len(seen) * 0.7)] if c in shades)) == shades
    heights = [seen[: int(len(seen) * 0.7)].count(s) for s in shades]
    assert max(heights) - min(heights) <= 2  # one row each, the fifth is left white


def test_rows_columns_and_classes_are_named() -> None:
    words = re.findall(r"<text[^>]*>([^<]+)</text>", drawn({"S_x 4": [0.1] * 5}, "svg").decode())
    assert {"S_x 4", "ICC(2,1)", *ROWS, *CLASSES} <= set(words)


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert drawn({"a": [0.1] * 5}, "svg") == drawn({"a": [0.1] * 5}, "svg")
    assert drawn({"a": [0.1] * 5}) == drawn({"a": [0.1] * 5})


def test_what_does_not_fit_is_refused() -> None:
    for columns in ({}, {"a": [0.5]}):
        with pytest.raises(UsageError, match="heat map"):
            drawn(columns)
    with pytest.raises(UsageError, match="one class more"):
        heat_map(["r"], {"a": [1.0]}, limits=(0.5,), classes=("x",), title="")
