"""Numbers as words."""

from __future__ import annotations

import doctest

import pytest

from medveil.core.estimate import Estimate
from medveil.report import words


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate("auc", 0.9731, 0.93, 0.991), "0.97 [0.93, 0.99]"),
        (Estimate("auc", 0.9983, 0.997, 0.9991), "0.998 [0.997, 0.999]"),
        (Estimate("auc", 1.0, 1.0, 1.0), "1.00 [1.00, 1.00]"),
        (Estimate("rank_1", 0.0, 0.0, 0.21), "0.00 [0.00, 0.21]"),
        (Estimate("auc", 0.5), "0.500"),
        (Estimate("auc", None, note="x"), "undefined"),
        (Estimate("psnr", float("inf"), unit="dB"), "undefined"),
        (
            Estimate("shift", -1.234, -2.0, -0.5, unit="mm"),
            "\N{MINUS SIGN}1.23 mm [\N{MINUS SIGN}2, \N{MINUS SIGN}0.5]",
        ),
        (Estimate("voxels_changed", 0.0, 0.0, 0.0), "0 [0, 0]"),
    ],
)
def test_an_estimate_as_a_reader_sees_it(estimate: Estimate, text: str) -> None:
    assert words.full(estimate) == text


def test_an_estimate_that_is_not_there() -> None:
    assert words.full(None) == "not computed"


def test_known_names_come_first_whatever_the_order_of_the_file() -> None:
    assert words.in_order(["b", "null", "a", "original"], words.CONDITIONS) == ["original", "null", "a", "b"]


def test_settings_as_text() -> None:
    assert words.setting({"b": True, "a": [1, 2.5, None]}) == "a 1, 2.5, none, b yes"
    assert words.setting("~/x") == words.setting("/x") == words.setting("C:\\x") == "(a path, not shown)"


def test_the_examples_in_the_docstrings_hold() -> None:
    found = doctest.testmod(words)
    assert found.attempted > 5
    assert found.failed == 0
