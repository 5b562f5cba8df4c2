"""The figures of docs/concepts/sparse-codes.md follow from the settings."""

from __future__ import annotations

from math import comb, log2
from pathlib import Path

import pytest

from medveil.nn.settings import NetSettings

PAGE = Path(__file__).parents[3] / "docs" / "concepts" / "sparse-codes.md"


@pytest.mark.parametrize("nonzeros", [4, 8, 16])
def test_rates_are_computed(nonzeros: int) -> None:
    s = NetSettings(nonzeros=nonzeros)
    support, values = log2(comb(s.atoms, nonzeros)), nonzeros * log2(2 * s.steps)
    cells = [f"{support:.1f}", f"{values:.1f}"]
    for side in (2048, 256):
        rows, cols = s.sites(side, side)
        for bits in (support, support + values):
            cells.append(f"{s.levels * rows * cols * bits / side**2:.2f} bpp")
    assert f"| {nonzeros} | " + " | ".join(cells) + " |" in PAGE.read_text(encoding="utf-8")


def test_the_geometry_is_that_of_the_settings() -> None:
    s = NetSettings()
    assert (s.pitch, 4 * s.window, s.levels, s.atoms, s.step, s.steps) == (16, 32, 4, 256, 0.01, 255)
    assert s.variant == "progressive"
    assert s.sites(2048, 1000) == (2048 // 16 + 1, 1000 // 16 + 2)
