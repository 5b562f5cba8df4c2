"""Summary: one attack under one condition, as numbers with intervals, chance and p, and as curves.

claims + truth ──join──> Scores ──┬── point values
                                  ├── subject bootstrap ──> low, high, bands
                                  ├── derangements ───────> chance
                                  └── permutations ───────> p
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np

from medveil.core.claims import PairClaims
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.findings import Condition, Curves
from medveil.core.scores import Scores, join
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.curves import FPR, LONGEST_CMC, Rounds, no_curves, rate_curves, with_histogram
from medveil.measure.null import Null, derangements, exchangeable, permutation_p, two_sided
from medveil.measure.verification.battery import NAMES, Battery
from medveil.measure.verification.bootstrap import (
    FEWEST_PERSONS,
    basic,
    multiplicities,
    pair_weights,
    percentiles,
    probe_weights,
    wilson,
)
from medveil.measure.verification.calibration import NO_PRIVACY_BIT, zebra_tag
from medveil.measure.verification.identification import (
    Rankings,
    cmc_of,
    dir_at_fpir,
    dir_name,
    dir_of,
    expected_rank_k,
)
from medveil.measure.verification.roc import tpr_at
from medveil.measure.verification.tally import Floats

Better = Literal["lower", "higher", ""]

# Direction in which each metric is more private, its unit, and how it was computed.
_ABOUT: dict[str, tuple[Better, str, str]] = {
    "auc": ("lower", "", "chance that a mated pair scores higher than a non-mated one"),
    "eer": ("higher", "", "equal error rate on the convex hull of the ROC"),
    "eer_interpolated": ("higher", "", "equal error rate on the ROC polyline"),
    "eer_step": ("higher", "", "mean error where misses and false accepts differ least"),
    "linkability": (
        "lower",
        "",
        "D_sys, omega 1, sum over equal bins; biased upwards, read it against chance",
    ),
    "linkability_pav": ("lower", "", "D_sys, omega 1, PAV blocks; biased upwards, read it against chance"),
    "rank_1": ("lower", "", "closed set, ties take the worst rank"),
    "rank_5": ("lower", "", "closed set, ties take the worst rank"),
    "min_cllr": ("higher", "bit", "cost of the evidence after PAV calibration, 1 = scores say nothing"),
    "zebra_population": ("lower", "bit", "ZEBRA expected disclosure, 0 = full privacy, 0.721 = none"),
    "zebra_individual": ("lower", "log10 LR", "ZEBRA strongest evidence against anybody"),
    "d_prime": ("lower", "", "distance of the means in pooled standard deviations, no direction"),
}
_FPIR = (0.01, 0.1)
# What fits bins, blocks or a hull to the sample is biased by it; bounds of its values.
_BIASED: dict[str, tuple[float, float]] = {
    "eer": (0.0, 0.5),
    "linkability": (0.0, 1.0),
    "linkability_pav": (0.0, 1.0),
    "min_cllr": (0.0, 1.0),
    "zebra_population": (0.0, float(NO_PRIVACY_BIT)),
}
_SPARSE = "too few persons were compared with each other to permute them"


def summarise(
    claims: PairClaims,
    truth: Truth | None,
    *,
    seeds: Seeds,
    rounds: int = 1000,
    null_rounds: int = 500,
    level: float = 0.95,
) -> Condition:
    """Everything measured about one attack under one condition.

    Args:
        claims: what the attack asserts; `claims.condition` becomes the label.
        truth: who is who; None if equal labels mean equal persons.
        seeds: streams `measure/bootstrap`, `measure/derangements`, `measure/permutations` are drawn from it.
        rounds: bootstrap rounds and permutations.
        null_rounds: derangements.
        level: confidence level of the intervals.

    Returns:
        Estimates by name; a metric that these data cannot give has value None and says why in its note.

    Raises:
        UsageError: there are no pairs, or nobody is on both sides.
    """
    scores = _joined(claims, truth)
    if scores.is_mated.all():
        return _undefined(
            claims, scores, "undefined: there is one person only, so nobody to be confused with"
        )
    persons = len(two_sided(scores))
    rankings = Rankings.of(scores)
    longest = min(int(rankings.size.max()), LONGEST_CMC)
    battery = Battery.of(scores.score, len(scores.mated))
    one = np.ones(scores.persons)
    values, tally = battery.measure(*pair_weights(scores, one))
    assert tally is not None  # noqa: S101 - both kinds of pairs exist, checked above
    ranks = rankings.ranks()
    cmc = cmc_of(ranks[ranks > 0], longest)
    values |= {"rank_1": float(cmc[0]), "rank_5": float(cmc[min(4, longest - 1)])}

    boot = _bootstrap(scores, battery, rankings, longest, rounds, seeds)
    null = derangements(
        scores, seeds.stream("measure/derangements"), null_rounds, edges=battery.edges, longest=longest
    )
    p = permutation_p(scores, seeds.stream("measure/permutations"), rounds)

    estimates = {
        name: _estimate(name, value, boot.values[name], null, level, persons, rankings)
        for name, value in values.items()
    }
    estimates["auc"] = replace(estimates["auc"], p_value=p.auc)
    estimates["rank_1"] = replace(estimates["rank_1"], p_value=p.rank_1)
    if not exchangeable(scores):
        estimates["auc"] = replace(
            estimates["auc"], note=f"{estimates['auc'].note}; no p and no null: {_SPARSE}"
        )
    for fpir in _FPIR:
        e = dir_at_fpir(scores, fpir)
        estimates[e.name] = _with_interval(e, boot.values[e.name], level, persons)
    estimates = _in_order(estimates)

    enough = persons >= FEWEST_PERSONS
    curves = rate_curves(tpr_at(tally, FPR), cmc, boot if enough else None, level)
    return _condition(
        claims.condition, estimates, with_histogram(curves, scores.mated, scores.non_mated), scores, claims
    )


def null_condition(
    claims: PairClaims, truth: Truth | None = None, *, seeds: Seeds, rounds: int = 500, level: float = 0.95
) -> Condition:
    """The same attack by a guesser: estimates are means over random derangements of the persons.

    `low` and `high` are the range in which `level` of the derangements lie, not a confidence interval: a
    real value inside it is what luck gives. `mated` counts the pairs of one derangement.

    Raises:
        UsageError: there are no pairs, or nobody is on both sides.
    """
    scores = _joined(claims, truth)
    rankings = Rankings.of(scores)
    longest = max(min(int(rankings.size.max()) - 1, LONGEST_CMC), 1)
    null = derangements(scores, seeds.stream("measure/null"), rounds, fpr=FPR, longest=longest)
    persons = len(two_sided(scores))
    estimates = {}
    for name in (*NAMES, "rank_1", "rank_5"):
        better, unit, about = _ABOUT[name]
        low, high = null.range(name, level) or (None, None)
        value = null.mean(name)
        note = f"mean over {len(null.values[name])} random derangements of the persons; {about}"
        chance = expected_rank_k(_shrunk(rankings), int(name[-1])) if name.startswith("rank") else value
        if value is None and not exchangeable(scores):
            value = chance = 0.5 if name == "auc" else chance
            note = f"analytic or undefined: {_SPARSE}"
        elif value is None:
            note = f"undefined: {persons} persons can't be deranged into mated and non-mated pairs"
        estimates[name] = Estimate(name, value, low, high, level, persons, unit, better, chance, None, note)
    label = replace(claims, condition="null")
    if not len(null.tpr) or not np.isfinite(null.tpr).any():
        return _condition("null", _in_order(estimates), no_curves(), scores, label)
    boot = Rounds({}, null.tpr, null.cmc[:, :longest])
    curves = rate_curves(np.nanmean(null.tpr, axis=0), np.nanmean(boot.cmc, axis=0), boot, level)
    # Seen from a guesser, a mated pair is any pair of two persons.
    return _condition(
        "null",
        _in_order(estimates),
        with_histogram(curves, scores.non_mated, scores.non_mated),
        scores,
        label,
    )


def _bootstrap(
    scores: Scores, battery: Battery, rankings: Rankings, longest: int, rounds: int, seeds: Seeds
) -> Rounds:
    ranks = rankings.ranks()
    mated = ranks > 0
    open_set = [f for f in _FPIR if dir_at_fpir(scores, f).value is not None]
    names = (*NAMES, "rank_1", "rank_5", *map(dir_name, _FPIR))
    values = {name: np.full(rounds, np.nan) for name in names}
    tpr, cmc = np.full((rounds, len(FPR)), np.nan), np.full((rounds, longest), np.nan)
    rng = seeds.stream("measure/bootstrap")
    for r, drawn in enumerate(multiplicities(scores.persons, rounds, rng)):
        row, tally = battery.measure(*pair_weights(scores, drawn))
        for name, value in row.items():
            values[name][r] = value
        if tally is not None:
            tpr[r] = tpr_at(tally, FPR)
        weight = probe_weights(rankings.person, drawn)
        rates = cmc_of(ranks[mated], longest, weight[mated])
        if len(rates):
            cmc[r] = rates
        for fpir in open_set:
            values[dir_name(fpir)][r] = dir_of(rankings, fpir, weight)
    values["rank_1"], values["rank_5"] = cmc[:, 0], cmc[:, min(4, longest - 1)]
    return Rounds(values, tpr, cmc)


def _estimate(
    name: str, value: float, samples: Floats, null: Null, level: float, persons: int, rankings: Rankings
) -> Estimate:
    better, unit, note = _ABOUT[name]
    chance = null.mean(name)
    if name.startswith("rank"):
        chance = expected_rank_k(rankings, int(name[-1]))
    elif name == "auc" and chance is None:
        chance = 0.5
    if name == "zebra_individual":
        note += (
            f", tag {zebra_tag(value)}; a maximum, so it grows with the number of pairs and has no interval"
        )
        return Estimate(name, value, None, None, level, persons, unit, better, chance, None, note)
    if not np.isfinite(value):
        note = "undefined: neither kind of pair varies, so there is no spread to measure the distance in"
        return Estimate(name, None, None, None, level, persons, unit, better, chance, None, note)
    if name.startswith("rank") and chance == 1.0:
        note += f"; 1 by construction, the gallery has no more than {name[-1]} persons"
    if name == "auc" and value in (0.0, 1.0):
        note += "; no overlap was seen, so the interval can't show how much there may be"
    e = Estimate(name, value, None, None, level, persons, unit, better, chance, None, note)
    return _with_interval(e, samples, level, persons)


def _with_interval(e: Estimate, samples: Floats, level: float, persons: int) -> Estimate:
    """Interval of the subject bootstrap; a proportion gets Wilson's where that is wider."""
    if e.value is None:
        return e
    how, ends = "subject bootstrap, percentiles", None
    if persons >= FEWEST_PERSONS:
        ends = percentiles(samples, level)
        if e.name in _BIASED:
            how, ends = "subject bootstrap, basic", basic(samples, e.value, _BIASED[e.name], level)
    if e.name.startswith(("rank", "dir")):
        other = wilson(e.value, persons, level)
        how = "subject bootstrap or Wilson, the wider"
        ends = other if ends is None else (min(ends[0], other[0]), max(ends[1], other[1]))
    if ends is None:
        return replace(e, note=f"{e.note}; no interval from {persons} persons")
    return replace(e, low=min(ends[0], e.value), high=max(ends[1], e.value), note=f"{e.note}; {how}")


