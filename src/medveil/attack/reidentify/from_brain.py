"""From brain: guess a face from a brain, and look for it among photographs.

    other people's scans ──align──> shades, sizes ──PCA──┐
                                                         ridge ──> what of a face follows from a brain
    other people's photographs ──> embeddings ───────────┘
    a released brain ──> the face it would have ──cosine──> photographs of the candidates

A defaced, even a stripped brain is no face. But skulls grow around brains and both follow age and sex, so
something of one may be read from the other. Whether that something is the PERSON is the question, and two answers
are no evidence of it: an attack that guesses age and sex (`features` table does that and nothing else), and one
that reads the size of the head, which face and brain share (`size` leaves it out).

Everything is learned from the background: people other than those who are attacked. The penalty is the one that
predicts them best, each by all the others (Allen's PRESS, in closed form).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.link.aligned import AlignedBrain
from medveil.attack.link.lattice import lattice
from medveil.attack.link.scans import scans_of
from medveil.attack.observer import Observer
from medveil.attack.reidentify.calibrate import Side, cosine
from medveil.attack.reidentify.observe import Photograph
from medveil.attack.reidentify.pairs import share
from medveil.attack.reidentify.ridge import Ridge, ridge, shades
from medveil.attack.reidentify.tabled import tabled
from medveil.core.claims import PairClaims
from medveil.core.cohort import PHOTO, Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]
Features = Literal["brain", "table", "brain+table"]

FEWEST_PEOPLE = 20  # to learn from; 128 numbers from fewer would be noise, and look like a strong defence
MOST_COMPONENTS = 200
BAND_MM = (3.0, 30.0)  # sd of the Gaussians between which brains are read; what is smoother is a coil's


@dataclass(frozen=True, eq=False, repr=False)
class _Brains:
    """What is read of brains: (N, V) shades without what is smooth, and (N, 3) logarithms of their lengths."""

    shades: Array
    log_size: Array


@dataclass(frozen=True)
class FromBrain:
    """Predict the face embedding from the brain, and compare it with photographs.

    Args:
        features: what a face is predicted from: the brain; the table, age and sex alone, as the control; or both.
        size: whether the three lengths of the brain count as well as what it looks like.
        components: how many principal components of the brains are kept.
        spacing_mm: edge of the voxels of the brains, 2 to 6 mm.
    """

    features: Features = "brain"
    size: bool = True
    components: int = 30
    spacing_mm: float = 3.0

    name: ClassVar[str] = "reidentify.from_brain"
    summary: ClassVar[str] = "predicts a face from the brain and compares it with photographs"
    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.features not in get_args(Features):
            raise UsageError(
                f"{self.name}: no such features", hint="known are " + ", ".join(get_args(Features))
            )
        if not 1 <= self.components <= MOST_COMPONENTS:
            raise UsageError(f"{self.name}: components must lie between 1 and {MOST_COMPONENTS}")
        AlignedBrain(self.spacing_mm)

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate: cosine of the predicted and the shown face.

        Raises:
            UsageError: no probes or candidates; fewer than 20 people in the background with scans and
                photographs; the table is asked for and says nothing of age or sex.
        """
        photos = _photographs(threat.gallery)
        if not len(probes) or not len(photos):
            raise UsageError(f"{self.name}: expected at least one scan and one photograph of a candidate")
        scans, _ = scans_of(probes, Threat(probes), self.name)
        others = self._background(threat)
        brains, notes = self._brains(scans, observer)
        model, axes, known = self._learned(others, observer)
        rows = self._features(scans, brains, axes)
        faces = observer.see(photos, Photograph())
        gallery = Side(_embeddings(photos, faces) - known, np.array([r.subject for r in photos]))
        score = cosine(model.predict(rows), gallery.per_subject())
        people = np.unique(gallery.subject)
        n, g = score.shape
        count = [f"mean of {int((gallery.subject == p).sum())}" for p in people]
        return PairClaims(
            probe_subject=np.repeat(np.array([r.subject for r in scans]), g),
            probe_image=np.repeat(np.array([r.name for r in scans]), g),
            gallery_subject=np.tile(people, n),
            gallery_image=np.tile(np.array(count), n),
            score=np.asarray(score, dtype=np.float64).reshape(n * g),
            attack=self.name,
            condition=condition,
            notes=notes
            | {
                "gallery_detected": share(faces),
                "learned_from": float(len(others.subjects)),
                "explained": model.explained,
            },
        )

    def _background(self, threat: Threat) -> Cohort:
        """The background's people of whom there are scans and photographs."""
        others = threat.background or Cohort(())
        seen = {r.subject for r in _photographs(others)}
        scanned = {r.subject for r in others if r.contrast != PHOTO}
        both = [s for s in others.subjects if s in seen and s in scanned]
        if len(both) < FEWEST_PEOPLE:
            raise UsageError(
                f"{self.name}: {len(both)} people in the background with scans and photographs, expected at "
                f"least {FEWEST_PEOPLE}",
                hint="give scans and photographs of other people to learn from",
            )
        return others.of(*both)

    def _learned(self, others: Cohort, observer: Observer) -> tuple[Ridge, Array, Array]:
        """The model; the mean brain and the components of brains, (1 + d, V); and the mean photograph."""
        photos = _photographs(others)
        pictures = Side(
            _embeddings(photos, observer.see(photos, Photograph())), np.array([r.subject for r in photos])
        ).per_subject()
        known = pictures.mean(axis=0)
        scans, _ = scans_of(others, Threat(others), self.name)
        subject = np.array([r.subject for r in scans])
        brains, _ = self._brains(scans, observer)
        axes = np.zeros((1, 0)) if brains is None else shades(brains.shades, subject, self.components)
        features = Side(self._features(scans, brains, axes), subject).per_subject()
        return ridge(features, pictures - known), axes, known

    def _brains(self, scans: Cohort, observer: Observer) -> tuple[_Brains | None, dict[str, float]]:
        """What is read of the brains, and notes; nothing where they are not looked at."""
        if self.features == "table":
            return None, {}
        seen = observer.see(scans, AlignedBrain(self.spacing_mm))
        grid, (fine, coarse) = lattice(self.spacing_mm), BAND_MM
        aligned = [seen[r.subject, r.name] for r in scans]
        rows = [grid.band(a.values, fine / grid.mm, coarse / grid.mm) for a in aligned]
        notes = {
            "probe_located": float(np.mean([a.located for a in aligned])),
            "probe_empty": float(np.mean([a.empty for a in aligned])),
        }
        return _Brains(np.stack(rows), np.log(np.stack([a.size for a in aligned]))), notes

    def _features(self, scans: Cohort, brains: _Brains | None, axes: Array) -> Array:
        """(N, F) what a face is predicted from; `axes` is (1 + d, V): the mean brain, and d components."""
        columns: list[Array] = []
        if brains is not None:
            columns.append((brains.shades - axes[0]) @ axes[1:].T)
            if self.size:
                columns.append(brains.log_size)
        if self.features != "brain":
            columns.append(tabled(scans, self.name))
        return np.concatenate(columns, axis=1).astype(np.float64)

    def describe(self) -> str:
        """In words, what the attack will do."""
        size = "shape and size" if self.size else "shape"
        what = {
            "brain": f"the {size} of the brain",
            "table": "age and sex, with no image at all, as the control",
            "brain+table": f"the {size} of the brain, age and sex",
        }[self.features]
        return (
            f"learn from other people's scans and photographs to predict a face embedding (dlib ResNet) from "
            f"{what}, and compare the prediction with each candidate's photographs by cosine"
        )


def _photographs(cohort: Cohort) -> Cohort:
    kept = tuple(r for r in cohort if r.contrast == PHOTO)
    return Cohort(kept, cohort.participants, cohort.simulated)


def _embeddings(photos: Cohort, seen: dict[tuple[str, str], Any]) -> Array:
    """(N, 128)."""
    return np.stack([seen[r.subject, r.name].embedding.mean(axis=0, dtype=np.float64) for r in photos])
