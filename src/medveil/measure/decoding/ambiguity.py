"""Ambiguity: how many bits of a site's support are left when the code and an attack's scores are known.

    score ──isotonic, learned on other people──> p(true)     p / (1 - p) = w, the weight of a component
    P(support S | scores) = product of w over S / sum of the same over all supports of S_x components

Two figures in bits a site, beside the count log2 C(S_x + S_n, S_x) of a code that gives nothing away:

- `residual_bits`: the entropy of that distribution. Right if components are independent but for their number and p is
  calibrated; neither need hold.
- `residual_bits_bound`: what that distribution takes to tell the true support, -log2 P(true support), on people it was not
  calibrated on. By Gibbs' inequality its mean is at least H(support | public), whatever was assumed: an UPPER bound.
  An attack that knows more would make it smaller.

The sum over all supports is the elementary symmetric polynomial e_k(w), added up component by component.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import lgamma, log

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.decoding.joined import Flags, Floats, Joined
from medveil.measure.decoding.people import over_people

_BINS = 512
_FOLDS = 5
_BIT = log(2)

Calibration = Callable[[Floats], Floats]
"""Scores to log odds of being true."""


def count_bits(among: int, k: int) -> float:
    """log2 C(among, k).

    >>> round(count_bits(32, 16), 1)
    29.2
    """
    return (lgamma(among + 1) - lgamma(k + 1) - lgamma(among - k + 1)) / _BIT


def calibrated(scores: Floats, true: Flags) -> Calibration:
    """Log odds of a score: isotonic in some hundred bins of equal numbers, one case of either kind added to each block."""
    from scipy.optimize import isotonic_regression

    flat, kind = scores.ravel(), true.ravel().astype(np.float64)
    edges = np.unique(np.quantile(flat, np.linspace(0, 1, _BINS + 1)[1:-1]))
    place = np.searchsorted(edges, flat, side="right")
    hits, cases = np.bincount(place, kind, len(edges) + 1), np.bincount(place, minlength=len(edges) + 1)
    used = cases > 0
    fit = isotonic_regression(hits[used] / cases[used], weights=cases[used])
    block = np.repeat(np.arange(len(fit.blocks) - 1), np.diff(fit.blocks))
    true_in, all_in = np.bincount(block, hits[used]), np.bincount(block, cases[used])
    odds = np.full(len(edges) + 1, np.nan)
    odds[used] = np.log((true_in + 1) / (all_in - true_in + 1))[block]
    odds = np.interp(np.arange(len(odds)), np.flatnonzero(used), odds[used])
    return lambda s: np.asarray(odds[np.searchsorted(edges, s, side="right")])


def log_sum(log_w: Floats, k: int) -> tuple[Floats, Floats]:
    """log e_k(w) of each row, and the mean of log P's numerator, the sum of log w over a support drawn by w.

    Args:
        log_w: (sites, n).
    """
    sites, n = log_w.shape
    total = np.full((k + 1, sites), -np.inf)
    mean = np.zeros((k + 1, sites))
    total[0] = 0.0
    for i in range(n):
        without, with_it = total[1:], total[:-1] + log_w[:, i]
        new = np.logaddexp(without, with_it)
        with np.errstate(invalid="ignore"):
            share = np.where(np.isneginf(new), 0.0, np.exp(with_it - new))
        mean[1:] = (1 - share) * mean[1:] + share * (mean[:-1] + log_w[:, i])
        total[1:] = new
    return total[k], mean[k]


def bits_left(log_w: Floats, true: Flags) -> tuple[Floats, Floats]:
    """Of each site, in bit: entropy of the support, and what it takes to tell the true one."""
    k = int(true[0].sum())
    total, mean = log_sum(log_w, k)
    told = (log_w * true).sum(axis=1)
    return (total - mean) / _BIT, (total - told) / _BIT


def residual(joined: Joined, seeds: Seeds, others: Joined | None = None) -> dict[str, Estimate]:
    """`residual_bits` and `residual_bits_bound`, a site, and `ambiguity_bits`, the count.

    Args:
        others: the same attack on codes of other people, to calibrate on; without them people are dealt into folds, and
            each fold is calibrated on the others. Of one person alone both figures are undefined.
    """
    k, among = joined.pairs[0].code.nonzeros, joined.pairs[0].true[0].shape[1]
    count = count_bits(among, k)
    out = {
        "ambiguity_bits": Estimate(
            "ambiguity_bits",
            count,
            unit="bit",
            better="higher",
            note=f"log2 C({among}, {k}), a site: a count, no security",
        )
    }
    people = sorted(set(joined.groups))
    names = ("residual_bits", "residual_bits_bound")
    if others is None and len(people) < 2:
        note = "undefined: calibration takes codes of other people"
        return out | {
            n: Estimate(n, None, unit="bit", better="higher", chance=count, note=note) for n in names
        }
    left = _dealt(joined, people) if others is None else _left(joined, range(len(joined.pairs)), others, None)
    notes = (
        "entropy of the support, a site, if components were independent given their number",
        "upper bound of H(support | public), a site: -log2 of the true support under the calibrated scores",
    )
    for at, (name, note) in enumerate(zip(names, notes, strict=True)):
        values = [float(film[at]) for film in left]
        out[name] = over_people(
            name, values, joined.groups, seeds, unit="bit", better="higher", chance=count, note=note
        )
    return out


def _dealt(joined: Joined, people: Sequence[str]) -> list[tuple[float, float]]:
    """Each fold calibrated on the people of the others."""
    fold_of = {who: n % min(_FOLDS, len(people)) for n, who in enumerate(people)}
    out: dict[int, tuple[float, float]] = {}
    for fold in sorted(set(fold_of.values())):
        mine = [n for n, who in enumerate(joined.groups) if fold_of[who] == fold]
        rest = [n for n, who in enumerate(joined.groups) if fold_of[who] != fold]
        out |= dict(zip(mine, _left(joined, mine, joined, rest), strict=True))
    return [out[n] for n in range(len(joined.pairs))]


def _left(
    joined: Joined, mine: Sequence[int], others: Joined, use: Sequence[int] | None
) -> list[tuple[float, float]]:
    """Mean bits a site of some codes, calibrated on others."""
    sums = np.zeros((len(mine), 2))
    for index in range(joined.levels):
        learn = [each for n, each in enumerate(others.level(index)) if use is None or n in use]
        calibration = calibrated(
            np.concatenate([s.ravel() for s, _ in learn]), np.concatenate([t.ravel() for _, t in learn])
        )
        rows = list(joined.level(index))
        for at, n in enumerate(mine):
            scores, true = rows[n]
            sums[at] += [part.mean() for part in bits_left(calibration(scores), true)]
    return [(float(a), float(b)) for a, b in sums / joined.levels]
