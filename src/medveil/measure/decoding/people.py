"""People: one figure a film becomes an Estimate over people. Films of one person are averaged first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.decoding.joined import Floats
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, percentiles

ROUNDS = 1000


def each_person(values: Sequence[float | None], groups: Sequence[str]) -> Floats:
    """Mean of each person's films that have a figure, in the order of their names."""
    known = [(g, v) for g, v in zip(groups, values, strict=True) if v is not None]
    return np.array([np.mean([v for g, v in known if g == who]) for who in sorted({g for g, _ in known})])


def over_people(
    name: str,
    values: Sequence[float | None],
    groups: Sequence[str],
    seeds: Seeds,
    *,
    unit: str = "",
    better: Literal["lower", "higher", ""] = "lower",
    chance: float | None = None,
    note: str = "",
) -> Estimate:
    """Mean over people with a percentile interval of the bootstrap over people.

    Args:
        values: one a film; None where it has none.
        groups: whose film each is.
    """
    means = each_person(values, groups)
    n = len(means)
    if not n:
        return Estimate(name, None, unit=unit, better=better, chance=chance, note=f"{note}; undefined")
    value = float(means.mean())
    if n < FEWEST_PERSONS:
        note = f"{note}; no interval from {n} people" if n > 1 else f"{note}; of this code alone"
        return Estimate(name, value, n=n, unit=unit, better=better, chance=chance, note=note)
    drawn = seeds.stream("measure/decoding/people").integers(0, n, size=(ROUNDS, n))
    low, high = percentiles(means[drawn].mean(axis=1)) or (None, None)
    return Estimate(name, value, low, high, 0.95, n, unit, better, chance, None, f"{note}; mean over people")
