"""Like fsl_deface: the front of the face, and the ears.

A stand-in for comparisons, not the tool. fsl_deface registers linearly and brings a mask of face and ears over.
Here the place of that mask is told in our own coordinates, found by our own registration.

What differs: the real one's mask has a shape of its own, it looks after no brain and says nothing where it fails.
The flanks between face and ears, chewing muscle and angle of the jaw, are left here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.protect.deface.method import Change, Method
from medveil.protect.deface.parts import FACE
from medveil.protect.deface.site import Site


@dataclass(frozen=True, kw_only=True)
class LikeFslDeface(Method):
    """Remove what fsl_deface removes; what is left of each part of the face is measured."""

    name: ClassVar[str] = "deface.like_fsl_deface"
    summary: ClassVar[str] = (
        "remove about what fsl_deface removes, to compare with: front of the face and ears"
    )

    @property
    def volumes(self) -> tuple[str, ...]:
        return ("front", "ears")

    @property
    def watched(self) -> tuple[str, ...]:
        return tuple(p for p in FACE if p not in self.volumes)

    def describe(self) -> str:
        return (
            "find the head, erase the front of the face and the ears, much as fsl_deface does, and change "
            f"nothing within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        return Change(site.parts(self.volumes), site.air)
