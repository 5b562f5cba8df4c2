"""All pair metrics of one tally at once: what a bootstrap round or a permutation measures."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from medveil.measure.verification.auc import auc_of
from medveil.measure.verification.calibration import min_cllr_of, zebra_individual_of, zebra_population_of
from medveil.measure.verification.eer import crossing, eer_of
from medveil.measure.verification.linkability import bin_edges, bin_index, default_bins, linkability_of
from medveil.measure.verification.pav import blocks
from medveil.measure.verification.separation import d_prime_of
from medveil.measure.verification.tally import Floats, Ints, Ladder, Tally, summed

NAMES = (
    "auc",
    "eer",
    "eer_interpolated",
    "eer_step",
    "linkability",
    "linkability_pav",
    "min_cllr",
    "zebra_population",
    "zebra_individual",
    "d_prime",
)


@dataclass(frozen=True, eq=False)
class Battery:
    """A ladder of scores and the histogram bins laid over it; the bins stay the same in every round.

    Args:
        ladder: the scores, sorted once.
        edges: (B + 1,) bin edges of the linkability.
        bin: (L,) bin of each rung.
    """

    ladder: Ladder
    edges: Floats
    bin: Ints

    @staticmethod
    def of(score: Floats, mated: int, edges: Floats | None = None) -> Battery:
        """Bins with these edges; if there are none, by the default rule for so many mated pairs."""
        ladder, edges = Ladder.of(score), bin_edges(score, default_bins(mated)) if edges is None else edges
        return Battery(ladder, edges, bin_index(ladder.values, edges))

    @staticmethod
    def of_cells(values: Floats, edges: Floats, index: Ints) -> Battery:
        """Over cells in place of single scores: a value for each, rising, and its bin; only for `rate`."""
        return Battery(Ladder(values, np.empty(0, dtype=np.int64)), edges, index)

    def binned(self, tally: Tally) -> Tally:
        """The tally summed over the bins."""
        size = len(self.edges) - 1
        return Tally(summed(self.bin, tally.mated, size), summed(self.bin, tally.non_mated, size))

    def measure(
        self, mated_weight: Floats, non_mated_weight: Floats
    ) -> tuple[dict[str, float], Tally | None]:
        """Every metric of `NAMES`, and the merged tally for curves.

        Not-a-number throughout, and None, where one kind of pair has no weight.
        """
        tally = self.ladder.tally(mated_weight, non_mated_weight)
        return self.rate(tally), tally.merged() if tally.defined else None

    def rate(self, tally: Tally) -> dict[str, float]:
        """Every metric of `NAMES` of a tally over the rungs; not-a-number throughout if it is undefined."""
        if not tally.defined:
            return dict.fromkeys(NAMES, nan)
        merged = tally.merged()
        block = blocks(merged)
        return {
            "auc": auc_of(merged),
            "eer": crossing(block),
            "eer_interpolated": crossing(merged),
            "eer_step": eer_of(tally, "step"),
            "linkability": linkability_of(self.binned(tally)),
            "linkability_pav": linkability_of(block),
            "min_cllr": min_cllr_of(block),
            "zebra_population": zebra_population_of(block),
            "zebra_individual": zebra_individual_of(merged),
            "d_prime": d_prime_of(self.ladder.values, tally),
        }
