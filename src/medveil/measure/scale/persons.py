"""Persons: the bootstrap over persons without the pairs, from each person's own counts.

A round draws person i w_i times; in each coarse cell the pairs then weigh

    mated        sum over i of w_i M_i                              exact
    non-mated    sum over i, j of w_i w_j H_ij                      not to be had: H has a number for each pair
              ~  (sum of w_i P_i) (sum of w_j G_j) / (all)          P, G: pairs with i as probe, j as gallery

The product has the right value at w = 1 and the right change with each w_i: it is exact to first order (the
Hoeffding projection of a U-statistic), never negative, and errs by terms of relative size 1 / persons. Cells are
coarse here (up to 512 quantiles of the mated scores and the linkability's bins), so each metric is moved by the
difference between its value on fine and on coarse cells.

Source: Hoeffding, Ann. Math. Statist. 19 (1948); van der Vaart, Asymptotic Statistics (1998), ch. 11-12; for
the AUC these first-order terms are DeLong, DeLong & Clarke-Pearson's placements, Biometrics 44 (1988).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from medveil.measure.curves import FPR
from medveil.measure.scale.cells import Cells
from medveil.measure.scale.count import Counts
from medveil.measure.verification.battery import NAMES, Battery
from medveil.measure.verification.roc import tpr_at
from medveil.measure.verification.tally import Floats, Tally

_AT_ONCE = 64  # rounds multiplied together


@dataclass(frozen=True, eq=False)
class PersonCounts:
    """Counts of each person in the coarse cells, (persons, K) each, float32.

    Args:
        mated: their mated pairs.
        probe, gallery: non-mated pairs with this person on that side.
        battery: metrics on the coarse cells.
    """

    mated: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    probe: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    gallery: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    battery: Battery

    def tallies(self, draws: Iterable[Floats]) -> Iterator[Tally]:
        """The tally of each round over the coarse cells."""
        all_pairs = self.probe.sum(axis=0, dtype=np.float64)
        for drawn in _batches(draws):
            w = drawn.astype(np.float32)
            m = (w @ self.mated).astype(np.float64)
            product = (w @ self.probe).astype(np.float64) * (w @ self.gallery)
            n = np.divide(product, all_pairs, out=np.zeros_like(product), where=all_pairs > 0)
            yield from (Tally(a, b) for a, b in zip(m, n, strict=True))

    def rounds(
        self, draws: Iterable[Floats], values: dict[str, float], tpr: Floats
    ) -> tuple[dict[str, Floats], Floats]:
        """Each metric and the ROC in each round, moved from coarse to fine.

        Args:
            draws: (persons,) how often each was drawn, one array a round.
            values, tpr: the metrics and the ROC (F,) on the fine cells.
        """
        one = Tally(self.mated.sum(axis=0, dtype=np.float64), self.probe.sum(axis=0, dtype=np.float64))
        rough = self.battery.rate(one)
        rough_tpr = tpr_at(one, FPR)
        rows, curves = [], []
        for tally in self.tallies(draws):
            row = self.battery.rate(tally)
            rows.append([row[n] - rough[n] + values[n] for n in NAMES])
            curve = tpr_at(tally, FPR) - rough_tpr + tpr if tally.defined else np.full(len(FPR), np.nan)
            curves.append(np.clip(curve, 0.0, 1.0))
        columns = np.array(rows).reshape(-1, len(NAMES)).T
        return dict(zip(NAMES, columns, strict=True)), np.array(curves).reshape(-1, len(FPR))


def person_counts(
    counts: Counts, cells: Cells, mated_cell: np.ndarray, mated_person: np.ndarray
) -> PersonCounts:
    """From the counts of all pairs and the mated ones, which are known one by one."""
    size, persons = counts.as_probe.shape[1], len(counts.as_probe)
    key = mated_person * size + cells.coarse[mated_cell]
    mated = np.bincount(key, minlength=persons * size).reshape(persons, size).astype(np.float32)
    total, pairs = (np.bincount(cells.coarse, weights=x, minlength=size) for x in (counts.total, counts.all))
    value = np.divide(total, pairs, out=np.zeros(size), where=pairs > 0)
    first = np.searchsorted(cells.coarse, np.arange(size))  # a coarse cell never spans two bins
    return PersonCounts(
        mated=mated,
        probe=counts.as_probe.astype(np.float32) - mated,
        gallery=counts.as_gallery.astype(np.float32) - mated,
        battery=Battery.of_cells(value, cells.bins, cells.bin[np.minimum(first, len(cells.bin) - 1)]),
    )


def _batches(draws: Iterable[Floats]) -> Iterator[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    held: list[Floats] = []
    for drawn in draws:
        held.append(drawn)
        if len(held) == _AT_ONCE:
            yield np.array(held)
            held = []
    if held:
        yield np.array(held)
