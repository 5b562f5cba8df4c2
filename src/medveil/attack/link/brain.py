"""Brain: find the same person in two releases by the brain alone, whatever was done to the face.

    scans of the release ──align──> brains ──┐
                                             ├─ minus the mean of the others ─> similarity of all pairs ──> score
    scans of the candidates ─align─> brains ─┘

Folds and ventricles stay for years and no defacing tool may touch them. So this attack asks what defacing
cannot answer: if the same volunteers were scanned for two studies, and one of the two names them or says more
of them, who is who? It needs no weights, no photographs and no training. After Sharma et al. 2026 (arXiv
2602.10043), who link public collections with plain similarities of stripped, affinely aligned brains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.base import Known
from medveil.attack.link.aligned import Aligned, AlignedBrain
from medveil.attack.link.assignment import one_to_one
from medveil.attack.link.lattice import lattice
from medveil.attack.link.scans import claims, per_candidate, scans_of
from medveil.attack.link.similarity import Brains, Similarity, similarity
from medveil.attack.observer import Observer
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

Array = npt.NDArray[Any]
Match = Literal["free", "one-to-one"]
SAID: dict[Similarity, str] = {
    "fused": "correlation, local correlation, edges and mutual information together",
    "correlation": "correlation of their fine detail",
    "local": "correlation within small cubes",
    "gradient": "the direction of their edges",
    "information": "normalised mutual information",
}


@dataclass(frozen=True)
class Brain:
    """Link scans to scans by the brains they show.

    Args:
        similarity: what is compared: fused, correlation, local, gradient or information.
        match: free, each probe on its own; or one-to-one, the best map in which no candidate is given twice.
        spacing_mm: edge of the voxels on which brains are compared, 2 to 6 mm.
    """

    similarity: Similarity = "fused"
    match: Match = "free"
    spacing_mm: float = 3.0

    name: ClassVar[str] = "link.brain"
    summary: ClassVar[str] = "finds the same person in other scans by the brain, with no face needed"
    needs: ClassVar[Known] = "scans"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for field, value, known in (
            ("similarity", self.similarity, get_args(Similarity)),
            ("match", self.match, get_args(Match)),
        ):
            if value not in known:
                raise UsageError(f"link.brain: no such {field}", hint="known are " + ", ".join(known))
        AlignedBrain(self.spacing_mm)

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """One score for each probe image and candidate: the mean over the candidate's scans.

        Raises:
            UsageError: no probes, or no scans of candidates.
        """
        probes, gallery = scans_of(probes, threat, self.name)
        look = AlignedBrain(self.spacing_mm)
        ours, theirs = observer.see(probes, look), observer.see(gallery, look)
        grid = lattice(self.spacing_mm)
        score = similarity(_side(probes, ours), _side(gallery, theirs), grid, self.similarity)
        people, score = per_candidate(score, gallery)
        if self.match == "one-to-one":
            score = one_to_one(score, np.array([r.subject for r in probes]))
        notes = {
            "probe_located": float(np.mean([a.located for a in ours.values()])),
            "gallery_located": float(np.mean([a.located for a in theirs.values()])),
            "probe_empty": float(np.mean([a.empty for a in ours.values()])),
        }
        return claims(probes, gallery, people, score, attack=self.name, condition=condition, notes=notes)

    def describe(self) -> str:
        """In words, what the attack will do."""
        given = {
            "free": "each on its own",
            "one-to-one": "as the best map in which nobody is given twice",
        }[self.match]
        return (
            f"align the brain in each scan with a template at {self.spacing_mm:g} mm, cut it out, even out scanner "
            f"and contrast, subtract the mean brain of the others, and compare all pairs by "
            f"{SAID[self.similarity]}; {given}"
        )


def _side(cohort: Cohort, seen: Mapping[tuple[str, str], Aligned]) -> Brains:
    return Brains(
        np.stack([seen[r.subject, r.name].values for r in cohort]),
        np.array([r.subject for r in cohort]),
        np.array([r.contrast for r in cohort]),
    )
