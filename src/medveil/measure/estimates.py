"""Estimates: what is known about each metric, and how a value gets its interval, chance and note.

The same for a small table, whose pairs fit in memory, and for a large one, whose pairs do not:

    value + rounds of a bootstrap over persons + chance ──> Estimate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from medveil.core.estimate import Estimate
from medveil.measure.null import Null
from medveil.measure.verification.battery import NAMES
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, basic, percentiles, wilson
from medveil.measure.verification.calibration import NO_PRIVACY_BIT, zebra_tag
from medveil.measure.verification.tally import Floats

Better = Literal["lower", "higher", ""]

# Direction in which each metric is more private, its unit, and how it was computed.
ABOUT: dict[str, tuple[Better, str, str]] = {
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
FPIR = (0.01, 0.1)
SPARSE = "too few persons were compared with each other to permute them"
# What fits bins, blocks or a hull to the sample is biased by it; bounds of its values.
_BIASED: dict[str, tuple[float, float]] = {
    "eer": (0.0, 0.5),
    "linkability": (0.0, 1.0),
    "linkability_pav": (0.0, 1.0),
    "min_cllr": (0.0, 1.0),
    "zebra_population": (0.0, float(NO_PRIVACY_BIT)),
}


def estimate(
    name: str, value: float, samples: Floats, chance: float | None, level: float, persons: int
) -> Estimate:
    """One metric of `ABOUT` with its interval.

    Args:
        name, value: which metric, and its value; not-a-number or infinite if undefined.
        samples: (R,) the metric in each round of the bootstrap.
        chance: value of an attacker who guesses.
        level: confidence level.
        persons: how many persons it rests on.
    """
    better, unit, note = ABOUT[name]
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
    return with_interval(e, samples, level, persons)


def with_interval(e: Estimate, samples: Floats, level: float, persons: int) -> Estimate:
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


def null_estimates(
    null: Null, rank_chances: Mapping[int, float | None], persons: int, level: float, *, crossed: bool
) -> dict[str, Estimate]:
    """The attack by a guesser: means over derangements, with the range in which `level` of them lie.

    Args:
        null: the derangements.
        rank_chances: k to the rank-k rate of a guesser whose lists miss the person really shown.
        persons: how many were deranged.
        crossed: whether enough persons were compared with each other to derange them.
    """
    estimates = {}
    for name in (*NAMES, "rank_1", "rank_5"):
        better, unit, about = ABOUT[name]
        low, high = null.range(name, level) or (None, None)
        value = null.mean(name)
        note = f"mean over {len(null.values[name])} random derangements of the persons; {about}"
        chance = rank_chances[int(name[-1])] if name.startswith("rank") else value
        if value is None and not crossed:
            value = chance = 0.5 if name == "auc" else chance
            note = f"analytic or undefined: {SPARSE}"
        elif value is None:
            note = f"undefined: {persons} persons can't be deranged into mated and non-mated pairs"
        estimates[name] = Estimate(name, value, low, high, level, persons, unit, better, chance, None, note)
    return estimates


def in_order(estimates: dict[str, Estimate]) -> dict[str, Estimate]:
    """Known metrics first, in the order of `ABOUT`."""
    known = [n for n in ABOUT if n in estimates]
    return {n: estimates[n] for n in (*known, *(n for n in estimates if n not in ABOUT))}
