"""Like pydeface: the face from brow to chin, without ears, forehead and flanks.

A stand-in for comparisons, not the tool. pydeface registers a template to the image by FLIRT's affine, brings one
mask of a face over, and multiplies the image by it. Here the place of that mask is told in our own coordinates,
found by our own registration.

What differs: the real one looks after no brain, writes interpolated mask values into the rim, re-quantises what
it keeps, and says nothing where it fails. The stand-in does none of that, so it flatters the tool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.protect.deface.method import Change, Method
from medveil.protect.deface.parts import FACE
from medveil.protect.deface.site import Site


@dataclass(frozen=True, kw_only=True)
class LikePydeface(Method):
    """Remove what pydeface removes; what is left of each part of the face is measured."""

    name: ClassVar[str] = "deface.like_pydeface"
    summary: ClassVar[str] = "remove about what pydeface removes, to compare with: the front of the face"

    @property
    def volumes(self) -> tuple[str, ...]:
        return ("front",)

    @property
    def watched(self) -> tuple[str, ...]:
        return tuple(FACE)

    def describe(self) -> str:
        return (
            "find the head, erase the front of the face from brow to chin, much as pydeface does, and change "
            f"nothing within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        return Change(site.parts(self.volumes), site.air)
