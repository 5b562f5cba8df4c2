"""Tradeoff: complexity, leakage and utility of a public code, the three terms of CLUB, each as a bound.

    picture X ──> true components T ──decoys──> public code Z ──> U, what somebody wants to learn of it
                                                 └──> S, which published components are true: what it should not tell

    complexity  I(X; Z) <= I(X; T) <= H(T) <= bits that code T under the model's statistics     UPPER bound
    leakage     log2 C(S_x + S_n, S_x) - H(S | Z) >= count - residual_bits_bound                LOWER bound
    utility     I(U; Z) >= H(U) - cross-entropy of a classifier on people it did not learn from LOWER bound

The first is data processing (Z hangs on X through T alone) and the length of a code that was not made for these
images; the others are variational (Barber & Agakov 2003): whoever finds a better attack or classifier raises them. H(U) is the
entropy of the labels in the sample.

Source: Razeghi, Calmon, Gunduz & Voloshynovskiy, Bottlenecks CLUB, IEEE TIFS 18 (2023), arXiv 2207.04895.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair, Statistics
from medveil.measure.decoding.ambiguity import log_sum
from medveil.measure.decoding.joined import Floats
from medveil.measure.decoding.people import over_people

_OWN = 16.0  # values of a component before its histogram counts as much as that of its level


def complexity(pairs: Sequence[CodePair], statistics: Statistics, seeds: Seeds) -> Estimate:
    """`complexity`, an upper bound of I(X; Z) in bits per pixel."""
    bits = [sum(_level_bits(pair, n, statistics) for n in range(len(pair.true))) for pair in pairs]
    per_pixel = [b / p.picture.size for b, p in zip(bits, pairs, strict=True)]
    note = (
        "upper bound of I(X; Z): code length of the true components under the model's statistics, per pixel"
    )
    return over_people(
        "complexity", per_pixel, [p.group for p in pairs], seeds, unit="bpp", better="", note=note
    )


def leakage(estimates: Mapping[str, Estimate]) -> Estimate:
    """`leakage`, a lower bound of what the code itself tells of its support, in bits a site, from `ambiguity.residual`."""
    count, bound = estimates["ambiguity_bits"].value, estimates["residual_bits_bound"]
    note = "lower bound of log2 C - H(support | public), a site"
    if count is None or bound.value is None:
        return Estimate("leakage", None, unit="bit", better="lower", note=f"{note}; undefined")
    low, high = (None if end is None else count - end for end in (bound.high, bound.low))
    return replace(
        bound,
        name="leakage",
        value=count - bound.value,
        low=low,
        high=high,
        better="lower",
        chance=0.0,
        note=note,
    )


def utility(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, groups: Sequence[str], seeds: Seeds
) -> Estimate:
    """`utility`, a lower bound of I(U; Z) in bits, U a label of each film.

    Args:
        probabilities: (films, classes), of a classifier on public codes of people it did not learn from.
        labels: (films,) whole numbers below the number of classes.

    Raises:
        UsageError: they do not fit.
    """
    p, u = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.int64)
    if p.ndim != 2 or u.shape != (len(p),) or not len(u) or u.min() < 0 or u.max() >= p.shape[1]:
        raise UsageError(
            "utility: expected (films, classes) probabilities and one label below that for each film"
        )
    share = np.bincount(u, minlength=p.shape[1]) / len(u)
    told = np.log2(np.maximum(p[np.arange(len(u)), u], 1e-12))
    each = told - np.log2(share[u])
    note = "lower bound of I(U; Z): entropy of the labels less the classifier's cross-entropy"
    return over_people(
        "utility", each.tolist(), groups, seeds, unit="bit", better="higher", chance=0.0, note=note
    )


def _level_bits(pair: CodePair, index: int, statistics: Statistics) -> float:
    """Code length of the true components of one level: supports of S_x of M, then values."""
    level, true = pair.code.levels[index], pair.true[index]
    k = pair.code.nonzeros
    chosen = statistics.chosen[index].astype(np.float64)
    log_w = np.log((chosen + 0.5) / (np.maximum(statistics.sites - chosen, 0.0) + 0.5))
    total, _ = log_sum(log_w[None], k)
    support = level.support[true].astype(np.intp)
    supports = float(total[0]) * len(true) - float(log_w[support].sum())
    counts = statistics.values[index].astype(np.float64)
    steps = counts.shape[1] // 2
    value = level.values[true].astype(np.intp).clip(-steps, steps)
    at = np.where(value < 0, value + steps, value + steps - 1)
    pooled = (counts.sum(axis=0) + 0.5) / (counts.sum() + 0.5 * 2 * steps)
    share: Floats = (counts[support, at] + _OWN * pooled[at]) / (counts.sum(axis=1)[support] + _OWN)
    return (supports - float(np.log(share).sum())) / float(np.log(2))
