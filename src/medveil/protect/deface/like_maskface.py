"""Like maskface: the skin of the whole face blurred along itself.

A stand-in for comparisons, not the tool. mask_face flattens a layer around the skin into a box, filters it there
and maps it back (Milchenko and Marcus, 2013). Here the same layer is filtered where it lies; see `scramble`.

What differs: the way the layer is unrolled, how thick it is, and where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.core.errors import UsageError
from medveil.protect.deface.scramble import How, Scramble


@dataclass(frozen=True, kw_only=True)
class LikeMaskface(Scramble):
    """Blur what mask_face blurs. Blurring is the easiest of all to undo (Abramian and Eklund, 2019)."""

    name: ClassVar[str] = "deface.like_maskface"
    summary: ClassVar[str] = "blur about what mask_face blurs, to compare with: the skin of face and ears"

    how: How = "smooth"

    def __post_init__(self) -> None:
        if self.how != "smooth":
            raise UsageError(
                f"{self.name}: how is smooth, as with the tool", hint="deface.scramble has others"
            )
        super().__post_init__()
