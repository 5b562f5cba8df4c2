"""Pairs: scores of probe images and candidates, as claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.observer import Observer
from medveil.attack.reidentify.eyes import DLIB, Eye
from medveil.attack.reidentify.observe import Observations, Photograph, Renders
from medveil.core.claims import PairClaims
from medveil.core.cohort import PHOTO, Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Seen:
    """All that an attack saw: of the probes, of the candidates, and of other people if the threat has any."""

    probes: Observations
    gallery: Observations
    background_scans: Observations
    background_photos: Observations

    def __repr__(self) -> str:
        return f"Seen({len(self.probes)} probes, {len(self.gallery)} photographs)"


def look(
    probes: Cohort,
    threat: Threat,
    observer: Observer,
    *,
    views: int,
    background: tuple[str, ...] = (),
    eye: Eye = DLIB,
) -> Seen:
    """Observe the probes, the gallery and what is asked for of the background: scans, photos, both or nothing.

    Raises:
        UsageError: no probes or no candidates.
    """
    if not len(probes) or not len(threat.gallery):
        raise UsageError("attack: expected at least one probe image and one candidate")
    others = threat.background.records if threat.background else ()
    scans = tuple(r for r in others if r.contrast != PHOTO and "scans" in background)
    photos = tuple(r for r in others if r.contrast == PHOTO and "photos" in background)
    return Seen(
        probes=observer.see(probes, Renders(views, eye=eye)),
        gallery=observer.see(threat.gallery, Photograph(eye)),
        background_scans=observer.see(Cohort(scans), Renders(views, eye=eye)),
        background_photos=observer.see(Cohort(photos), Photograph(eye)),
    )


def claims(seen: Seen, people: Array, score: Array, *, attack: str, condition: str) -> PairClaims:
    """Claims of every probe image with every candidate.

    Args:
        people: (G,) labels of the candidates.
        score: (N, G), rows in the order of `seen.probes`.
    """
    keys = list(seen.probes)
    n, g = len(keys), len(people)
    photos = np.array([subject for subject, _ in seen.gallery])
    names = np.array([f"mean of {int((photos == p).sum())}" for p in people])
    met = [o.on_skin.mean() for o in seen.probes.values() if o.on_skin is not None]
    return PairClaims(
        probe_subject=np.repeat(np.array([s for s, _ in keys]), g),
        probe_image=np.repeat(np.array([name for _, name in keys]), g),
        gallery_subject=np.tile(people, n),
        gallery_image=np.tile(names, n),
        score=np.asarray(score, dtype=np.float64).reshape(n * g),
        attack=attack,
        condition=condition,
        notes={
            "probe_detected": share(seen.probes),
            "gallery_detected": share(seen.gallery),
            "probe_empty": float(np.mean([o.empty for o in seen.probes.values()])),
            **({"landmarks_on_skin": float(np.mean(met))} if met else {}),
        },
    )


def share(seen: Observations) -> float:
    """Share of pictures in which the detector fired."""
    return float(np.concatenate([o.detected for o in seen.values()]).mean())


def subjects(seen: Observations) -> Array:
    """(N,) subject label of each observation."""
    return np.array([subject for subject, _ in seen])
