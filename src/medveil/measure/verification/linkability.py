"""Linkability D_sys: how much surer a score makes an attacker that two images show one person.

With LR(s) = p(s | mated) / p(s | non-mated) and omega = p(mated) / p(non-mated),

    D(s)  = max(0, (omega LR - 1) / (omega LR + 1)) = max(0, p(mated | s) - p(non-mated | s))
    D_sys = integral of p(s | mated) D(s) ds, in [0, 1]; lower is more private.

Source: Gomez-Barrero et al., IEEE TIFS 13 (2018), eqs. 10-12. omega = 1 is the convention: the attacker is
handed a pair that is mated with even odds. A gallery of G people means omega = 1 / (G - 1).

Three traps. D_sys needs no order: an attacker whose scores are all the wrong way round has D_sys 1 and AUC 0,
so print the AUC beside it. A histogram of few scores finds differences in noise: D_sys is biased upwards,
so read it against the value of a guesser. And too few bins hide everything: one bin has D_sys 0.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.measure.verification.pav import blocks
from medveil.measure.verification.tally import Floats, Tally, checked, tally_of

FEWEST_BINS, MOST_BINS = 4, 100


def linkability(
    mated: npt.ArrayLike,
    non_mated: npt.ArrayLike,
    *,
    omega: float = 1.0,
    bins: int | Floats | None = None,
    compat: Literal["voiceprivacy2022"] | None = None,
    method: Literal["histogram", "pav"] = "histogram",
) -> float:
    """D_sys of two sets of scores.

    Args:
        mated, non_mated: scores.
        omega: prior odds of a mated pair.
        bins: number of equal bins between the smallest and the largest score, or their edges. Default: a
            tenth of the mated pairs, at least 4 and at most 100.
        compat: `voiceprivacy2022` gives the number that code prints: omega is 1 whatever one asks for, bins are
            a tenth of the mated pairs and at most 100, fewer than 20 mated pairs give 0, and the trapezoid rule
            over bin centres counts half of the first and of the last bin. For comparison with the literature.
        method: `pav` needs no bins, but assumes that higher scores mean mated.

    Raises:
        UsageError: one side is empty, a score is not finite, settings that make no sense.

    >>> round(linkability([3, 5, 7, 9], [1, 2, 4, 6, 8], bins=4), 6)
    0.269841
    """
    m, n = checked(mated, "mated"), checked(non_mated, "non-mated")
    if not omega > 0 or not np.isfinite(omega):
        raise UsageError("linkability: omega must be positive and finite")
    if method == "pav":
        if compat or bins is not None:
            raise UsageError("linkability: the pav method has no bins and no compat")
        return linkability_of(blocks(tally_of(m, n).merged()), omega)
    if method != "histogram":
        raise UsageError(f"linkability: no method {method}", hint="known are histogram, pav")
    if compat == "voiceprivacy2022":
        if omega != 1.0:
            raise UsageError("linkability: voiceprivacy2022 knows omega = 1 only")
        return _voiceprivacy2022(m, n, bins)
    if compat is not None:
        raise UsageError(f"linkability: no compat {compat}", hint="known is voiceprivacy2022")
    edges = bin_edges(np.concatenate([m, n]), default_bins(len(m)) if bins is None else bins)
    return linkability_of(Tally(_counts(m, edges), _counts(n, edges)), omega)


def linkability_of(binned: Tally, omega: float = 1.0) -> float:
    """D_sys of a tally over bins or PAV blocks: the exact integral, a sum over them."""
    p = binned.mated / binned.mated.sum()
    return float(p @ _local(p, binned.non_mated / binned.non_mated.sum(), omega))


def default_bins(mated: int) -> int:
    """A tenth of the mated pairs, at least 4 (so that something can be seen) and at most 100."""
    return min(max(mated // 10, FEWEST_BINS), MOST_BINS)


def bin_edges(scores: Floats, bins: int | Floats) -> Floats:
    """Edges of equal bins from the smallest to the largest score; edges given are returned as they are."""
    if not isinstance(bins, int | np.integer):
        return np.asarray(bins, dtype=np.float64)
    if bins < 1:
        raise UsageError("linkability: bins must be at least 1")
    return np.asarray(np.histogram_bin_edges(scores, bins=int(bins)), dtype=np.float64)


def bin_index(values: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """Bin of each value, as numpy.histogram assigns it: half-open, the last bin closed."""
    index = np.searchsorted(edges, values, side="right") - 1
    return np.clip(index, 0, len(edges) - 2).astype(np.int64)


def _counts(scores: Floats, edges: Floats) -> Floats:
    return np.bincount(bin_index(scores, edges), minlength=len(edges) - 1).astype(np.float64)


def _local(p: Floats, q: Floats, omega: float) -> Floats:
    """D(s) per bin from p(s | mated) and p(s | non-mated); 0 where neither has weight."""
    total = omega * p + q
    return np.maximum(0.0, np.divide(omega * p - q, total, out=np.zeros_like(p), where=total > 0))


def _voiceprivacy2022(m: Floats, n: Floats, bins: int | Floats | None) -> float:
    edges = bin_edges(np.concatenate([m, n]), max(min(len(m) // 10, MOST_BINS), 1) if bins is None else bins)
    p, q = _counts(m, edges) / len(m), _counts(n, edges) / len(n)
    mass = p * _local(p, q, 1.0)
    # The trapezoid rule over equally spaced centres: all bins, less half of the outer two.
    return float(mass.sum() - 0.5 * (mass[0] + mass[-1]))
