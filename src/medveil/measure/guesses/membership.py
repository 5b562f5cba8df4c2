"""Membership: how many of those a model learned from can be told, at few false alarms.

An accuracy of .6 may be a little luck about everybody or certainty about a few, and only the second ruins somebody. So
the true positive rate at a false positive rate of .01 and .001 is what counts (Carlini et al., IEEE S&P 2022). A rate
of .001 takes thousands of people who were NOT in the training set: without 10 / FPR of them it is not given.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from medveil.core.claims import Guesses
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.guesses.classes import class_auc
from medveil.measure.guesses.joined import ClassTable, Floats, join_guesses
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities, percentiles, wilson

RATES = (0.01, 0.001)
FEWEST_FALSE_ALARMS = 10


def membership_estimates(
    guesses: Guesses, truth: Truth, *, seeds: Seeds, rounds: int = 1000, level: float = 0.95
) -> dict[str, Estimate]:
    """AUC with a permutation p, and TPR at fixed FPRs; people are the unit.

    Args:
        guesses: with attribute `member`; truth: `yes` or `no` as the property `member`.

    Raises:
        UsageError: nobody, or everybody, was in the training set: nothing to hold the scores against.
    """
    table = join_guesses(guesses, truth)
    if not isinstance(table, ClassTable) or list(table.classes) != ["no", "yes"]:
        raise UsageError(
            "measure: membership needs people who were in the training set and people who were held out",
            hint="the property member must be yes for some and no for others",
        )
    auc = class_auc(table, seeds=seeds, rounds=rounds, level=level)
    p = _p(table, seeds, rounds, auc.value or 0.5)
    note = "chance that a member has more evidence against them than a non-member; p: people permuted"
    out = {"auc": Estimate("auc", auc.value, auc.low, auc.high, level, auc.n, "", "lower", 0.5, p, note)}
    for rate in RATES:
        e = tpr_at_fpr(table, rate, seeds=seeds, rounds=rounds, level=level)
        out[e.name] = e
    return out


def tpr_at_fpr(
    table: ClassTable, rate: float, *, seeds: Seeds, rounds: int = 1000, level: float = 0.95
) -> Estimate:
    """Share of members above the lowest threshold that at most `rate` of the non-members reach."""
    name = f"tpr_at_fpr_{rate:g}".replace("0.", "")
    members, others = table.evidence[table.truth == 1], table.evidence[table.truth == 0]
    n, needed = len(members), ceil(FEWEST_FALSE_ALARMS / rate)
    if len(others) < needed:
        lack = f"needs {needed} people who were not in the training set, there are {len(others)}"
        return Estimate(name, None, n=n, better="lower", chance=rate, note=lack)
    value = _tpr(members, others, np.ones(n), np.ones(len(others)), rate)
    samples = np.full(rounds, np.nan)
    yes = table.truth == 1
    for r, drawn in enumerate(multiplicities(len(yes), rounds, seeds.stream("measure/guesses/bootstrap"))):
        samples[r] = _tpr(members, others, drawn[yes], drawn[~yes], rate)
    low, high = wilson(value, n, level)
    ends = percentiles(samples, level) if len(yes) >= FEWEST_PERSONS else None
    if ends:
        low, high = min(low, ends[0]), max(high, ends[1])
    note = f"share of members above what {rate:g} of {len(others)} non-members reach; subject bootstrap or Wilson, the wider"
    return Estimate(name, value, low, high, level, n, "", "lower", rate, None, note)


def _tpr(members: Floats, others: Floats, w: Floats, v: Floats, rate: float) -> float:
    """Weighted; not-a-number where a side has no weight."""
    if w.sum() <= 0 or v.sum() <= 0:
        return float("nan")
    order = np.argsort(-others, kind="stable")
    share = np.cumsum(v[order]) / v.sum()
    over = np.flatnonzero(share > rate + 1e-12)
    # One non-member too many falls at this score; whatever lies strictly above it is allowed.
    return float(w @ (members > others[order][over[0]]) / w.sum())


def _p(table: ClassTable, seeds: Seeds, rounds: int, value: float) -> float:
    from scipy.stats import rankdata

    ranks, yes = rankdata(table.evidence), table.truth == 1
    m = int(yes.sum())
    observed = float(ranks[yes].sum()) - 1e-9
    rng = seeds.stream("measure/guesses/permutations")
    reached = sum(float(rng.permutation(ranks)[:m].sum()) >= observed for _ in range(rounds))
    return (1 + reached) / (1 + rounds)
