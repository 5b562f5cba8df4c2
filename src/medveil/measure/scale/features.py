"""Features: scores that need not exist before they are measured, made from two matrices of features.

    probes (P, D), gallery (G, D) ── block of rows ──> cosine or distance (B, G) ──> counted and forgotten

The features of 10^5 people take half a gigabyte, their scores 40. Faiss may rank them, where it is installed: its
flat indices look at every pair as we do and give the same ranks, a few times faster on many cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import MissingPackage, UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.estimates import with_interval
from medveil.measure.scale.grid import Matrix
from medveil.measure.scale.look import look
from medveil.measure.verification.bootstrap import multiplicities
from medveil.measure.verification.tally import Floats, Ints

Kind = Literal["cosine", "l2"]


@dataclass(frozen=True, eq=False, repr=False)
class FeatureGrid:
    """A grid whose scores are made when they are asked for; `measure_grid` takes it as it is.

    Args:
        probes, features: (P, D) and (G, D) float64, of length 1 if `kind` is cosine.
        probe, gallery: (P,) and (G,) person shown, one numbering for both sides.
        kind: `cosine` similarity, or `l2`, minus the Euclidean distance.
        attack, condition: as in a score table.
    """

    probes: Floats
    features: Floats
    probe: Ints
    gallery: Ints
    kind: Kind = "cosine"
    attack: str = "external"
    condition: str = "release"

    @staticmethod
    def of(
        probes: npt.ArrayLike,
        gallery: npt.ArrayLike,
        probe_person: npt.ArrayLike,
        gallery_person: npt.ArrayLike,
        kind: Kind = "cosine",
    ) -> FeatureGrid:
        """Check the features, number the persons.

        Args:
            probes, gallery: (P, D) and (G, D) features, finite.
            probe_person, gallery_person: (P,) and (G,) labels; the same person has the same label.

        Raises:
            UsageError: shapes that do not fit, a feature that is not finite, a cosine with a vector of zeros.
        """
        a, b = (np.asarray(x, dtype=np.float64) for x in (probes, gallery))
        p, g = (np.asarray(x).astype(str) for x in (probe_person, gallery_person))
        if a.ndim != 2 or b.ndim != 2 or a.shape[1:] != b.shape[1:] or not a.size or not b.size:
            raise UsageError("features: expected (P, D) and (G, D) with one D")
        if len(p) != len(a) or len(g) != len(b):
            raise UsageError("features: expected one person for each row")
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise UsageError("features: one is not finite")
        if kind not in ("cosine", "l2"):
            raise UsageError(f"features: no score {kind}", hint="known are cosine, l2")
        if kind == "cosine":
            lengths = [np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
            if not all((length > 0).all() for length in lengths):
                raise UsageError("features: a vector of zeros has no direction to compare", hint="use l2")
            a, b = a / lengths[0], b / lengths[1]
        _, index = np.unique(np.concatenate([p, g]), return_inverse=True)
        return FeatureGrid(a, b, index[: len(p)].astype(np.int64), index[len(p) :].astype(np.int64), kind)

    @property
    def persons(self) -> int:
        return int(max(self.probe.max(), self.gallery.max())) + 1

    def rows(self, start: int, stop: int) -> Matrix:
        """(stop - start, G) scores of these probes, float64."""
        a = self.probes[start:stop]
        product = a @ self.features.T
        if self.kind == "cosine":
            return np.asarray(product)
        square = (a**2).sum(axis=1)[:, None] + (self.features**2).sum(axis=1) - 2 * product
        return np.asarray(-np.sqrt(np.maximum(square, 0.0)))

    def __repr__(self) -> str:
        return f"FeatureGrid({len(self.probe)} x {len(self.gallery)} images, {self.kind})"


def rank_from_features(
    grid: FeatureGrid,
    k: int = 1,
    *,
    seeds: Seeds,
    engine: Literal["numpy", "faiss"] = "numpy",
    rounds: int = 1000,
    level: float = 0.95,
) -> Estimate:
    """Closed-set rank-k from features, with its interval over persons; lower is more private.

    Ties take the worst rank, and a gallery person counts with the best of several images.

    Args:
        grid: the features, and who is who.
        k: how many candidates are looked at.
        seeds: stream `measure/bootstrap`.
        engine: `faiss` needs the package faiss-cpu; ranks are the same but for scores that differ in the 7th digit.

    Raises:
        UsageError: no probe has a mate in the gallery, or k is below 1.
        MissingPackage: faiss is asked for and not installed.
    """
    if k < 1:
        raise UsageError("rank: k must be at least 1")
    known = np.isin(grid.probe, grid.gallery)
    if not known.any():
        raise UsageError("rank: no probe has a mate in the gallery")
    if engine == "faiss":
        hit = _faiss_hits(grid, k)[known]
    else:
        ranks = look(grid, seeds, 1).rank[known]
        hit = ranks <= k
    person = grid.probe[known]
    samples = np.full(rounds, np.nan)
    for r, drawn in enumerate(multiplicities(grid.persons, rounds, seeds.stream("measure/bootstrap"))):
        weight = drawn[person]
        if weight.sum() > 0:
            samples[r] = float(weight @ hit / weight.sum())
    persons, people = len(np.unique(person)), len(np.unique(grid.gallery))
    e = Estimate(
        f"rank_{k}",
        float(hit.mean()),
        level=level,
        n=persons,
        better="lower",
        chance=min(k / people, 1.0),
        note=f"closed set of {people} people, {grid.kind} of features, ties take the worst rank",
    )
    return with_interval(e, samples, level, persons)


def _faiss_hits(grid: FeatureGrid, k: int) -> npt.NDArray[np.bool_]:
    """(P,) whether the mate is among the first k people, ties against the attacker."""
    faiss = _faiss()
    width = grid.features.shape[1]
    index = faiss.IndexFlatIP(width) if grid.kind == "cosine" else faiss.IndexFlatL2(width)
    index.add(np.ascontiguousarray(grid.features, dtype=np.float32))
    # So many images that at least k + 1 people are among them: a tie that goes on beyond the list is then no hit.
    most = int(np.bincount(grid.gallery).max())
    count = min(k * most + 1, len(grid.gallery))
    score, at = index.search(np.ascontiguousarray(grid.probes, dtype=np.float32), count)
    score = score if grid.kind == "cosine" else -score
    who = grid.gallery[at]
    hits = np.zeros(len(who), dtype=np.bool_)
    for i, (people, points) in enumerate(zip(who, score, strict=True)):
        mine = points[people == grid.probe[i]]
        if len(mine):
            hits[i] = len(np.unique(people[points >= mine.max()])) <= k
    return hits


def _faiss() -> Any:
    try:
        return import_module("faiss")
    except ImportError:
        raise MissingPackage("faiss", "ranking features with engine faiss", "pip install faiss-cpu") from None
