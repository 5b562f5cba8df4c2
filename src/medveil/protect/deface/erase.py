"""Erase: the parts of a face by name, replaced by air, with the brain left as it was.

    image ──locate──> MNI mm ──parts──> altered = parts - (brain + margin) ──> stored numbers patched

The image is never resampled: the stored numbers outside `altered` are the input's, bit by bit. What is
erased reaches from behind the face out to the edge of the image, so the faint background before a face
goes as well.

For radiotherapy `eye_box` keeps everything that a plan is made on below the eyes, and `table` takes what the
head lies on. What a plan must keep in any case (organs, targets) is given as `keep` and wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from medveil.core.errors import UsageError
from medveil.protect.deface.body import body
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
        table: also everything outside the body of the head: couch, headrest, straps, and the noise of the air.
            What touches the head stays within some 6 mm of it.
        eye_box: instead of the parts, only what lies above the lowest slice of the eyes and before the middle
            of the eyeballs. Their place is that of the template's eyes, which is true to about a centimetre.

    Raises:
        UsageError: `eye_box` along with parts of one's own choice, `forehead` or `deep`.
    """

    name: ClassVar[str] = "deface.erase"
    summary: ClassVar[str] = "find the head and erase the parts of its face, with the brain untouched"

    parts: tuple[str, ...] = tuple(FACE)
    forehead: bool = False
    deep: bool = False
    table: bool = False
    eye_box: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        check_parts(self.name, self.parts)
        if self.eye_box and (set(self.parts) != set(FACE) or self.forehead or self.deep):
            raise UsageError(
                f"{self.name}: eye_box takes the place of the parts",
                hint="leave out parts, forehead and deep, or eye_box",
            )
        super().__post_init__()

    @property
    def volumes(self) -> tuple[str, ...]:
        if self.eye_box:
            return ("eye_box",)
        more = ("forehead",) * self.forehead + ("nasal_cavity", "throat") * self.deep
        return tuple(dict.fromkeys(self.parts)) + more

    @property
    def watched(self) -> tuple[str, ...]:
        """With the box alone, what it leaves of the face."""
        return tuple(FACE) if self.eye_box else ()

    def describe(self) -> str:
        what = "the box before and above the eyes" if self.eye_box else ", ".join(self.volumes)
        table = ", and all that lies outside the body" if self.table else ""
        return (
            f"find the head, erase {what.replace('_', ' ')} and the air before them{table}, and change nothing "
            f"within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        altered = site.parts(self.volumes)
        return Change(altered | ~body(site) if self.table else altered, site.air)
