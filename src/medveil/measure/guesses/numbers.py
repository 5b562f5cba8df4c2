"""Numbers: how far off a guessed number is, and whether it goes with the truth at all.

A mean absolute error says nothing alone: among people of one age any guess is close. Beside it stands the error of who
guesses the median of other people; and the correlation, which that guesser cannot have.
"""

from __future__ import annotations

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.guesses.classes import NO_INTERVAL
from medveil.measure.guesses.joined import Floats, NumberTable
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities, percentiles


def number_estimates(
    table: NumberTable,
    *,
    seeds: Seeds,
    prior: NumberTable | None = None,
    unit: str = "",
    rounds: int = 1000,
    level: float = 0.95,
) -> dict[str, Estimate]:
    """Mean absolute error, and Pearson's r with its permutation p.

    Args:
        prior: the guesses of who guesses the median of other people; their error stands as chance.
    """
    n = len(table.truth)
    chance = float(prior.error.mean()) if prior is not None else None
    note = "mean absolute error; chance: guessing the median of other people"
    mae = Estimate(
        "mae", float(table.error.mean()), n=n, unit=unit, better="higher", chance=chance, note=note
    )
    value = correlation(table.guess, table.truth, np.ones(n))
    r = Estimate("r", value, n=n, better="lower", chance=0.0, note="correlation of guess and truth")
    if value is None:
        r = Estimate("r", None, n=n, better="lower", note="undefined: guess or truth does not vary")
    if n < FEWEST_PERSONS:
        return {e.name: _with(e, None, None, level, NO_INTERVAL) for e in (mae, r)}
    errors, rs = np.full(rounds, np.nan), np.full(rounds, np.nan)
    for i, w in enumerate(multiplicities(n, rounds, seeds.stream("measure/guesses/bootstrap"))):
        errors[i] = w @ table.error / w.sum()
        drawn = correlation(table.guess, table.truth, w)
        rs[i] = np.nan if drawn is None else drawn
    how = "subject bootstrap"
    return {
        "mae": _with(mae, percentiles(errors, level), None, level, how),
        "r": r
        if value is None
        else _with(r, percentiles(rs, level), _p(table, value, seeds, rounds), level, how),
    }


def correlation(a: Floats, b: Floats, weight: Floats) -> float | None:
    """Pearson's r of weighted rows; None where one side does not vary.

    >>> round(correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 7.0]), np.ones(3)), 4)
    0.9934
    """
    w = weight / weight.sum()
    a, b = a - w @ a, b - w @ b
    below = float(np.sqrt((w @ a**2) * (w @ b**2)))
    return float(w @ (a * b)) / below if below > 1e-12 else None


def _p(table: NumberTable, value: float, seeds: Seeds, rounds: int) -> float:
    """One-sided: how often permuted people agree as well."""
    rng, one = seeds.stream("measure/guesses/permutations"), np.ones(len(table.truth))
    reached = sum(
        (correlation(table.guess, rng.permutation(table.truth), one) or 0.0) >= value - 1e-12
        for _ in range(rounds)
    )
    return (1 + reached) / (1 + rounds)


def _with(e: Estimate, ends: tuple[float, float] | None, p: float | None, level: float, how: str) -> Estimate:
    low, high = ends or (None, None)
    return Estimate(e.name, e.value, low, high, level, e.n, e.unit, e.better, e.chance, p, f"{e.note}; {how}")
