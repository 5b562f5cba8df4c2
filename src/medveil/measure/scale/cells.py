"""Cells: where on the line of scores to count, so that counting loses nothing that a metric looks at.

Every metric of pairs but one depends on the mated scores and on how many non-mated scores lie below, at and
between them. Mated scores are few (one in 10,000 where 10^4 people meet 10^4), so each of them gets a cell of
its own, and the gap up to the next one is a cell:

    ── gap ──┤m1├── gap ──┤m2├── gap ──┤m3├── gap ──       AUC, EER, PAV, min Cllr, ZEBRA come out exact

Three more sets of edges cut the gaps further: the equal bins of the histogram linkability, and quantiles of a
sample of all scores, which know nothing of who is who and so may serve the permutation test.

With more than `RUNGS` distinct mated scores their quantiles take their place. A pair of scores that
shares a cell is then counted as a tie, so the AUC is off by at most half of the mated mass times the
non-mated mass of each cell, summed: below 1 / (2 RUNGS).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.measure.scale.look import Looked
from medveil.measure.verification.linkability import bin_edges, bin_index, default_bins
from medveil.measure.verification.tally import Floats, Ints

RUNGS = 1 << 15
POOLED = 4096
COARSE = 512  # cells of each person's own counts, fewer where there are many persons
_COUNTS = 6_000_000  # persons times coarse cells, at most
_LOOKUP = 1 << 20


@dataclass(frozen=True, eq=False)
class Cells:
    """Half-open cells [edge k, edge k + 1) of the line, and coarser partitions made of them.

    Args:
        edges: (E,) rising, in the precision of the grid; the last is infinite. Cell c lies between edges c and c + 1.
        exact: whether each mated score has a cell of its own.
        bins: (B + 1,) edges of the histogram linkability; `bin`: (E - 1,) bin of each cell.
        pooled: (E - 1,) which interval between the quantiles of all scores.
        coarse: (E - 1,) which interval of the persons' own counts; it never spans two bins.
    """

    edges: npt.NDArray[np.floating]
    exact: bool
    bins: Floats
    bin: Ints
    pooled: Ints
    coarse: Ints

    @property
    def size(self) -> int:
        return len(self.edges) - 1

    @staticmethod
    def of(looked: Looked, dtype: npt.DTypeLike, persons: int) -> Cells:
        """Cells for scores of a precision."""
        rungs = np.unique(looked.mated).astype(dtype)
        exact = len(rungs) <= RUNGS
        if not exact:
            at = np.linspace(0, len(looked.mated) - 1, RUNGS).astype(np.int64)
            rungs = np.unique(np.sort(looked.mated)[at]).astype(dtype)
        bins = bin_edges(looked.ends, default_bins(len(looked.mated)))
        sample = np.sort(looked.sample)
        at = np.linspace(0, len(sample) - 1, POOLED).astype(np.int64)
        quantiles = np.unique(sample[at]).astype(dtype)
        first = looked.ends[:1].astype(dtype)
        above = np.nextafter(rungs, np.array(np.inf, dtype=dtype))
        cut = _at_least(bins[1:-1], dtype)
        edges = np.unique(np.concatenate([first, rungs, above, quantiles, cut]))
        edges = edges[edges >= first]
        count = int(np.clip(_COUNTS // persons, 32, COARSE))
        marks = rungs[np.unique(np.linspace(0, len(rungs) - 1, count).astype(np.int64))]
        return Cells(
            edges=np.append(edges, np.array(np.inf, dtype=dtype)),
            exact=exact,
            bins=bins,
            bin=bin_index(edges.astype(np.float64), bins),
            pooled=np.searchsorted(quantiles, edges, side="right"),
            coarse=np.searchsorted(np.unique(np.concatenate([marks, cut])), edges, side="right"),
        )

    def finder(self) -> Finder:
        """What finds the cell of a score, ready for many of them."""
        return Finder.of(self.edges)


@dataclass(frozen=True, eq=False)
class Finder:
    """The cell of each of many scores, five times as fast as a binary search, with the same result.

    The line is cut into a million equal steps. Most hold no edge, and there a table knows the answer; scores in
    a step with an edge are searched for. The step of a score is found by one multiplication, which
    never swaps two scores, whatever its rounding.
    """

    edges: npt.NDArray[np.floating]
    table: npt.NDArray[np.int32] | None
    low: np.floating
    scale: np.floating

    @staticmethod
    def of(edges: npt.NDArray[np.floating]) -> Finder:
        inner = edges[:-1]
        low, kind = inner[0], inner.dtype.type
        with np.errstate(over="ignore", divide="ignore"):
            scale = kind(kind(_LOOKUP) / (inner[-1] - low)) if len(inner) > 1 else kind(np.inf)
        if not np.isfinite(scale) or scale <= 0:
            return Finder(edges, None, low, kind(0))
        empty = Finder(edges, np.zeros(0, dtype=np.int32), low, scale)
        step = empty._step(inner)
        table = np.searchsorted(step, np.arange(_LOOKUP + 2), side="left").astype(np.int32) - 1
        table[step] = -1
        return Finder(edges, table, low, scale)

    def __call__(self, scores: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
        """Cell of each score, (N,) of the grid's precision; `len(edges) - 1` for not-a-number."""
        if self.table is None:
            return np.asarray(np.searchsorted(self.edges, scores, side="right") - 1, dtype=np.int32)
        cell = self.table[self._step(scores)]
        hard = np.flatnonzero(cell < 0)
        cell[hard] = np.searchsorted(self.edges, scores[hard], side="right") - 1
        return np.asarray(cell, dtype=np.int32)

    def _step(self, scores: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
        with np.errstate(invalid="ignore", over="ignore"):
            raw = (scores - self.low) * self.scale
        # Not-a-number takes part as a score in the first step, which holds the first edge and is searched.
        steps = np.nan_to_num(np.clip(raw, 0, _LOOKUP + 1), copy=False, nan=0.0)
        return np.asarray(steps, dtype=np.int32)


def _at_least(values: Floats, dtype: npt.DTypeLike) -> npt.NDArray[np.floating]:
    """The smallest number of a precision that is not below each value: x >= value and x >= it are the same."""
    cast = values.astype(dtype)
    up = np.nextafter(cast, np.array(np.inf, dtype=dtype))
    return np.asarray(np.where(cast.astype(np.float64) < values, up, cast))
