"""Rank-1 by size of the gallery: how well would the attack do if it had to choose among fewer people?

Rank-1 falls as the gallery grows, so two studies with different galleries can't be compared; but a large gallery
holds all smaller ones. A probe whose mate has worst rank r among N people keeps its mate on top of a random
gallery of G (the mate and G - 1 of the others) if none of the r - 1 people ahead is drawn:

    P(rank 1 | G) = C(N - r, G - 1) / C(N - 1, G - 1)

That is the exact mean over all galleries of that size; no gallery is drawn. The guesser has 1 / G. Nothing is
said about galleries larger than the one at hand: an extrapolation would be a guess about strangers nobody saw.

Source: Phillips, Moon, Rizvi & Rauss, IEEE TPAMI 22 (2000), on gallery size; the formula is the hypergeometric law.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.core.estimate import Estimate
from medveil.measure.verification.bootstrap import percentiles, wilson
from medveil.measure.verification.tally import Floats, Ints

COMPARED = 10  # the size at which studies are compared: most have so many people


def gallery_sizes(largest: int) -> Ints:
    """2, 5, 10, 20, 50 ... below `largest`, and `largest` itself; empty for fewer than two people.

    >>> gallery_sizes(30).tolist(), gallery_sizes(5).tolist(), gallery_sizes(1).tolist()
    ([2, 5, 10, 20, 30], [2, 5], [])
    """
    if largest < 2:
        return np.empty(0, dtype=np.int64)
    steps = [m * 10**e for e in range(len(str(largest))) for m in (1, 2, 5)]
    return np.array([s for s in steps if 2 <= s < largest] + [largest], dtype=np.int64)


def rank_1_chances(rank: Ints, size: Ints, galleries: Ints) -> Floats:
    """P(rank 1) of each probe in a random gallery of each size.

    Args:
        rank: (I,) worst rank of the mate, from 1.
        size: (I,) people in the list of each probe, not fewer than any of `galleries`.
        galleries: (S,) sizes.

    Returns:
        (I, S) probabilities.

    >>> rank_1_chances(np.array([1, 2, 3]), np.array([3, 3, 3]), np.array([2, 3])).tolist()
    [[1.0, 1.0], [0.5, 0.0], [0.0, 0.0]]
    """
    from scipy.special import gammaln

    n, r = size[:, None].astype(np.float64), rank[:, None].astype(np.float64)
    g = galleries[None].astype(np.float64)
    possible = n - r >= g - 1
    left = np.where(possible, n - r - g + 1, 0.0)
    log = gammaln(n - r + 1) - gammaln(left + 1) - gammaln(n) + gammaln(n - g + 1)
    return np.asarray(np.where(r == 1, 1.0, np.where(possible, np.exp(np.minimum(log, 0.0)), 0.0)))


def weighted_mean(chances: Floats, weight: Floats) -> Floats:
    """(S,) mean over probes, each with its weight; not-a-number if the weights sum to 0."""
    total = weight.sum()
    return np.asarray(weight @ chances / total) if total > 0 else np.full(chances.shape[1], np.nan)


def rank_1_of(galleries: Ints, means: Floats, persons: int, level: float) -> tuple[Estimate, int]:
    """Rank-1 in random galleries of `COMPARED` people, without an interval yet, and its place among `galleries`.

    The value is None and the place 0 if there are fewer people.
    """
    at = np.flatnonzero(galleries == COMPARED)
    e = Estimate(f"rank_1_of_{COMPARED}", None, level=level, n=persons, better="lower", chance=1 / COMPARED)
    if not len(at):
        return replace(e, chance=None, note=f"needs a gallery of {COMPARED} people"), 0
    note = f"closed set, mean over all galleries of {COMPARED} people with the mate among them"
    return replace(e, value=float(means[at[0]]), note=note), int(at[0])


def band(samples: Floats, means: Floats, persons: int, level: float) -> tuple[Floats, Floats]:
    """Pointwise interval of the curve, (S,) each: bootstrap over persons or Wilson, the wider."""
    ends = []
    for rounds, mean in zip(samples.T, means, strict=True):
        low, high = wilson(min(max(float(mean), 0.0), 1.0), persons, level)
        drawn = percentiles(rounds, level) or (low, high)
        ends.append((min(low, drawn[0]), max(high, drawn[1])))
    low_high = np.array(ends).reshape(-1, 2)
    return low_high[:, 0], low_high[:, 1]
