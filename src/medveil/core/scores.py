"""Scores: claims joined with truth. Every verification metric starts from here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.claims import PairClaims
from medveil.core.truth import Truth


@dataclass(frozen=True, eq=False, repr=False)
class Scores:
    """Pair scores with the persons behind them.

    Args:
        score: (P,) float64, higher means more likely the same person.
        probe, gallery: (P,) integer index of the person shown on either side, 0..persons-1, one numbering
            for both sides; `mated` is `probe == gallery`.
        probe_image: (P,) integer index of the probe image, for ranks (one probe image, one ranking).
        persons: how many persons there are.
    """

    score: npt.NDArray[np.float64]
    probe: npt.NDArray[np.int64]
    gallery: npt.NDArray[np.int64]
    probe_image: npt.NDArray[np.int64]
    persons: int

    @property
    def is_mated(self) -> npt.NDArray[np.bool_]:
        """(P,) True where both sides show one person."""
        return np.asarray(self.probe == self.gallery, dtype=np.bool_)

    @property
    def mated(self) -> npt.NDArray[np.float64]:
        return self.score[self.is_mated]

    @property
    def non_mated(self) -> npt.NDArray[np.float64]:
        return self.score[~self.is_mated]

    def __repr__(self) -> str:
        return (
            f"Scores({self.persons} persons, {len(self.mated)} mated, {len(self.non_mated)} non-mated pairs)"
        )


def join(claims: PairClaims, truth: Truth | None = None) -> Scores:
    """Join what an attack claims with who is who."""
    truth = truth or Truth()
    probe = np.array([truth.probe(s) for s in claims.probe_subject], dtype=str)
    gallery = np.array([truth.gallery(s) for s in claims.gallery_subject], dtype=str)
    names, index = np.unique(np.concatenate([probe, gallery]), return_inverse=True)
    images = np.char.add(np.char.add(claims.probe_subject.astype(str), "\0"), claims.probe_image.astype(str))
    _, image_index = np.unique(images, return_inverse=True)
    n = len(claims.score)
    return Scores(
        score=np.asarray(claims.score, dtype=np.float64),
        probe=index[:n].astype(np.int64),
        gallery=index[n:].astype(np.int64),
        probe_image=image_index.astype(np.int64),
        persons=len(names),
    )
