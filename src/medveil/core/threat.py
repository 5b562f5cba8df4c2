"""Threat: what the attacker knows, as values. The architecture keeps everything else from them."""

from __future__ import annotations

from dataclasses import dataclass

from medveil.core.cohort import PHOTO, Cohort
from medveil.core.listing import listed


@dataclass(frozen=True, repr=False)
class Threat:
    """An attacker and their means.

    Args:
        gallery: photographs or other head scans of the candidates, labelled with the candidates' names, and
            what is known of them in its participants; empty where an attack compares with nobody.
        background: images of OTHER people (scans, photographs), with a participants table where the attacker
            has one, from which they learn; None if they have none.
        knows_method: whether they know which protection was used (Kerckhoffs: they do).
    """

    gallery: Cohort
    background: Cohort | None = None
    knows_method: bool = True

    def __str__(self) -> str:
        method = "knows" if self.knows_method else "does not know"
        holds = ["the released images"]
        people = len(self.gallery.subjects)
        if people:
            photographs = all(r.contrast == PHOTO for r in self.gallery)
            each = f"{len(self.gallery) / people:.3g}"
            what = ("photograph" if photographs else "other head scan") + "s" * (each != "1")
            holds.append(f"{each} {what} of each of {people} candidates")
        if self.background:
            holds.append(f"images of {len(self.background.subjects)} other people to learn from")
        return f"The attacker {method} the protection method and holds {listed(holds)}, but no keys."

    def __repr__(self) -> str:
        return f"Threat({self})"
