"""Support: what an attacker has who takes the S_x best components of each site for the true ones.

scores at a site   9  7  7  7  2        S_x = 2: the 9, and one of the three 7 by lot
                   T  -  T  -  -        found: 1 + 1/3 of 2         solved: with probability 1/3
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import NamedTuple

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.decoding.joined import Flags, Floats, Joined
from medveil.measure.decoding.people import over_people


class Chosen(NamedTuple):
    """What the S_x best of each site are worth, (sites,) each: ties count with what a lot among them gives.

    Args:
        found: true ones among them.
        solved: probability that they are exactly the true ones.
    """

    found: Floats
    solved: Floats


def chosen(scores: Floats, true: Flags) -> Chosen:
    """Of the k best of each site, k being the number of true ones there."""
    k = int(true[0].sum()) if len(true) else 0
    if not k:
        return Chosen(np.zeros(len(true)), np.ones(len(true)))
    taken = _taken(scores, true)
    sure, tied = taken == 1, (taken > 0) & (taken < 1)
    left = k - sure.sum(axis=1)
    possible = ((sure & ~true).sum(axis=1) == 0) & ((tied & true).sum(axis=1) == left)
    solved = np.where(possible, 1 / _ways(tied.sum(axis=1), left), 0.0)
    return Chosen((taken * true).sum(axis=1), solved)


def found_and_solved(joined: Joined, seeds: Seeds) -> dict[str, Estimate]:
    """`found`, `found_level_1` and so on, and `solved`."""
    films = [[chosen(*each) for each in joined.level(index)] for index in range(joined.levels)]
    k, among = joined.pairs[0].code.nonzeros, joined.pairs[0].true[0].shape[1]
    chance = k / among
    what = "share of true components among the S_x best of each site"

    def share(level: list[Chosen]) -> list[float]:
        return [float(c.found.mean()) / k for c in level]

    pooled = np.mean([share(level) for level in films], axis=0).tolist()
    out = {"found": over_people("found", pooled, joined.groups, seeds, chance=chance, note=what)}
    for index, level in enumerate(films, start=1):
        name = f"found_level_{index}"
        out[name] = over_people(name, share(level), joined.groups, seeds, chance=chance, note=what)
    solved = np.mean([[float(c.solved.mean()) for c in level] for level in films], axis=0).tolist()
    out["solved"] = over_people(
        "solved",
        solved,
        joined.groups,
        seeds,
        chance=float(1 / _ways(np.array([among]), np.array([k]))[0]),
        note="share of sites whose S_x best are exactly the true ones",
    )
    return out


def better_than_lots(joined: Joined) -> float:
    """p of "the scores say nothing", one-sided: against lots drawn at each site for which components are true.

    If they say nothing, any S_x of a site's components are as likely true as any others, so the sum over the true ones of
    any number that hangs on scores alone has a known mean and variance, site by site; over thousands of sites it is
    normal. Two such sums are taken, how many are found and the ranks, so the smaller p counts twice. It speaks of these very
    codes, so one is enough; it says nothing of other films.

    Source: van Elteren, Bull. Int. Stat. Inst. 37 (1960), Wilcoxon's test in strata.
    """
    from scipy.stats import rankdata

    parts = [each for index in range(joined.levels) for each in joined.level(index)]
    found = _sum_p([(_taken(scores, true), true) for scores, true in parts])
    ranks = _sum_p([(rankdata(scores, axis=1), true) for scores, true in parts])
    return min(1.0, 2 * min(found, ranks))


def _taken(scores: Floats, true: Flags) -> Floats:
    """How probably each component is among the S_x best of its site, ties by lot."""
    k = int(true[0].sum())
    least = np.partition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k, None]
    above, tied = scores > least, scores == least
    share = (k - above.sum(axis=1, keepdims=True)) / tied.sum(axis=1, keepdims=True)
    return np.asarray(above + share * tied, dtype=np.float64)


def _sum_p(parts: list[tuple[Floats, Flags]]) -> float:
    """p of the sum of weights over true components, against lots without replacement at each site."""
    above = variance = 0.0
    for weights, true in parts:
        k, n = float(true[0].sum()), true.shape[1]
        above += float(weights[true].sum() - k * weights.mean(axis=1).sum())
        variance += k * (n - k) / max(n - 1, 1) * float(weights.var(axis=1).sum())
    return 0.5 * erfc(above / sqrt(2 * variance)) if variance > 0 else 1.0


def _ways(n: np.ndarray, k: np.ndarray) -> Floats:
    from scipy.special import comb

    return np.asarray(comb(n, k), dtype=np.float64)
