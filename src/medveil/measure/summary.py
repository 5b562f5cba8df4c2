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
    for fpir in FPIR_ASKED:
        e = dir_at_fpir(scores, fpir)
        estimates[e.name] = with_interval(e, boot.values[e.name], level, persons)
    estimates = in_order(estimates)

    enough = persons >= FEWEST_PERSONS
    curves = rate_curves(tpr_at(tally, FPR), cmc, boot if enough else None, level)
    return condition_of(
        claims.condition, estimates, with_histogram(curves, scores.mated, scores.non_mated), scores, claims
    )


def nullcondition_of(
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
        better, unit, about = ABOUT[name]
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
        return condition_of("null", in_order(estimates), no_curves(), scores, label)
    boot = Rounds({}, null.tpr, null.cmc[:, :longest])
    curves = rate_curves(np.nanmean(null.tpr, axis=0), np.nanmean(boot.cmc, axis=0), boot, level)
    # Seen from a guesser, a mated pair is any pair of two persons.
    return condition_of(
        "null",
        in_order(estimates),
        with_histogram(curves, scores.non_mated, scores.non_mated),
        scores,
        label,
    )


def _bootstrap(
    scores: Scores, battery: Battery, rankings: Rankings, longest: int, rounds: int, seeds: Seeds
) -> Rounds:
    ranks = rankings.ranks()
    mated = ranks > 0
    open_set = [f for f in FPIR_ASKED if dir_at_fpir(scores, f).value is not None]
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


def condition_of(
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
        for name, (better, unit, _) in ABOUT.items()
    }
    return condition_of(claims.condition, estimates, no_curves(), scores, claims)
