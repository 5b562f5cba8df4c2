"""Learned: an attacker who has scans and photographs of other people, and learns from them what to look at.

    background: scans + photographs of others ──embeddings──> which directions differ between a scan and a photograph
                                                              of ONE person, and which between people
    release:    scan, photograph ──embeddings──centred──those directions──> score ──normalised──> claims

Comparing by cosine trusts all 128 directions of an embedding alike. Two ways to do better:

- within: every direction is divided by how much scan and photograph of one person differ along it (within-class
  covariance normalisation, Hatch et al. 2006: what LDA does when each class has two members), then cosine.
- svm: a linear support vector machine on |a - b| and a * b of each pair, mated or not. Prakaashana et al. (2025)
  report that an SVM raises open recognisers from 51-55 to 58-59 % rank-1.

Their one setting is chosen by cross-validation over the background's people, and no person ever stands on both sides.
The background decides how good the lesson is. An attacker who knows the protection protects the background's scans
the same way before learning: hand such a background to the threat, and that is the attacker who is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.observer import Observer
from medveil.attack.reidentify.calibrate import Side, cosine, directions, others_mean, symmetric_norm
from medveil.attack.reidentify.observe import Observations
from medveil.attack.reidentify.pairs import Seen, claims, look, subjects
from medveil.attack.reidentify.render import checked_views
from medveil.core.claims import PairClaims
from medveil.core.cohort import PHOTO, Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]
How = Literal["within", "svm"]
Score = Callable[[Array, Array], Array]
"""From centred scans (N, D) and photographs (G, D) to scores (N, G)."""

FEWEST_OTHERS = 20
FOLDS = 5
SHRINKAGES = (0.2, 0.5, 0.8, 0.95)  # of the within-class covariance towards the identity
COSTS = (1e-5, 1e-4, 1e-3, 1e-2)  # of the SVM


@dataclass(frozen=True)
class Learned:
    """Compare face embeddings in a way that was learned from other people's scans and photographs.

    Args:
        how: within: weigh directions by how little they differ within a person. svm: learn pairs apart.
        views: how many renders of a scan are averaged, 1 to 10.
    """

    how: How = "within"
    views: int = 3

    name: ClassVar[str] = "reidentify.learned"
    summary: ClassVar[str] = "learns from other people's scans and photographs how to compare the two"
    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        checked_views(self.views)
        if self.how not in get_args(How):
            raise UsageError(f"{self.name}: no such way", hint="known are " + ", ".join(get_args(How)))

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate, in standard deviations where there are enough people.

        Raises:
            UsageError: no probes, no candidates, or the threat's background has not scans and photographs of at
                least `FEWEST_OTHERS` people who are neither.
        """
        others = self._others(probes, threat)
        kept = Threat(threat.gallery, others, threat.knows_method)
        seen = look(probes, kept, observer, views=self.views, background=("scans", "photos"))
        a, b = self._background(seen)  # (P, D) each, one row a person
        compare, setting = learn(self.how, a - a.mean(axis=0), b - b.mean(axis=0))
        scans, photos = self._side(seen.probes), self._side(seen.gallery)
        # The scans' mean is the release's own where there is one: it holds what the protection did to everybody.
        scans_mean = others_mean(scans) if len(np.unique(scans.subject)) > 1 else a.mean(axis=0)
        gallery = Side(photos.features - b.mean(axis=0), photos.subject)
        score = symmetric_norm(compare(scans.features - scans_mean, gallery.per_subject()), scans.subject)
        out = claims(seen, np.unique(photos.subject), score, attack=self.name, condition=condition)
        out.notes.update(background_people=float(len(a)), setting=setting)
        return out

    def _others(self, probes: Cohort, threat: Threat) -> Cohort:
        """The part of the background that can teach: people with a scan and a photograph, nobody of the candidates."""
        background = threat.background or Cohort(())
        with_scan = {r.subject for r in background if r.contrast != PHOTO}
        with_photo = {r.subject for r in background if r.contrast == PHOTO}
        able = [s for s in background.subjects if s in with_scan & with_photo - set(threat.gallery.subjects)]
        if len(able) < FEWEST_OTHERS:
            raise UsageError(
                f"{self.name}: the threat's background has scans and photographs of {len(able)} people who are not "
                f"candidates, expected at least {FEWEST_OTHERS}",
                hint="give scans and photographs of other people, or use reidentify.embedding, which needs none",
            )
        return background.of(*able)

    def _side(self, seen: Observations) -> Side:
        """(N, 128): embeddings of each image, averaged over its views."""
        rows = [o.embedding[: self.views].mean(axis=0, dtype=np.float64) for o in seen.values()]
        return Side(np.stack(rows), subjects(seen))

    def _background(self, seen: Seen) -> tuple[Array, Array]:
        """(P, D) scans and (P, D) photographs of the same people in the same order."""
        return self._side(seen.background_scans).per_subject(), self._side(
            seen.background_photos
        ).per_subject()

    def describe(self) -> str:
        """In words, what the attack will do."""
        how = {
            "within": "by cosine, after dividing each direction by how much scan and photograph of one person differ",
            "svm": "by a linear SVM on the absolute difference and the product of each pair",
        }[self.how]
        return (
            f"render each head from {self.views} sides, and compare its face embeddings (dlib ResNet) with those of "
            f"each candidate's photographs {how}, learned from other people and tuned by cross-validation over them"
        )


