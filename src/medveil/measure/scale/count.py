"""Count: the second pass over a grid; every score is looked at once and becomes a count.

rows ──> cells ──┬── per cell ───────────────────> the metrics
                 ├── per coarse cell and person ─> the bootstrap over persons
                 └── of the pairs that a shuffle of the persons would call mated ──> null and p
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.measure.scale.cells import Cells
from medveil.measure.scale.grid import BLOCK, STRIPES, Grid, Layout, blocks
from medveil.measure.verification.tally import Floats, Ints

Small = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Shuffles:
    """Whom each person is taken for: (R, persons), -1 for nobody.

    Args:
        free: permutations, true pairs stay in; for p.
        deranged: nobody keeps their place, true pairs are left out; for the null.
    """

    free: Ints
    deranged: Ints


@dataclass(frozen=True, eq=False)
class Counts:
    """What the second pass counted.

    Args:
        all: (C,) pairs per cell, of whatever kind; `total`: (C,) sum of their scores.
        as_probe, as_gallery: (persons, K) pairs per coarse cell with this person on that side.
        free: (R, Q) pairs called mated per interval of the pooled quantiles.
        deranged: (R, C) pairs called mated per cell.
    """

    all: Ints
    total: Floats
    as_probe: Small
    as_gallery: Small
    free: Small
    deranged: Small

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.all + other.all,
            self.total + other.total,
            self.as_probe + other.as_probe,
            self.as_gallery + other.as_gallery,
            self.free + other.free,
            self.deranged + other.deranged,
        )


def count(grid: Grid, cells: Cells, shuffles: Shuffles, jobs: int) -> Counts:
    """The second pass; stripes are added in their order, so the result does not depend on `jobs`."""
    from joblib import Parallel, delayed

    parts: Iterator[Counts] = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_stripe)(grid, cells, shuffles, s) for s in range(STRIPES)
    )
    whole = next(parts)
    for part in parts:
        whole = whole + part
    return whole


def _stripe(grid: Grid, cells: Cells, shuffles: Shuffles, stripe: int) -> Counts:
    layout, finder = Layout.of(grid), cells.finder()
    size, coarse, pooled = cells.size, int(cells.coarse.max()) + 1, int(cells.pooled.max()) + 1
    # One cell more than there are takes the pairs that were not compared, and is dropped in the end.
    coarse_of = np.append(cells.coarse, coarse).astype(np.int32)
    pooled_of = np.append(cells.pooled, pooled).astype(np.int32)
    every = np.zeros(size + 1, dtype=np.int64)
    total = np.zeros(size + 1)
    as_probe = np.zeros((grid.persons, coarse + 1), dtype=np.int32)
    as_gallery = np.zeros(grid.persons * (coarse + 1), dtype=np.int32)
    free = np.zeros((len(shuffles.free), pooled + 1), dtype=np.int32)
    deranged = np.zeros((len(shuffles.deranged), size + 1), dtype=np.int32)
    column = layout.person.astype(np.int32) * np.int32(coarse + 1)
    for start, stop in blocks(grid, stripe):
        x = layout.arranged(grid.rows(start, stop))
        person = grid.probe[start:stop]
        cell = finder(x.reshape(-1))
        every += np.bincount(cell, minlength=size + 1)
        total += np.bincount(cell, weights=np.nan_to_num(x).ravel(), minlength=size + 1)
        rough = coarse_of[cell].reshape(x.shape)  # (B, G)
        rows = np.arange(len(x), dtype=np.int32)[:, None] * np.int32(coarse + 1) + rough
        by_row = np.bincount(rows.ravel(), minlength=len(x) * (coarse + 1)).reshape(len(x), -1)
        np.add.at(as_probe, person, by_row.astype(np.int32))
        as_gallery += np.bincount((rough + column).ravel(), minlength=len(as_gallery)).astype(np.int32)
        grid_cell = cell.reshape(x.shape)
        _claimed(free, shuffles.free, person, layout, pooled_of, grid_cell)
        _claimed(deranged, shuffles.deranged, person, layout, np.arange(size + 1, dtype=np.int32), grid_cell)
    return Counts(
        all=every[:-1],
        total=total[:-1],
        as_probe=as_probe[:, :-1],
        as_gallery=as_gallery.reshape(grid.persons, -1)[:, :-1],
        free=free[:, :-1],
        deranged=deranged[:, :-1],
    )


def _claimed(out: Small, mate: Ints, person: Ints, layout: Layout, where: Small, cell: Small) -> None:
    """Add to `out` (R, K) the pairs of a block that each shuffle calls mated, counted by `where` of their cell."""
    if not len(mate):
        return
    width = out.shape[1]
    many = max(1, BLOCK // max(len(person) * int(layout.count.max()), width))  # shuffles at a time
    for first in range(0, len(mate), many):
        part = mate[first : first + many][:, person]  # (r, B)
        place = np.where(part >= 0, layout.place[part], -1)
        entry, column = layout.pairs(place.ravel())
        shuffle, row = np.divmod(entry, len(person))
        key = shuffle * width + where[cell[row, column]]
        out[first : first + many] += (
            np.bincount(key, minlength=len(part) * width).reshape(len(part), width).astype(np.int32)
        )
