"""Classes: how often a class was guessed right.

Accuracy flatters: who calls everybody a woman is right about every woman. Balanced accuracy, the mean of the recalls,
gives that guesser 1 / K for K classes, whatever the shares. Intervals are Wilson's, with the person as the unit; that of
the balanced accuracy joins those of the recalls (MOVER), so that two right out of two is never called certain.

Sources: Wilson, JASA 22 (1927); Zou & Donner, Stat. Med. 27 (2008) 1693-1702, eq. for a sum of proportions; Brodersen
et al., ICPR 2010 (balanced accuracy); Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010), the permutation p.
"""

from __future__ import annotations

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.guesses.joined import ClassTable, Floats, Ints
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities, percentiles, wilson

NO_INTERVAL = f"no interval from fewer than {FEWEST_PERSONS} people"


def class_estimates(
    table: ClassTable, *, seeds: Seeds, rounds: int = 1000, level: float = 0.95
) -> dict[str, Estimate]:
    """Balanced accuracy (with p), accuracy, the recall of each class, and for two classes the AUC."""
    n, k = len(table.truth), len(table.classes)
    out = {"balanced_accuracy": _balanced(table, seeds, rounds, level)}
    commonest = float(np.bincount(table.truth).max() / n)
    note = "share of people guessed right; chance: the share of the most frequent class"
    out["accuracy"] = _share("accuracy", float(table.right.mean()), n, commonest, level, note)
    if k > 1:
        for i, name in enumerate(table.classes):
            mine = table.truth == i
            recall = float(table.right[mine].mean())
            note = "share of the people of this class guessed right"
            key = f"recall_{name}"
            out[key] = _share(key, recall, int(mine.sum()), 1 / k, level, note)
    if k == 2:
        out["auc"] = class_auc(table, seeds=seeds, rounds=rounds, level=level)
    return out


def balanced(share: Floats, truth: Ints, classes: int) -> float:
    """Mean of the recalls. `share`: (S, K), `truth`: (S,), every class there.

    >>> balanced(np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]]), np.array([0, 0, 1]), 2)
    0.5
    """
    right = share[np.arange(len(truth)), truth]
    return float((np.bincount(truth, weights=right, minlength=classes) / np.bincount(truth)).mean())


def _balanced(table: ClassTable, seeds: Seeds, rounds: int, level: float) -> Estimate:
    n, k = len(table.truth), len(table.classes)
    name = "balanced_accuracy"
    if k < 2:
        return Estimate(name, None, n=n, better="lower", note="undefined: everybody has the same class")
    value = balanced(table.share, table.truth, k)
    low, high = _mover(table, level)
    reached = 0
    rng = seeds.stream("measure/guesses/permutations")
    for _ in range(rounds):
        reached += balanced(table.share, rng.permutation(table.truth), k) >= value - 1e-12
    note = "mean of the recalls; Wilson intervals joined; p: labels of people permuted"
    p = (1 + reached) / (1 + rounds)
    return Estimate(name, value, low, high, level, n, "", "lower", 1 / k, p, note)


def _mover(table: ClassTable, level: float) -> tuple[float, float]:
    """Interval of the mean of independent proportions from the interval of each."""
    k = len(table.classes)
    below = above = middle = 0.0
    for i in range(k):
        right = table.right[table.truth == i]
        p = float(right.mean())
        low, high = wilson(p, len(right), level)
        middle += p / k
        below += ((p - low) / k) ** 2
        above += ((high - p) / k) ** 2
    return max(0.0, middle - below**0.5), min(1.0, middle + above**0.5)


def _share(name: str, value: float, n: int, chance: float, level: float, note: str) -> Estimate:
    low, high = wilson(value, n, level)
    return Estimate(name, value, low, high, level, n, "", "lower", chance, None, f"{note}; Wilson interval")


def class_auc(
    table: ClassTable, *, seeds: Seeds, rounds: int = 1000, level: float = 0.95, name: str = "auc"
) -> Estimate:
    """Chance that the evidence for the second class is larger in somebody of it than in somebody of the first."""
    first, second = np.flatnonzero(table.truth == 0), np.flatnonzero(table.truth == 1)
    a, b = table.evidence[second][:, None], table.evidence[first][None, :]
    wins = (a > b) + 0.5 * (a == b)  # (second, first)
    n = len(table.truth)
    note = "two classes: chance that the evidence is on the right side; scores of all folds together"
    value = float(wins.mean())
    if n < FEWEST_PERSONS:
        return Estimate(name, value, n=n, better="lower", chance=0.5, note=f"{note}; {NO_INTERVAL}")
    samples = np.full(rounds, np.nan)
    for r, drawn in enumerate(multiplicities(n, rounds, seeds.stream("measure/guesses/bootstrap"))):
        u, v = drawn[second], drawn[first]
        if u.sum() > 0 and v.sum() > 0:
            samples[r] = float(u @ wins @ v / (u.sum() * v.sum()))
    low, high = percentiles(samples, level) or (None, None)
    if value in (0.0, 1.0):
        note += "; no overlap was seen, so the interval can't show how much there may be"
    return Estimate(name, value, low, high, level, n, "", "lower", 0.5, None, f"{note}; subject bootstrap")
