"""Summary: one attack under one condition, as numbers with intervals, chance and p, and as curves.

claims + truth ──join──> Scores ──┬── point values
                                  ├── subject bootstrap ──> low, high, bands
                                  ├── derangements ───────> chance
                                  └── permutations ───────> p
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.core.claims import PairClaims
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.findings import Condition, Curves
from medveil.core.scores import Scores, join
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.curves import FPR, LONGEST_CMC, Rounds, no_curves, rate_curves, with_histogram
from medveil.measure.estimates import ABOUT, SPARSE, estimate, in_order, null_estimates
from medveil.measure.identify import identify
from medveil.measure.null import derangements, exchangeable, permutation_p, two_sided
from medveil.measure.verification.battery import NAMES, Battery
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities, pair_weights
from medveil.measure.verification.identification import Rankings, expected_rank_k
from medveil.measure.verification.open_set import Searches
from medveil.measure.verification.roc import tpr_at
from medveil.measure.verification.tally import Floats


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
    battery = Battery.of(scores.score, len(scores.mated))
    values, tally = battery.measure(*pair_weights(scores, np.ones(scores.persons)))
    assert tally is not None  # noqa: S101 - both kinds of pairs exist, checked above

    stream = "measure/bootstrap"  # drawn from twice: both halves see the same persons in the same round
    samples, tpr = _bootstrap(scores, battery, rounds, seeds.stream(stream))
    found = identify(
        Searches.of(Rankings.of(scores)),
        multiplicities(scores.persons, rounds, seeds.stream(stream)),
        level,
    )
    null = derangements(scores, seeds.stream("measure/derangements"), null_rounds, edges=battery.edges)
    p = permutation_p(scores, seeds.stream("measure/permutations"), rounds)

    estimates = found.estimates | {
        name: estimate(
            name, value, samples[name], 0.5 if (c := null.mean(name)) is None and name == "auc" else c,
            level, persons,
        )
        for name, value in values.items()
    }  # fmt: skip
    estimates["auc"] = replace(estimates["auc"], p_value=p.auc)
    estimates["rank_1"] = replace(estimates["rank_1"], p_value=p.rank_1)
    if not exchangeable(scores):
        estimates["auc"] = replace(
            estimates["auc"], note=f"{estimates['auc'].note}; no p and no null: {SPARSE}"
        )

    boot = Rounds({}, tpr, found.rounds) if persons >= FEWEST_PERSONS else None
    curves = found.drawn_into(rate_curves(tpr_at(tally, FPR), found.cmc, boot, level))
    curves = with_histogram(curves, scores.mated, scores.non_mated)
    return _condition(claims.condition, in_order(estimates), curves, scores, claims)


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
    shrunk = replace(rankings, size=np.maximum(rankings.size - 1, 1))  # without the person really shown
    estimates = null_estimates(
        null,
        {k: expected_rank_k(shrunk, k) for k in (1, 5)},
        len(two_sided(scores)),
        level,
        crossed=exchangeable(scores),
    )
    label = replace(claims, condition="null")
    if not len(null.tpr) or not np.isfinite(null.tpr).any():
        return _condition("null", in_order(estimates), no_curves(), scores, label)
    boot = Rounds({}, null.tpr, null.cmc[:, :longest])
    curves = rate_curves(np.nanmean(null.tpr, axis=0), np.nanmean(boot.cmc, axis=0), boot, level)
    # Seen from a guesser, a mated pair is any pair of two persons.
    return _condition(
        "null",
        in_order(estimates),
        with_histogram(curves, scores.non_mated, scores.non_mated),
        scores,
        label,
    )


def _bootstrap(
    scores: Scores, battery: Battery, rounds: int, rng: np.random.Generator
) -> tuple[dict[str, Floats], Floats]:
    """Every metric of `NAMES` in each round, (R,), and the ROC, (R, F)."""
    values = {name: np.full(rounds, np.nan) for name in NAMES}
    tpr = np.full((rounds, len(FPR)), np.nan)
    for r, drawn in enumerate(multiplicities(scores.persons, rounds, rng)):
        row, tally = battery.measure(*pair_weights(scores, drawn))
        for name, value in row.items():
            values[name][r] = value
        if tally is not None:
            tpr[r] = tpr_at(tally, FPR)
    return values, tpr


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
        for name, (better, unit, _) in ABOUT.items()
    }
    return _condition(claims.condition, estimates, no_curves(), scores, claims)