def learn(how: How, scans: Array, photos: Array) -> tuple[Score, float]:
    """How to compare, learned from other people, and the setting that cross-validation chose.

    Args:
        scans, photos: (P, D), centred, row i of both is person i.
    """
    fit, settings = (_within, SHRINKAGES) if how == "within" else (_svm, COSTS)
    best = max(settings, key=lambda setting: _held_out(fit, setting, scans, photos))
    return fit(scans, photos, best), best


def _held_out(
    fit: Callable[[Array, Array, float], Score], setting: float, scans: Array, photos: Array
) -> float:
    """Mean AUC on people who were not learned from: every FOLDS-th person, in turn."""
    fold = np.arange(len(scans)) % FOLDS
    aucs = []
    for k in range(FOLDS):
        out = fold == k
        score = fit(scans[~out], photos[~out], setting)(scans[out], photos[out])
        mated = np.eye(out.sum(), dtype=bool)
        higher = score[mated][:, None] - score[~mated][None]
        aucs.append(float((higher > 0).mean() + 0.5 * (higher == 0).mean()))
    return float(np.mean(aucs))


def _within(scans: Array, photos: Array, shrinkage: float) -> Score:
    """Cosine after whitening by the within-person covariance, drawn towards a multiple of the identity."""
    half = (scans - photos) / 2  # either side's distance from the person's own mean
    covariance = half.T @ half / len(half)  # (D, D)
    level = max(float(np.trace(covariance)) / len(covariance), 1e-12)
    values, axes = np.linalg.eigh(covariance)
    scale = axes / np.sqrt((1 - shrinkage) * np.maximum(values, 0) + shrinkage * level)
    return lambda a, b: cosine(a @ scale, b @ scale)


def _svm(scans: Array, photos: Array, cost: float) -> Score:
    """Signed distance from a linear SVM's border between mated and non-mated pairs."""
    from sklearn.svm import LinearSVC

    pairs = _pair_features(scans, photos)
    mean, spread = pairs.mean(axis=0), np.maximum(pairs.std(axis=0), 1e-9)
    machine = LinearSVC(C=cost, class_weight="balanced", dual=False)
    machine.fit((pairs - mean) / spread, np.eye(len(scans), dtype=bool).ravel())

    def score(a: Array, b: Array) -> Array:
        out = machine.decision_function((_pair_features(a, b) - mean) / spread)
        return np.asarray(out).reshape(len(a), len(b))

    return score


def _pair_features(a: Array, b: Array) -> Array:
    """(N * G, 2 D): |a - b| and a * b of each pair of directions."""
    x, y = directions(a)[:, None], directions(b)[None]  # (N, 1, D), (1, G, D)
    both = np.concatenate([np.abs(x - y), x * y], axis=-1)
    return np.asarray(both.reshape(-1, both.shape[-1]))
