"""Embedding: recognise the person in a head scan from photographs, by a face recogniser's embeddings.

    scan ──surface, views──> embeddings ──mean, minus the mean of scans──┐
                                                                         cosine = score
    photographs ───────────> embeddings ──mean, minus the mean of photos─┘

The attack of Schwarz et al. 2019 and 2021 with tools that anybody can install. What makes it strong here is the
subtraction: raw distances between a clay-coloured render and a photograph mostly measure that difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.observer import Observer
from medveil.attack.reidentify.calibrate import Centring, Side, cosine, mean_of, others_mean
from medveil.attack.reidentify.observe import Observations
from medveil.attack.reidentify.pairs import claims, look, subjects
from medveil.attack.reidentify.render import checked_views
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Embedding:
    """Compare renders of a scan with photographs by 128-d face embeddings (dlib ResNet).

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
    """

    views: int = 3
    centring: Centring = "auto"

    name: ClassVar[str] = "reidentify.embedding"
    summary: ClassVar[str] = "compares renders of the head with photographs by a face recogniser"
    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_views(self.views)
        if self.centring not in get_args(Centring):
            raise UsageError(
                "reidentify.embedding: no such centring", hint="known are " + ", ".join(get_args(Centring))
            )

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate: cosine of the centred means, in -1..1.

        Raises:
            UsageError: no probes, no candidates, or centring by a background that the threat does not have.
        """
        if self.centring == "background" and threat.background is None:
            raise UsageError("reidentify.embedding: centring is background, but the threat has none")
        lone = self.centring == "auto" and len(probes.subjects) < 2
        wanted = {
            "auto": ("photos", "scans") if lone else ("photos",),
            "background": ("photos", "scans"),
        }.get(self.centring, ())
        seen = look(probes, threat, observer, views=self.views, background=wanted)
        scans, photos = self._side(seen.probes), self._side(seen.gallery)
        scans_mean = self._mean(scans, seen.background_scans)
        photos_mean = self._mean(photos, seen.background_photos)
        if self.centring == "none" or scans_mean is None or photos_mean is None:
            # One side alone would turn all scores the same way: compare uncentred instead.
            scans_mean = photos_mean = np.zeros(scans.features.shape[1])
        gallery = Side(photos.features - photos_mean, photos.subject)
        score = cosine(scans.features - scans_mean, gallery.per_subject())
        return claims(seen, np.unique(photos.subject), score, attack=self.name, condition=condition)

    def _side(self, seen: Observations) -> Side:
        """(N, 128): embeddings of each image, averaged over its views."""
        rows = [o.embedding[: self.views].mean(axis=0, dtype=np.float64) for o in seen.values()]
        return Side(np.stack(rows), subjects(seen))

    def _mean(self, side: Side, background: Observations) -> Array | None:
        """What to subtract: the background's mean where it was looked at, else that of the others; or None."""
        if background:
            return mean_of(self._side(background))
        return others_mean(side) if len(np.unique(side.subject)) > 1 else None

    def describe(self) -> str:
        """In words, what the attack will do."""
        centre = {
            "auto": "after subtracting the mean of the other scans and that of other people's photographs",
            "background": "after subtracting the means of the background's scans and photographs",
            "leave-own-out": "after subtracting the mean of the other scans and of the other candidates",
            "none": "as they are",
        }[self.centring]
        return (
            f"render each head from {self.views} sides, and compare its face embeddings (dlib ResNet, averaged) "
            f"with those of each candidate's photographs by cosine, {centre}"
        )
