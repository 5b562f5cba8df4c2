"""Head: find the same person in other scans by what the head looks like from outside.

    what = face      renders of both sides ──recogniser──> embeddings ──┐
    what = outline   the vault of both heads ──────────> distances ─────┤── minus the others' mean ──> cosine

The first is the face attack without photographs: two releases, one of them with faces, is all it takes. The second
asks what is left of a head when the face is gone. Each side is centred by its own others, because the two may
have been protected in different ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.link.assignment import one_to_one
from medveil.attack.link.brain import Match
from medveil.attack.link.outline import Outline
from medveil.attack.link.scans import claims, per_candidate, scans_of
from medveil.attack.observer import Observer
from medveil.attack.reidentify.calibrate import Side, cosine, others_mean
from medveil.attack.reidentify.observe import Renders
from medveil.attack.reidentify.render import checked_views
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]
What = Literal["face", "outline"]


@dataclass(frozen=True)
class Head:
    """Link scans to scans by faces or by skulls.

    Args:
        what: face, embeddings of renders (dlib ResNet); or outline, the shape of the vault.
        views: renders of a face that are averaged, 1 to 10; the outline has none.
        match: free, each probe on its own; or one-to-one, the best map in which no candidate is given twice.
    """

    what: What = "face"
    views: int = 3
    match: Match = "free"

    name: ClassVar[str] = "link.head"
    summary: ClassVar[str] = "finds the same person in other scans by the face, or by the shape of the skull"
    needs: ClassVar[Known] = "scans"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        checked_views(self.views)
        for field, value, known in (
            ("what", self.what, get_args(What)),
            ("match", self.match, get_args(Match)),
        ):
            if value not in known:
                raise UsageError(f"link.head: no such {field}", hint="known are " + ", ".join(known))

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate: cosine, the mean over the candidate's scans.

        Raises:
            UsageError: no probes, or no scans of candidates.
            MissingPackage: faces are compared and the recogniser is not installed.
        """
        probes, gallery = scans_of(probes, threat, self.name)
        seen = self._faces if self.what == "face" else self._outlines
        ours, notes = seen(probes, observer, "probe")
        theirs, more = seen(gallery, observer, "gallery")
        people, score = per_candidate(cosine(_centred(ours, theirs), _centred(theirs, ours)), gallery)
        if self.match == "one-to-one":
            score = one_to_one(score, ours.subject)
        notes = {k: v for k, v in (notes | more).items() if k != "gallery_empty"}
        return claims(probes, gallery, people, score, attack=self.name, condition=condition, notes=notes)

    def _faces(self, cohort: Cohort, observer: Observer, side: str) -> tuple[Side, dict[str, float]]:
        seen = observer.see(cohort, Renders(self.views))
        notes = {
            f"{side}_detected": float(np.concatenate([o.detected for o in seen.values()]).mean()),
            f"{side}_empty": float(np.mean([o.empty for o in seen.values()])),
        }
        rows = [seen[r.subject, r.name].embedding.mean(axis=0, dtype=np.float64) for r in cohort]
        return _side(cohort, rows), notes

    def _outlines(self, cohort: Cohort, observer: Observer, side: str) -> tuple[Side, dict[str, float]]:
        seen = observer.see(cohort, Outline())
        notes = {
            f"{side}_located": float(np.mean([o.located for o in seen.values()])),
            f"{side}_empty": float(np.mean([o.empty for o in seen.values()])),
        }
        return _side(cohort, [seen[r.subject, r.name].radius_mm for r in cohort]), notes

    def describe(self) -> str:
        """In words, what the attack will do."""
        how = {
            "face": f"render each head from {self.views} sides and describe its face (dlib ResNet, averaged)",
            "outline": "measure the vault of each head from the middle of the brain, above face and ears",
        }[self.what]
        given = "" if self.match == "free" else ", as the best map in which nobody is given twice"
        return f"{how}, subtract the mean of the others of its side, and compare by cosine{given}"


def _side(cohort: Cohort, rows: list[Array]) -> Side:
    return Side(np.stack(rows), np.array([r.subject for r in cohort]))


def _centred(side: Side, other: Side) -> Array:
    """Without the mean of the others; both sides as they are where one of them has nobody else."""
    if min(len(np.unique(s.subject)) for s in (side, other)) < 2:
        return side.features
    return side.features - others_mean(side)
