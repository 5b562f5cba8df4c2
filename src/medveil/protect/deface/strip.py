"""Strip: nothing but the brain and a margin around it.

    brain + margin ──> kept, bit by bit        everything else ──> air

The strongest removal there is: no skin, no skull, no throat from which a face could be guessed. What is kept
is no segmentation. Unless a brain is given, it is the template's brain laid into this head by one affine, so
some skull and scalp stay where the person's brain is smaller than the template's, and the margin has to hold
what the brain is larger by. For measuring brains, give a mask of your own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.core.release import Mask
from medveil.protect.deface.method import Change, Method
from medveil.protect.deface.parts import FACE
from medveil.protect.deface.site import Site


@dataclass(frozen=True, kw_only=True)
class Strip(Method):
    """Deface by keeping nothing but the brain, its margin, and what is given to be kept."""

    name: ClassVar[str] = "deface.strip"
    summary: ClassVar[str] = "keep the brain and a margin around it, erase everything else"

    @property
    def volumes(self) -> tuple[str, ...]:
        return (*FACE, "forehead", "nasal_cavity", "throat")

    def describe(self) -> str:
        return f"find the head and erase everything that lies more than {self.margin_mm:g} mm from the brain"

    def change(self, site: Site) -> Change:
        return Change(~_without_holes(site.protected), site.air)


def _without_holes(mask: Mask) -> Mask:
    """The template has holes (cisterns) that even the margin does not close; they are no skin."""
    from scipy import ndimage as ndi

    out = mask.copy()
    for box in ndi.find_objects(mask.view(np.uint8)):  # one box, or none
        out[box] = ndi.binary_fill_holes(mask[box])
    return out
