"""Threat: what the attacker knows, as values. The architecture keeps everything else from them."""

from __future__ import annotations

from dataclasses import dataclass

from medveil.core.cohort import Cohort


@dataclass(frozen=True, repr=False)
class Threat:
    """An attacker and their means.

    Args:
        gallery: photographs (or other images) of the candidates, labelled with the candidates' names.
        background: image pairs of OTHER people (scans and photographs), from which the attacker learns
            how the two domains differ; None if they have none.
        knows_method: whether they know which protection was used (Kerckhoffs: they do).
    """

    gallery: Cohort
    background: Cohort | None = None
    knows_method: bool = True

    def __str__(self) -> str:
        people = len(self.gallery.subjects)
        per_person = len(self.gallery) / max(people, 1)
        method = "knows" if self.knows_method else "does not know"
        other = (
            f", and images of {len(self.background.subjects)} other people to calibrate with"
            if self.background
            else ""
        )
        return (
            f"The attacker {method} the protection method, holds the released images and "
            f"{per_person:.3g} photographs of each of {people} candidates{other}; "
            "every person in the release is among the candidates. They hold no keys."
        )

    def __repr__(self) -> str:
        return f"Threat({self})"
