"""Scans: the two sides of an attack from scans to scans, and its scores as claims."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.claims import PairClaims
from medveil.core.cohort import PHOTO, Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]


def scans_of(probes: Cohort, threat: Threat, attack: str) -> tuple[Cohort, Cohort]:
    """What is no photograph, of the probes and of the candidates.

    Raises:
        UsageError: nothing is left of one side.
    """
    ours, theirs = _without_photographs(probes), _without_photographs(threat.gallery)
    if not len(ours) or not len(theirs):
        side = "the release" if not len(ours) else "the gallery"
        raise UsageError(
            f"{attack}: no scans in {side}, expected at least one",
            hint="this attack compares scans with other scans of the candidates",
        )
    return ours, theirs


def _without_photographs(cohort: Cohort) -> Cohort:
    kept = tuple(r for r in cohort if r.contrast != PHOTO)
    return Cohort(kept, cohort.participants, cohort.simulated)


def per_candidate(score: Array, gallery: Cohort) -> tuple[Array, Array]:
    """(G,) labels of the candidates, and (N, G) the mean score over the (N, M) images of each."""
    people, index = np.unique(np.array([r.subject for r in gallery]), return_inverse=True)
    share = np.zeros((len(index), len(people)))
    share[np.arange(len(index)), index] = 1.0
    return people, np.asarray(score @ (share / share.sum(axis=0)))


def claims(
    probes: Cohort,
    gallery: Cohort,
    people: Array,
    score: Array,
    *,
    attack: str,
    condition: str,
    notes: dict[str, float],
) -> PairClaims:
    """Claims of every probe image with every candidate; `score` is (N, G)."""
    n, g = score.shape
    images = np.array([r.subject for r in gallery])
    names = np.array([f"mean of {int((images == p).sum())}" for p in people])
    return PairClaims(
        probe_subject=np.repeat(np.array([r.subject for r in probes]), g),
        probe_image=np.repeat(np.array([r.name for r in probes]), g),
        gallery_subject=np.tile(people, n),
        gallery_image=np.tile(names, n),
        score=np.asarray(score, dtype=np.float64).reshape(n * g),
        attack=attack,
        condition=condition,
        notes=notes,
    )
