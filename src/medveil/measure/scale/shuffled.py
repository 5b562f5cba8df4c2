"""Shuffled: null and p of a grid, from what the two passes kept.

Ranks need no second look at the scores: whoever is alone at the top of a list is known, so rank-1 of any
permutation is a comparison of labels. The AUC of a permutation needs the scores of the pairs it calls mated;
the second pass has counted them between 4,096 quantiles of all scores, which were chosen without looking at
who is who. On scores so rounded the permutation test is as exact as on the scores themselves: it
compares one statistic with itself.
"""

from __future__ import annotations

import numpy as np

from medveil.measure.curves import FPR
from medveil.measure.null import Null, PermutationP, random_derangement
from medveil.measure.scale.cells import Cells
from medveil.measure.scale.count import Counts, Shuffles
from medveil.measure.scale.look import Looked
from medveil.measure.verification.battery import NAMES, Battery
from medveil.measure.verification.roc import tpr_at
from medveil.measure.verification.tally import Floats, Ints, Tally


def shuffles(
    persons: int,
    both: Ints,
    permutations: int,
    derangements: int,
    rngs: tuple[np.random.Generator, np.random.Generator],
) -> Shuffles:
    """Random matchings of the persons `both`, those on both sides; the first of the free ones is the truth."""
    one = np.arange(persons)
    free = np.tile(one, (permutations + 1, 1))
    deranged = np.full((derangements if len(both) > 1 else 0, persons), -1, dtype=np.int64)
    for row in free[1:]:
        row[both] = both[rngs[0].permutation(len(both))]
    for row in deranged:
        row[both] = both[random_derangement(len(both), rngs[1])]
    return Shuffles(free, deranged)


def no_null() -> Null:
    """The null of pairs that can't be shuffled."""
    return Null({n: np.empty(0) for n in (*NAMES, "rank_1", "rank_5")}, np.empty((0, 0)), np.empty((0, 0)))


def null_of(
    looked: Looked, counts: Counts, cells: Cells, battery: Battery, mated: Ints, shuffled: Shuffles
) -> Null:
    """Metrics of each derangement: its pairs count as mated, true pairs are left out.

    Args:
        battery: over the fine cells.
        mated: (C,) true mated pairs per cell.
    """
    if not len(shuffled.deranged):
        return no_null()
    rows, tpr = [], []
    known = looked.rank > 0
    worst = _worst_without_mate(looked)[known]
    top, person = looked.top[known], looked.person[known]
    for claimed, mate in zip(counts.deranged, shuffled.deranged, strict=True):
        tally = Tally(claimed.astype(np.float64), (counts.all - mated - claimed).astype(np.float64))
        at = (top == mate[person][:, None]) & (top >= 0)
        ranks = {f"rank_{k}": float((at & (worst <= k)).any(axis=1).mean()) for k in (1, 5)}
        rows.append(battery.rate(tally) | ranks)
        tpr.append(tpr_at(tally, FPR) if tally.defined else np.full(len(FPR), np.nan))
    return Null({n: np.array([row[n] for row in rows]) for n in rows[0]}, np.array(tpr), np.empty((0, 0)))


def p_of(looked: Looked, counts: Counts, cells: Cells, shuffled: Shuffles) -> PermutationP:
    """One-sided p of AUC and rank-1, (1 + b) / (1 + B)."""
    known = looked.rank > 0
    alone = looked.top_score[:, 0] > looked.top_score[:, 1]
    first, person = np.where(alone, looked.top[:, 0], -1)[known], looked.person[known]
    rank_1 = np.array([float((first == mate[person]).mean()) for mate in shuffled.free])
    auc = _aucs(counts, cells)
    reached = [int((x[1:] >= x[0] - 1e-12).sum()) for x in (auc, rank_1)]
    return PermutationP(*((1 + b) / len(shuffled.free) for b in reached))


def _aucs(counts: Counts, cells: Cells) -> Floats:
    """(R,) Mann-Whitney AUC of each free shuffle, on scores rounded to the pooled quantiles."""
    size = counts.free.shape[1]
    every = np.bincount(cells.pooled, weights=counts.all, minlength=size)
    middle = np.cumsum(every) - every / 2 + 0.5  # mid-rank of each interval
    m = counts.free.sum(axis=1)
    n = every.sum() - m
    sums = counts.free @ middle
    with np.errstate(invalid="ignore", divide="ignore"):
        auc = (sums - m * (m + 1) / 2) / (m * n)
    return np.where((m > 0) & (n > 0), auc, 0.5)


def _worst_without_mate(looked: Looked) -> Ints:
    """(P, T) worst rank of each of the best persons if the person really shown were not in the gallery."""
    others = (looked.top >= 0) & (looked.top != looked.person[:, None])
    score = np.where(others, looked.top_score, -np.inf)
    worst = (score[:, None, :] >= score[:, :, None]) & others[:, None, :]
    return np.where(others, worst.sum(axis=2), len(looked.top[0]) + 1).astype(np.int64)
