"""Like mri_deface: the face without the ears, with more kept around the brain.

A stand-in for comparisons, not the tool. mri_deface registers FreeSurfer's atlases linearly and sets to zero all
that may be face with any probability and lies outside a dilated brain (Bischoff-Grethe et al., 2007). Here the
place of the face is told in our own coordinates, and the wider margin stands for the dilated brain.

What differs: the real one is made for T1 contrast and finds the brain it dilates, where this one lays a template's
brain down unless one is given; and the outline of what is removed follows an atlas there and named parts here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.protect.deface.method import Change, Method
from medveil.protect.deface.site import Site

AWAY_FROM_BRAIN_MM = 10.0


@dataclass(frozen=True, kw_only=True)
class LikeMriDeface(Method):
    """Remove what mri_deface removes; what is left of each part of the face is measured.

    Only the mouth is promised: brow and root of the nose may lie within the wide margin.
    """

    name: ClassVar[str] = "deface.like_mri_deface"
    summary: ClassVar[str] = (
        "remove about what mri_deface removes, to compare with: the front of the face, far from the brain"
    )

    margin_mm: float = AWAY_FROM_BRAIN_MM

    @property
    def volumes(self) -> tuple[str, ...]:
        return ("mouth",)

    @property
    def leaving(self) -> tuple[str, ...]:
        return ("front",)

    @property
    def watched(self) -> tuple[str, ...]:
        return ("eyes", "nose", "cheeks", "chin", "ears")

    def describe(self) -> str:
        return (
            "find the head, erase the front of the face, much as mri_deface does, and change nothing "
            f"within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        return Change(site.parts(("front",)), site.air)
