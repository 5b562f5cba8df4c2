"""Like AnonyMI: noise between skin and skull of face and ears, nothing outside the skin.

A stand-in for comparisons, not the tool. AnonyMI models skin and skull by FreeSurfer's watershed, and in boxes
for the face and either ear replaces what lies between the two by noise of the image's own grey levels.

What differs: our shell has one depth, which stands for the way from skin to skull, and no model of the bone; the
boxes are the named parts in our own coordinates. The outline of the face stays where it was with both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.core.errors import UsageError
from medveil.locate.grid import Volume
from medveil.protect.deface.layers import Layers
from medveil.protect.deface.scramble import How, Scramble


@dataclass(frozen=True, kw_only=True)
class LikeAnonymi(Scramble):
    """Replace by noise what AnonyMI replaces."""

    name: ClassVar[str] = "deface.like_anonymi"
    summary: ClassVar[str] = (
        "fill with noise about what AnonyMI fills, to compare with: between skin and skull"
    )

    how: How = "noise"

    def __post_init__(self) -> None:
        if self.how != "noise":
            raise UsageError(
                f"{self.name}: how is noise, as with the tool", hint="deface.scramble has others"
            )
        super().__post_init__()

    def _shift(self, layers: Layers, rng: np.random.Generator) -> Volume:
        """The skin stays where it is: what is drawn over is its picture, not its shape."""
        return np.zeros_like(layers.outward_mm)
