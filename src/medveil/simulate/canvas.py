"""Canvas: the vertices of a surface while they are painted, and the finished paint.

Layers are laid over each other as a painter does it: a colour with a weight for each vertex. Colours on the
canvas are as displayed, 0..1; the finished paint is in linear light, ready for shading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

DISPLAY_GAMMA = 2.2


@dataclass(frozen=True, eq=False, repr=False)
class Paint:
    """What shading has to know of a surface of V vertices.

    Args:
        albedo: (V, 3) linear, 0..1.
        gloss, shine: (V,) strength and exponent of the highlight.
        skin, eye: (V,) 0..1: which law of shading applies.
    """

    albedo: Array
    gloss: Array
    shine: Array
    skin: Array
    eye: Array


def linear(colour: Array) -> Array:
    """Displayed colour (0..1) to linear light."""
    return np.asarray(np.clip(colour, 0, 1) ** DISPLAY_GAMMA)


class Canvas:
    """Vertices being painted: `colour` (V, 3), `gloss`, `shine`, `skin`, `eye` (V,)."""

    def __init__(self, vertices_mm: Array, colour: Array, gloss: float, shine: float) -> None:
        n = len(vertices_mm)
        self.v = vertices_mm
        self.colour = np.array(colour, dtype=np.float64)
        self.gloss, self.shine = np.full(n, gloss), np.full(n, shine)
        self.skin, self.eye = np.ones(n), np.zeros(n)

    def lay(self, colour: Array, weight: Array) -> None:
        """Cover with a colour, (3,) or (V, 3), by a weight (V,)."""
        w = np.asarray(weight)[:, None]
        self.colour = self.colour * (1 - w) + np.asarray(colour) * w

    def darken(self, weight: Array, tint: Array | float = 1.0) -> None:
        """Take away light by a weight (V,); a tint (3,) takes some colours away faster."""
        self.colour = self.colour * (1 - np.asarray(weight)[:, None] * np.asarray(tint))

    def finished(self) -> Paint:
        """The paint, in linear light."""
        return Paint(linear(self.colour), self.gloss, self.shine, np.clip(self.skin, 0, 1), self.eye)
