"""Identify: everything about lists, from what each probe found; the same for tables of any size.

    Searches ──┬── every probe once ──────> rank-k, CMC, rank-1 by size of the gallery, DIR
               └── persons drawn again ───> their intervals and bands

The gallery stays whole in the bootstrap: redrawing it would leave about 63 % of it, which is an easier one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.findings import Curves
from medveil.measure.curves import LONGEST_CMC
from medveil.measure.estimates import FPIR, estimate, with_interval
from medveil.measure.verification.gallery import (
    band,
    gallery_sizes,
    rank_1_chances,
    rank_1_of,
    weighted_mean,
)
from medveil.measure.verification.identification import cmc_of
from medveil.measure.verification.open_set import OpenSet, Searches
from medveil.measure.verification.tally import Floats, Ints


@dataclass(frozen=True, eq=False)
class Identified:
    """Estimates of a set of searches, and the points of their curves.

    Args:
        estimates: rank-1, rank-5, rank-1 of ten, DIR with strangers, DIR left out.
        cmc, rounds: (K,) and (R, K) rank-k rates.
        sizes, by_size, low, high: (S,) each, rank-1 by size of the gallery.
    """

    estimates: dict[str, Estimate]
    cmc: Floats
    rounds: Floats
    sizes: Ints
    by_size: Floats
    low: Floats
    high: Floats

    def drawn_into(self, curves: Curves) -> Curves:
        """The curves with rank-1 by size of the gallery."""
        lists = ([float(x) for x in a] for a in (self.sizes, self.by_size, self.low, self.high))
        sizes, by_size, low, high = lists
        return replace(curves, gallery_sizes=sizes, rank1_by_size=by_size, rank1_low=low, rank1_high=high)


def identify(searches: Searches, draws: Iterable[Floats], level: float) -> Identified:
    """Measure the searches, and again for each draw of the persons.

    Args:
        searches: at least one has a mate.
        draws: (persons,) how often each person was drawn, one array a round.
        level: confidence level.
    """
    mated = searches.mated
    rank, size, person = searches.rank[mated], searches.size[mated], searches.person[mated]
    persons = len(np.unique(person))
    longest = min(int(searches.size.max()), LONGEST_CMC)
    fifth = min(4, longest - 1)
    sizes = gallery_sizes(int(size.min()))
    chances = rank_1_chances(rank, size, sizes)
    cmc = cmc_of(rank, longest)
    by_size = weighted_mean(chances, np.ones(len(rank)))
    open_sets = [make(searches, f) for make in (OpenSet.with_strangers, OpenSet.left_out) for f in FPIR]

    cmcs, curves = [], []
    rates: dict[str, list[float]] = {o.name: [] for o in open_sets if not o.lack}
    for drawn in draws:
        weight = drawn[searches.person]
        rows = cmc_of(rank, longest, weight[mated])
        cmcs.append(rows if len(rows) else np.full(longest, np.nan))
        curves.append(weighted_mean(chances, weight[mated]))
        for o in open_sets:
            if not o.lack:
                rates[o.name].append(o.rate(weight))
    rounds = np.array(cmcs).reshape(len(cmcs), longest)
    by_size_rounds = np.array(curves).reshape(len(curves), len(sizes))

    estimates = {
        name: estimate(name, float(cmc[at]), rounds[:, at], _chance(size, k), level, persons)
        for name, k, at in (("rank_1", 1, 0), ("rank_5", 5, fifth))
    }
    of_ten, column = rank_1_of(sizes, by_size, persons, level)
    if of_ten.value is not None:
        of_ten = with_interval(of_ten, by_size_rounds[:, column], level, persons)
    estimates[of_ten.name] = of_ten
    for o in open_sets:
        estimates[o.name] = with_interval(
            o.estimate(searches.person), np.array(rates.get(o.name, [])), level, persons
        )
    low, high = band(by_size_rounds, by_size, persons, level)
    return Identified(estimates, cmc, rounds, sizes, by_size, low, high)


def _chance(size: Ints, k: int) -> float:
    """Rank-k rate of an attacker who guesses: the mean of k / G over mated probes."""
    return float(np.minimum(k / size, 1.0).mean())
