"""Gain: how much better one attacker guesses than another, about the same people.

    person:        a  b  c  d ...
    with image     1  1  0  1          gain = difference of balanced accuracies (or of mean absolute errors)
    without        1  0  0  0          p: swap the two guessers person by person, see how often the gain is as large

Under "the image adds nothing" it does not matter which of the two guesses is called which, so swapping is exact,
and up to a dozen people on whom they differ it is done in every way there is. The interval redraws people, both
guesses of a person together.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.guesses.classes import NO_INTERVAL
from medveil.measure.guesses.joined import ClassTable, Floats, Ints, NumberTable, Table, in_common
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities, percentiles

EXACT = 12  # people on whom two guessers differ: 4096 ways to swap them


def gain(
    name: str,
    better: Table,
    baseline: Table,
    *,
    seeds: Seeds,
    unit: str = "",
    rounds: int = 1000,
    level: float = 0.95,
) -> Estimate:
    """What `better` guesses better than `baseline`: positive means that it gives more away.

    For classes the difference of balanced accuracies, for numbers the mean absolute error that is saved.
    """
    a, b = in_common(better, baseline)
    n = len(a.person)
    if not n:
        return Estimate(name, None, better="lower", note="undefined: no person was guessed in both ways")
    if isinstance(a, ClassTable) and isinstance(b, ClassTable):
        difference, kind = a.right - b.right, a.truth
        what = "balanced accuracy gained"
    elif isinstance(a, NumberTable) and isinstance(b, NumberTable):
        difference, kind = b.error - a.error, np.zeros(n, dtype=np.int64)
        what = "mean absolute error saved"
    else:
        raise TypeError("gain: one guesser guesses classes, the other numbers")
    kind = np.unique(kind, return_inverse=True)[1].astype(np.int64)
    value = float(_mean(difference, kind, np.ones(n)))
    p = swap_p(difference / np.bincount(kind)[kind], seeds, rounds)
    note = f"{what}, same people; p: guesses swapped person by person"
    if n < FEWEST_PERSONS:
        return Estimate(name, value, None, None, level, n, unit, "lower", 0.0, p, f"{note}; {NO_INTERVAL}")
    draws = multiplicities(n, rounds, seeds.stream("measure/guesses/bootstrap"))
    ends = percentiles(np.array([_mean(difference, kind, w) for w in draws]), level)
    low, high = ends or (None, None)
    return Estimate(
        name, value, low, high, level, n, unit, "lower", 0.0, p, f"{note}; paired subject bootstrap"
    )


def _mean(difference: Floats, kind: Ints, weight: Floats) -> float:
    """Mean over kinds of the weighted means; not-a-number if a kind has no weight."""
    total = np.bincount(kind, weights=weight)
    if not (total > 0).all():
        return float("nan")
    return float((np.bincount(kind, weights=weight * difference) / total).mean())


def swap_p(difference: Floats, seeds: Seeds, rounds: int) -> float:
    """One-sided p of "no gain": how often signs drawn anew give a sum as large. 1 where nobody differs.

    >>> swap_p(np.array([1.0, 1.0, 1.0, 1.0, 1.0]), Seeds(0), 1000)
    0.03125
    """
    d = difference[np.abs(difference) > 1e-12]
    if not len(d):
        return 1.0
    observed = d.sum() - 1e-9 * np.abs(d).sum()
    if len(d) <= EXACT:
        signs = np.array(list(product((1.0, -1.0), repeat=len(d))))
        return float((signs @ d >= observed).mean())
    rng = seeds.stream("measure/guesses/swaps")
    signs = rng.choice((1.0, -1.0), size=(rounds, len(d)))
    return float((1 + (signs @ d >= observed).sum()) / (1 + rounds))
