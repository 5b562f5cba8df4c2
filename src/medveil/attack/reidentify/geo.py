"""Geo: recognise the person in a head scan from photographs, by the proportions of the face alone.

    68 landmarks ──20 of them──> 190 distances / distance of the eyes ──log, left with right──> proportions
    proportions ──z-score per kind of picture──whiten, shrunk──> direction ──distance──> score

Colour, hair and skin play no part, so it is the weaker attack, and the one that shows what shape alone gives
away. Logarithms turn every ratio of two distances into a difference, so ratios such as height by width need no
features of their own. Each distance is averaged with its mirror image, since turning the head lengthens one as
it shortens the other.

After Boutet et al. 2023 (their feature list is not published; this one is ours). Erased faces have no landmarks:
the predictor makes them up, and they are scored like all others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.observer import Observer
from medveil.attack.reidentify.calibrate import Side, cosine, mean_of, others_mean, others_spread, spread_of
from medveil.attack.reidentify.eyes import Resnet, checked_face
from medveil.attack.reidentify.observe import Observation, Observations
from medveil.attack.reidentify.pairs import claims, look, subjects
from medveil.attack.reidentify.portrait import FaceShown
from medveil.attack.reidentify.render import checked_views
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]

# Landmark of iBUG 300-W and its mirror image, in one order: eye corners, nasion, nose tip and base, alae, mouth
# corners, lips, chin, jaw, brows.
POINTS = (36, 39, 42, 45, 27, 30, 33, 31, 35, 48, 54, 51, 57, 8, 4, 12, 2, 14, 19, 24)
MIRROR = (45, 42, 39, 36, 27, 30, 33, 35, 31, 54, 48, 51, 57, 8, 12, 4, 14, 2, 24, 19)


@dataclass(frozen=True)
class Geo:
    """Compare the proportions of a face in renders and in photographs, from 68 landmarks (dlib).

    Args:
        views: how many renders of a scan are averaged, 1 to 10.
        shrinkage: 0..1, how far the covariance of the proportions is drawn towards the identity before
            whitening: some tens of people cannot tell 190 directions apart.
        face: raw, or bald: landmarks placed on what lies between brows and chin alone, on renders and photographs.
        depth: lay the landmarks of the renders onto the skin, average them over the views in space, and measure
            them as seen straight from the front. A scan that is held at an angle then has the proportions of one
            that is not. Measured, it changes little (benchmarks/reidentification), so it is off.
    """

    views: int = 3
    shrinkage: float = 0.5
    face: FaceShown = "raw"
    depth: bool = False

    name: ClassVar[str] = "reidentify.geo"
    summary: ClassVar[str] = "compares proportions of the face in renders of the head and in photographs"
    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_views(self.views)
        if not 0 <= self.shrinkage <= 1:
            raise UsageError(f"reidentify.geo: shrinkage is {self.shrinkage}, expected 0 to 1")
        checked_face(self.name, self.face)

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate: minus the distance of their directions, in -2..0.

        Scans are standardised by the other scans of the release, photographs by the background's where the
        threat has one, else by the other candidates'.

        Raises:
            UsageError: no probes or no candidates.
        """
        eye = Resnet(face=self.face)
        seen = look(probes, threat, observer, views=self.views, background=("photos",), eye=eye)
        scans, photos = self._side(seen.probes), self._side(seen.gallery)
        a = (scans.features - others_mean(scans)) / others_spread(scans)
        if seen.background_photos:
            other = self._side(seen.background_photos)
            b = (photos.features - mean_of(other)) / spread_of(other)
        else:
            b = (photos.features - others_mean(photos)) / others_spread(photos)
        b = Side(b, photos.subject).per_subject()  # (G, D)
        a, b = _whitened(a, b, self.shrinkage)
        score = -np.sqrt(np.maximum(2 - 2 * cosine(a, b), 0))
        return claims(seen, np.unique(photos.subject), score, attack=self.name, condition=condition)

    def _side(self, seen: Observations) -> Side:
        """(N, 190): proportions of each image, averaged over its views."""
        return Side(np.stack([self._row(o) for o in seen.values()]), subjects(seen))

    def _row(self, seen: Observation) -> Array:
        """(190,): of a scan with its depth, if that is wanted; else of the pictures."""
        if self.depth and seen.points_mm is not None:
            return np.asarray(proportions(from_the_front(seen.points_mm[: self.views].mean(axis=0))[None])[0])
        return np.asarray(proportions(seen.landmarks[: self.views]).mean(axis=0))

    def describe(self) -> str:
        """In words, what the attack will do."""
        bald = " with everything but the inner face taken away" if self.face == "bald" else ""
        depth = ", in space on the side of the scans," if self.depth else ""
        return (
            f"place 68 landmarks on renders of each head from {self.views} sides and on each photograph{bald}{depth} and compare "
            "the proportions of 20 of them (190 distances, standardised per kind of picture, covariance shrunk by "
            f"{self.shrinkage:g})"
        )


def proportions(landmarks: Array) -> Array:
    """(V, 190): logarithms of the distances of 20 landmarks, divided by the distance of the eyes.

    Args:
        landmarks: (V, 68, 2), any unit: position, scale and roll of the face drop out.
    """
    points = np.asarray(landmarks, dtype=np.float64)
    eyes = points[:, [36, 39]].mean(axis=1) - points[:, [42, 45]].mean(axis=1)  # (V, 2)
    scale = np.maximum(np.linalg.norm(eyes, axis=1), 1e-6)[:, None]
    both = (_distances(points[:, POINTS]) + _distances(points[:, MIRROR])) / 2
    return np.asarray(np.log(np.maximum(both / scale, 1e-3)))


def from_the_front(points_mm: Array) -> Array:
    """(68, 2) of (68, 3) RAS+ mm: as seen from before, turned so that the eyes lie level and the face looks ahead.

    The frame is the face's own: across from eye to eye, up from the chin to the middle of the eyes, and forwards
    from both; the depth along the last is dropped. Points that all lie in one place stay there.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)  # the one on the left of the picture first
    across = _unit(eyes[1] - eyes[0])
    rise = (eyes[0] + eyes[1]) / 2 - points[8]
    up = _unit(rise - (rise @ across) * across)
    return np.stack([points @ across, -points @ up], axis=1)


def _unit(vector: Array) -> Array:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-9 else vector


def _distances(points: Array) -> Array:
    """(V, P(P-1)/2) of (V, P, 2)."""
    i, j = np.triu_indices(points.shape[1], 1)
    return np.asarray(np.linalg.norm(points[:, i] - points[:, j], axis=2))


def _whitened(a: Array, b: Array, shrinkage: float) -> tuple[Array, Array]:
    """Both sides in the axes of their common covariance, each axis divided by its shrunk deviation."""
    both = np.concatenate([a, b])
    covariance = both.T @ both / len(both)  # (D, D); both sides are centred
    level = max(float(np.trace(covariance)) / len(covariance), 1e-12)
    values, axes = np.linalg.eigh(covariance)
    shrunk = (1 - shrinkage) * np.maximum(values, 0) + shrinkage * level
    scale = axes / np.sqrt(np.maximum(shrunk, 1e-6 * level))
    return a @ scale, b @ scale
