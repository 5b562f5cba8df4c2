"""Chance: what the same scores would give if nobody could be told from anybody.

Two questions, two draws. `derangements` asks what a guesser's figures look like: everyone is matched with
another person, never themselves, and their true pairs are left out. One cyclic shift would be a
single such draw, and its luck; here the derangements are random, uniform over all of them.
`permutation_p` tests "no better than chance": the labels are permuted freely, true pairs stay in, because under
that hypothesis they are like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.core.scores import Scores
from medveil.measure.verification.battery import NAMES, Battery
from medveil.measure.verification.identification import Rankings, cmc_of
from medveil.measure.verification.roc import tpr_at
from medveil.measure.verification.tally import Floats, Ints, summed

CROSSED = 0.9  # share of all (person, person) pairs that must have a score


@dataclass(frozen=True, eq=False)
class Null:
    """What the rounds of a null gave.

    Args:
        values: metric name to (R,) values, not-a-number where undefined; R may be 0.
        tpr: (R, F) ROC of each round at the FPRs asked for.
        cmc: (R, K) CMC of each round; chance here is k / (G - 1), the true person being out.
    """

    values: dict[str, Floats]
    tpr: Floats
    cmc: Floats

    def mean(self, name: str) -> float | None:
        """Mean over the rounds in which the metric is defined."""
        good = self.values[name][np.isfinite(self.values[name])]
        return float(good.mean()) if len(good) else None

    def range(self, name: str, level: float = 0.95) -> tuple[float, float] | None:
        """The central part of the rounds, `level` of them."""
        good = self.values[name][np.isfinite(self.values[name])]
        if len(good) < 2:
            return None
        low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)


def random_derangement(n: int, rng: np.random.Generator) -> Ints:
    """A permutation of 0..n-1 that leaves nobody in place, uniform over all of them; n is at least 2.

    Permutations are drawn until one fits, which takes e = 2.7 draws on average.
    """
    places = np.arange(n)
    while True:
        drawn = rng.permutation(n)
        if not (drawn == places).any():
            return drawn.astype(np.int64)


def two_sided(scores: Scores) -> Ints:
    """Persons with at least one mated pair: those whose identity is at stake."""
    return np.unique(scores.probe[scores.is_mated])


def exchangeable(scores: Scores) -> bool:
    """Whether labels may be permuted at all: nearly every person was compared with nearly every other.

    A table with few or with hand-picked impostors has no scores for most permuted pairs. What is left would
    measure which pairs were chosen, and could look like a leak or hide one.
    """
    persons = two_sided(scores)
    inside = np.isin(scores.probe, persons) & np.isin(scores.gallery, persons)
    seen = np.unique(scores.probe[inside] * scores.persons + scores.gallery[inside])
    return len(seen) >= CROSSED * len(persons) ** 2


def derangements(
    scores: Scores,
    rng: np.random.Generator,
    rounds: int = 500,
    *,
    edges: Floats | None = None,
    fpr: Floats | None = None,
    longest: int = 5,
) -> Null:
    """Metrics of a guesser: pairs (i, d(i)) count as mated, true pairs are left out.

    Args:
        scores: the pairs and the persons behind them.
        rng: a named stream.
        rounds: how many random derangements; none are drawn for fewer than two persons, nor if the scores are
            not `exchangeable`.
        edges: linkability bins, so that value and null use the same ones; default: those of the scores.
        fpr: at which FPRs to keep the ROC.
        longest: how many ranks of the CMC to keep, at least 5.

    With two persons every pair is either true or deranged and no metric is defined; with three there are
    two derangements only. The values say so by being not-a-number or by taking two values.
    """
    persons = two_sided(scores)
    true = scores.is_mated
    if len(persons) < 2 or rounds < 1 or not exchangeable(scores):
        return Null(
            {n: np.empty(0) for n in (*NAMES, "rank_1", "rank_5")}, np.empty((0, 0)), np.empty((0, 0))
        )
    battery = Battery.of(scores.score, int(true.sum()), edges)
    rankings = Rankings.of(scores)
    found: list[dict[str, float]] = []
    tpr = np.full((rounds, 0 if fpr is None else len(fpr)), np.nan)
    cmc = np.full((rounds, max(longest, 5)), np.nan)
    for r in range(rounds):
        mate = np.full(scores.persons, -1, dtype=np.int64)
        mate[persons] = persons[random_derangement(len(persons), rng)]
        claimed = mate[scores.probe] == scores.gallery
        row, tally = battery.measure(claimed.astype(np.float64), (~claimed & ~true).astype(np.float64))
        if tally is not None and fpr is not None:
            tpr[r] = tpr_at(tally, fpr)
        ranks = rankings.ranks(mate, drop_true=True)
        rates = cmc_of(ranks[ranks > 0], cmc.shape[1])
        if len(rates):
            cmc[r] = rates
        found.append({**row, "rank_1": float(cmc[r, 0]), "rank_5": float(cmc[r, 4])})
    return Null({n: np.array([f[n] for f in found]) for n in found[0]}, tpr, cmc)


@dataclass(frozen=True)
class PermutationP:
    """p of "no better than chance", for AUC and rank-1; None if undefined or the scores are not `exchangeable`."""

    auc: float | None
    rank_1: float | None


def permutation_p(scores: Scores, rng: np.random.Generator, rounds: int = 1000) -> PermutationP:
    """One-sided permutation test of the person labels: p = (1 + b) / (1 + B).

    Of B random permutations of the persons, b reach the observed value. The two numbers are tests of one
    question by two statistics; whoever takes the smaller must correct for it (`verdict` does). Few
    persons have few permutations: 3 persons can't reach p < 0.05 however good the attack.

    Source: Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010).
    """
    persons = two_sided(scores)
    n_mated = int(scores.is_mated.sum())
    if len(persons) < 2 or n_mated == len(scores.score) or not exchangeable(scores):
        return PermutationP(None, None)
    sums = _RankSums.of(scores)
    rankings = Rankings.of(scores)
    on_list = rankings.ranks() > 0

    def statistics(mate: Ints) -> tuple[float, float]:
        ranks = rankings.ranks(mate)[on_list]
        return sums.auc(mate), float((ranks == 1).mean())

    observed = np.array(statistics(np.arange(scores.persons)))
    reached = np.zeros(2)
    for _ in range(rounds):
        mate = np.arange(scores.persons)
        mate[persons] = persons[rng.permutation(len(persons))]
        reached += np.array(statistics(mate)) >= observed - 1e-12
    p = (1 + reached) / (1 + rounds)
    return PermutationP(float(p[0]), float(p[1]))


@dataclass(frozen=True, eq=False)
class _RankSums:
    """Mid-ranks of all scores, summed for each (probe person, gallery person): the AUC of any matching in O(N)."""

    key: Ints
    total: Floats
    count: Ints
    pairs: int
    persons: int

    @staticmethod
    def of(scores: Scores) -> _RankSums:
        from scipy.stats import rankdata

        key, entry = np.unique(scores.probe * scores.persons + scores.gallery, return_inverse=True)
        return _RankSums(
            key=key,
            total=summed(entry, rankdata(scores.score), len(key)),
            count=np.bincount(entry),
            pairs=len(scores.score),
            persons=scores.persons,
        )

    def auc(self, mate: Ints) -> float:
        """Mann-Whitney AUC if person i is taken for person mate[i] and every other pair is non-mated."""
        wanted = np.arange(self.persons) * self.persons + mate
        at = np.minimum(np.searchsorted(self.key, wanted), len(self.key) - 1)
        at = at[self.key[at] == wanted]
        m = int(self.count[at].sum())
        n = self.pairs - m
        if m == 0 or n == 0:
            return 0.5
        return float((self.total[at].sum() - m * (m + 1) / 2) / (m * n))
