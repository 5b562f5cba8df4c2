"""Erase: the parts of a face by name, replaced by air, with the brain left as it was.

    image ──locate──> MNI mm ──parts──> altered = parts - (brain + margin) ──> stored numbers patched

The image is never resampled: the stored numbers outside `altered` are the input's, bit by bit. What is
erased reaches from behind the face out to the edge of the image, so the faint background before a face
goes as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.protect.deface.method import Change, Method, check_parts
from medveil.protect.deface.parts import FACE
from medveil.protect.deface.site import Site


@dataclass(frozen=True, kw_only=True)
class Erase(Method):
    """Deface by erasing named parts.

    Args:
        parts: which of eyes, nose, cheeks, mouth, chin, ears.
        forehead: also the shell before the forehead, for strong protection.
        deep: also nasal cavity and throat, from which a face can be guessed again.
    """

    name: ClassVar[str] = "deface.erase"
    summary: ClassVar[str] = "find the head and erase the parts of its face, with the brain untouched"

    parts: tuple[str, ...] = tuple(FACE)
    forehead: bool = False
    deep: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        check_parts(self.name, self.parts)
        super().__post_init__()

    @property
    def volumes(self) -> tuple[str, ...]:
        more = ("forehead",) * self.forehead + ("nasal_cavity", "throat") * self.deep
        return tuple(dict.fromkeys(self.parts)) + more

    def describe(self) -> str:
        what = ", ".join(self.volumes).replace("_", " ")
        return (
            f"find the head, erase {what} and the air before them, and change nothing within "
            f"{self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        return Change(site.parts(self.volumes), site.air)
