"""By embedding: what all attacks share that compare embeddings of renders with embeddings of photographs.

    scan ──surface, views──> embeddings ──mean, minus the mean of scans──┐
                                                                         cosine ──normalised──> score
    photographs ───────────> embeddings ──mean, minus the mean of photos─┘

The attacks differ by their eye: the network that embeds a face. What makes them strong is the subtraction, since
raw distances between a clay-coloured render and a photograph mostly measure that difference, and then the
normalisation: some heads look a little like everybody, and some photographs too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.observer import Observer
from medveil.attack.reidentify.calibrate import (
    Centring,
    Side,
    cosine,
    mean_of,
    others_mean,
    symmetric_norm,
)
from medveil.attack.reidentify.eyes import Eye
from medveil.attack.reidentify.observe import Observations
from medveil.attack.reidentify.pairs import claims, look, subjects
from medveil.attack.reidentify.render import checked_views
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ByEmbedding:
    """Compare embeddings of renders with those of photographs; a subclass brings the eye.

    Args:
        views: how many renders of a scan are averaged, 1 to 10.
        centring: whose mean is subtracted on either side.
            leave-own-out: that of the other people of the same release, and of the other candidates. The
            attacker has the whole release, so its mean holds whatever the protection did to everybody.
            background: that of the threat's background people, scans and photographs. Only as strong as those
            scans are like the release: protect the background the same way, or the attack is weakened.
            auto: scans as in leave-own-out; photographs by the background where the threat has one, which
            needs no such care, else as in leave-own-out.
            none: nothing; for comparison.
        normalise: measure each score against those of the same scan with all candidates and of the same candidate
            with all scans (see `calibrate.symmetric_norm`).
    """

    views: int = 3
    centring: Centring = "auto"
    normalise: bool = True

    name: ClassVar[str]
    summary: ClassVar[str]
    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_views(self.views)
        if self.centring not in get_args(Centring):
            raise UsageError(
                f"{self.name}: no such centring", hint="known are " + ", ".join(get_args(Centring))
            )

    def eye(self) -> Eye:
        """The network that embeds a face.

        Raises:
            MissingPackage: it is not installed.
            UsageError: its weights are not there.
        """
        raise NotImplementedError

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate.

        A score is the cosine of the centred means, in -1..1; with `normalise`, and enough people, in standard
        deviations of such cosines.

        Raises:
            UsageError: no probes, no candidates, or centring by a background that the threat does not have.
        """
        if self.centring == "background" and threat.background is None:
            raise UsageError(f"{self.name}: centring is background, but the threat has none")
        lone = self.centring == "auto" and len(probes.subjects) < 2
        wanted = {
            "auto": ("photos", "scans") if lone else ("photos",),
            "background": ("photos", "scans"),
        }.get(self.centring, ())
        seen = look(probes, threat, observer, views=self.views, background=wanted, eye=self.eye())
        scans, photos = self._side(seen.probes), self._side(seen.gallery)
        scans_mean = self._mean(scans, seen.background_scans)
        photos_mean = self._mean(photos, seen.background_photos)
        if self.centring == "none" or scans_mean is None or photos_mean is None:
            # One side alone would turn all scores the same way: compare uncentred instead.
            scans_mean = photos_mean = np.zeros(scans.features.shape[1])
        gallery = Side(photos.features - photos_mean, photos.subject)
        score = cosine(scans.features - scans_mean, gallery.per_subject())
        score = symmetric_norm(score, scans.subject) if self.normalise else score
        return claims(seen, np.unique(photos.subject), score, attack=self.name, condition=condition)

    def _side(self, seen: Observations) -> Side:
        """(N, D): embeddings of each image, averaged over its views."""
        rows = [o.embedding[: self.views].mean(axis=0, dtype=np.float64) for o in seen.values()]
        return Side(np.stack(rows), subjects(seen))

    def _mean(self, side: Side, background: Observations) -> Array | None:
        """What to subtract: the background's mean where it was looked at, else that of the others; or None."""
        if background:
            return mean_of(self._side(background))
        return others_mean(side) if len(np.unique(side.subject)) > 1 else None

    def comparison(self) -> str:
        """In words, what is done with the embeddings."""
        centre = {
            "auto": "after subtracting the mean of the other scans and that of other people's photographs",
            "background": "after subtracting the means of the background's scans and photographs",
            "leave-own-out": "after subtracting the mean of the other scans and of the other candidates",
            "none": "as they are",
        }[self.centring]
        norm = ", each score measured against those of the same scan and of the same candidate"
        return f"by cosine, {centre}{norm if self.normalise else ''}"
