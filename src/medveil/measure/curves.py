"""Curves: the points of the pictures, thinned so that a report stays small."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medveil.core.findings import Curves
from medveil.measure.verification.tally import Floats

LONGEST_CMC = 50
# FPRs at which the ROC is drawn: even steps, and small ones near 0 where a careful attacker works.
FPR = np.unique(np.concatenate([np.linspace(0, 1, 181), np.geomspace(1e-4, 5e-3, 16)]))


@dataclass(frozen=True, eq=False)
class Rounds:
    """What the rounds of a bootstrap or of a null gave: (R,) values by name, ROC (R, F) at `FPR`, CMC (R, K)."""

    values: dict[str, Floats]
    tpr: Floats
    cmc: Floats


def no_curves() -> Curves:
    """Curves of data that have none."""
    return Curves([], [], [], [], [], [], [], [], [], [])


def rate_curves(tpr: Floats, cmc: Floats, rounds: Rounds | None, level: float) -> Curves:
    """ROC and CMC, with the pointwise band over the rounds if there are any; no histogram yet."""
    low, high = _band(rounds.tpr, level) if rounds else ([], [])
    cmc_low, cmc_high = _band(rounds.cmc, level) if rounds else ([], [])
    start = [0.0]  # the ROC begins in the corner; its points lie at the upper ends of vertical pieces
    return Curves(
        fpr=start + [float(x) for x in FPR],
        tpr=start + _floats(tpr),
        tpr_low=start + low if low else [],
        tpr_high=start + high if high else [],
        cmc=_floats(cmc),
        cmc_low=cmc_low,
        cmc_high=cmc_high,
        bins=[],
        mated=[],
        non_mated=[],
    )


def with_histogram(curves: Curves, mated: Floats, non_mated: Floats) -> Curves:
    """The curves with densities of both kinds of score over common bins."""
    count = int(np.clip(2 * np.sqrt(len(mated)), 10, 40))
    bins = np.histogram_bin_edges(np.concatenate([mated, non_mated]), bins=count)
    return replace(
        curves,
        bins=_floats(bins),
        mated=_floats(np.histogram(mated, bins, density=True)[0]),
        non_mated=_floats(np.histogram(non_mated, bins, density=True)[0]),
    )


def _band(samples: Floats, level: float) -> tuple[list[float], list[float]]:
    good = samples[np.isfinite(samples).all(axis=1)]
    if len(good) < 2:
        return [], []
    low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return _floats(low), _floats(high)


def _floats(values: Floats) -> list[float]:
    return [float(x) for x in values]
