"""Look: the first pass over a grid, for all that needs one row at a time and nothing else.

rows ──┬── rank of the mate, best rival ──────> Searches (exact)
       ├── the best seven persons ────────────> rank-1 and rank-5 under any permutation (exact)
       ├── scores of mated pairs ─────────────> edges of the cells of the second pass
       └── smallest, largest, a sample ───────> the other edges
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from medveil.core.seeds import Seeds
from medveil.measure.scale.grid import STRIPES, Grid, Layout, Matrix, blocks
from medveil.measure.verification.open_set import Searches
from medveil.measure.verification.tally import Floats, Ints

TOP = 7  # rank 5 without the person really shown needs six places, and one more to see that a tie goes on
SAMPLED = 1 << 17


@dataclass(frozen=True, eq=False)
class Looked:
    """What the first pass saw.

    Args:
        person, rank, size, mate, rival: (P,) as in `Searches`.
        top: (P, T) the best gallery persons of each probe, best first, -1 where there are fewer.
        top_score: (P, T) their scores.
        mated: (M,) score of each mated pair; `mated_person`: (M,) whom it shows.
        sample: (S,) scores drawn from all pairs, whatever they show.
        ends: (2,) smallest and largest score.
    """

    person: Ints
    rank: Ints
    size: Ints
    mate: Floats
    rival: Floats
    top: Ints
    top_score: Floats
    mated: Floats
    mated_person: Ints
    sample: Floats
    ends: Floats

    @property
    def searches(self) -> Searches:
        return Searches(self.person, self.rank, self.size, self.mate, self.rival)


def look(grid: Grid, seeds: Seeds, jobs: int) -> Looked:
    """The first pass, stripe by stripe."""
    from joblib import Parallel, delayed

    parts = Parallel(n_jobs=jobs)(delayed(_stripe)(grid, s, seeds) for s in range(STRIPES))
    rows = [row for part in parts for row in part]
    joined = {f.name: np.concatenate([getattr(r, f.name) for r in rows]) for f in fields(Looked)}
    joined["ends"] = np.array([joined["ends"].min(), joined["ends"].max()])
    return Looked(**joined)


def _stripe(grid: Grid, stripe: int, seeds: Seeds) -> list[Looked]:
    layout = Layout.of(grid)
    share = SAMPLED / (len(grid.probe) * len(grid.gallery))
    return [
        _block(
            layout.arranged(grid.rows(start, stop)),
            grid.probe[start:stop],
            layout,
            share,
            seeds.stream("measure/sample", start),
        )
        for start, stop in blocks(grid, stripe)
    ]


def _block(x: Matrix, person: Ints, layout: Layout, share: float, rng: np.random.Generator) -> Looked:
    there = ~np.isnan(x)
    whole = bool(there.all())
    drawn = x.ravel()[rng.integers(0, x.size, max(int(np.ceil(share * x.size)), 1))]
    smallest = float(x.min() if whole else np.nanmin(x, initial=np.inf))
    filled = x if whole else np.where(there, x, np.array(-np.inf, dtype=x.dtype))
    # (B, Q) best score of each gallery person
    best = filled if layout.single else np.maximum.reduceat(filled, layout.start, axis=1)
    rows, place = np.arange(len(x)), layout.place[person]
    mate = np.where(place >= 0, best[rows, place], -np.inf)
    known = np.isfinite(mate)
    size = np.full(len(x), best.shape[1]) if whole else np.isfinite(best).sum(axis=1)
    rank = np.where(known, (best >= mate.astype(best.dtype)[:, None]).sum(axis=1), 0)
    top, top_score = _tops(best, layout)
    others = np.where(top == person[:, None], -np.inf, top_score)
    entry, column = layout.pairs(place)
    paired = x[entry, column].astype(np.float64)
    seen = ~np.isnan(paired)
    return Looked(
        person=person,
        rank=rank.astype(np.int64),
        size=size.astype(np.int64),
        mate=mate.astype(np.float64),
        rival=others.max(axis=1),
        top=top,
        top_score=top_score,
        mated=paired[seen],
        mated_person=person[entry][seen],
        sample=drawn[~np.isnan(drawn)].astype(np.float64),
        ends=np.array([smallest, float(best.max())]) if there.any() else np.empty(0),
    )


def _tops(best: Matrix, layout: Layout) -> tuple[Ints, Floats]:
    count = min(TOP, best.shape[1])
    at = np.argpartition(best, best.shape[1] - count, axis=1)[:, best.shape[1] - count :]
    score = np.take_along_axis(best, at, axis=1).astype(np.float64)
    order = np.argsort(-score, axis=1, kind="stable")
    score = np.take_along_axis(score, order, axis=1)
    who = layout.who[np.take_along_axis(at, order, axis=1)]
    pad = ((0, 0), (0, TOP - count))
    who = np.where(np.isfinite(score), who, -1)
    return np.pad(who, pad, constant_values=-1), np.pad(score, pad, constant_values=-np.inf)
