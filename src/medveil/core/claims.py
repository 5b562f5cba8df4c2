"""Claims: what an attack asserts, with no knowledge of whether it is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

COLUMNS = (
    "probe_subject",
    "probe_image",
    "gallery_subject",
    "gallery_image",
    "score",
    "attack",
    "condition",
)


@dataclass(frozen=True, eq=False, repr=False)
class PairClaims:
    """Similarity of probe images (from a release) and gallery images (what the attacker owns).

    One row a pair; the higher the score, the surer the attack that both show the same person.

    Args:
        probe_subject, probe_image, gallery_subject, gallery_image: (P,) strings.
        score: (P,) float64, finite.
        attack: public name of the attack, `reidentify.embedding`.
        condition: what was attacked: original, release or null, or any other label.
        notes: facts the attack observed, e.g. share of probes in which a face detector fired.
    """

    probe_subject: npt.NDArray[np.str_]
    probe_image: npt.NDArray[np.str_]
    gallery_subject: npt.NDArray[np.str_]
    gallery_image: npt.NDArray[np.str_]
    score: npt.NDArray[np.float64]
    attack: str
    condition: str
    notes: dict[str, float]

    def __post_init__(self) -> None:
        n = len(self.score)
        columns = (self.probe_subject, self.probe_image, self.gallery_subject, self.gallery_image)
        if any(len(c) != n for c in columns):
            raise UsageError("claims: all columns must have one entry a pair")
        if not np.isfinite(self.score).all():
            raise UsageError("claims: a score is not finite")

    def __repr__(self) -> str:
        return f"PairClaims({self.attack}, {self.condition}, {len(self.score)} pairs)"


@dataclass(frozen=True, eq=False, repr=False)
class Guesses:
    """What an attack asserts of a property of people, one guess for each probe image.

    Args:
        probe_subject, probe_image: (N,) strings.
        attribute: which property: sex, age, group, or any column of a participants table; `member` for
            membership in a training set.
        guess: (N,) strings for classes, float64 for numbers.
        score: (N,) float64, finite: the surer the attack of its guess, the higher.
        attack: public name of the attack.
        condition: what was attacked: original, release, brain, render, photograph, or any other label.
        notes: facts the attack observed, e.g. how many people it learned from.
    """

    probe_subject: npt.NDArray[np.str_]
    probe_image: npt.NDArray[np.str_]
    attribute: str
    guess: npt.NDArray[np.str_] | npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    attack: str
    condition: str
    notes: dict[str, float]

    def __post_init__(self) -> None:
        n = len(self.guess)
        if any(len(c) != n for c in (self.probe_subject, self.probe_image, self.score)):
            raise UsageError("guesses: all columns must have one entry an image")
        numbers = [c for c in (self.guess, self.score) if c.dtype.kind == "f"]
        if not all(np.isfinite(c).all() for c in numbers):
            raise UsageError("guesses: a number is not finite")

    def __repr__(self) -> str:
        return f"Guesses({self.attack}, {self.attribute}, {self.condition}, {len(self.guess)} images)"


@dataclass(frozen=True, eq=False, repr=False)
class Decoded:
    """What an attack asserts of one obfuscated code: which components are true, what the picture is, or both.

    Args:
        scores: of each level (sites, S_x + S_n) float32, finite: the surer the attack that the component is true, the
            higher; None where it does not look at components.
        picture: (height, width) float32 in [0, 1]; None where it makes none.
        attack: public name of the attack.
        condition: what was attacked.
        notes: facts the attack observed, e.g. how long it took.
    """

    scores: tuple[npt.NDArray[np.float32], ...] | None
    picture: npt.NDArray[np.float32] | None
    attack: str
    condition: str
    notes: dict[str, float]

    def __post_init__(self) -> None:
        parts = [*(self.scores or ()), *([] if self.picture is None else [self.picture])]
        if not all(np.isfinite(p).all() for p in parts):
            raise UsageError("decoded: a number is not finite")

    def __repr__(self) -> str:
        return f"Decoded({self.attack}, {self.condition})"