def _joined(claims: PairClaims, truth: Truth | None) -> Scores:
    if len(claims.score) == 0:
        raise UsageError("measure: the attack made no claims, expected at least one pair")
    scores = join(claims, truth)
    if not scores.is_mated.any():
        raise UsageError(
            "measure: no pair shows one person on both sides",
            hint="give probe and gallery of one person the same label, or say who is who",
        )
    return scores


def _shrunk(rankings: Rankings) -> Rankings:
    """The lists of a guesser under a derangement: one person shorter, the one really shown."""
    return replace(rankings, size=np.maximum(rankings.size - 1, 1))


def _condition(
    label: str, estimates: dict[str, Estimate], curves: Curves, scores: Scores, claims: PairClaims
) -> Condition:
    return Condition(
        label=label,
        estimates=estimates,
        curves=curves,
        persons=scores.persons,
        mated=len(scores.mated),
        non_mated=len(scores.non_mated),
        notes=dict(claims.notes),
    )


def _undefined(claims: PairClaims, scores: Scores, note: str) -> Condition:
    estimates = {
        name: Estimate(name, None, n=scores.persons, unit=unit, better=better, note=note)
        for name, (better, unit, _) in _ABOUT.items()
    }
    return _condition(claims.condition, estimates, no_curves(), scores, claims)


def _in_order(estimates: dict[str, Estimate]) -> dict[str, Estimate]:
    known = [n for n in _ABOUT if n in estimates]
    return {n: estimates[n] for n in (*known, *(n for n in estimates if n not in _ABOUT))}
