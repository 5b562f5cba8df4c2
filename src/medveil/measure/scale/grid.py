"""Grid: a table of scores too large to hold, read a few rows at a time.

             gallery image 0   1   2 ...
probe image 0      0.31      0.12  ...        rows(0, 2) gives the first two
probe image 1      0.05      0.88  ...
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from medveil.measure.verification.tally import Ints

BLOCK = 1 << 21  # scores held at a time by each worker: 8 to 16 MiB, and a few arrays of that size beside
STRIPES = 8  # parts the rows are cut into; fixed, so that sums do not depend on the number of workers

Matrix = npt.NDArray[np.float32] | npt.NDArray[np.float64]


class Grid(Protocol):
    """What this package asks of a score matrix.

    `probe` (P,) and `gallery` (G,) are the person shown on each image, one numbering for both sides, below
    `persons`. `rows(start, stop)` gives (stop - start, G) scores, float32 or float64; not-a-number where a
    pair was not compared, every other value is finite.
    """

    @property
    def attack(self) -> str: ...
    @property
    def condition(self) -> str: ...
    @property
    def probe(self) -> Ints: ...
    @property
    def gallery(self) -> Ints: ...
    @property
    def persons(self) -> int: ...
    def rows(self, start: int, stop: int) -> Matrix: ...


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of a grid sorted by person, so that a person's images stand side by side.

    Args:
        order: (G,) column of the grid at each place, or None if the grid is sorted already.
        person: (G,) person at each place, rising.
        start, count: (Q,) first place and number of images of each gallery person.
        who: (Q,) those persons.
        place: (persons,) index into `who`, -1 for persons not in the gallery.
    """

    order: Ints | None
    person: Ints
    start: Ints
    count: Ints
    who: Ints
    place: Ints

    @staticmethod
    def of(grid: Grid) -> Layout:
        order = np.argsort(grid.gallery, kind="stable").astype(np.int64)
        person = grid.gallery[order]
        who, start, count = np.unique(person, return_index=True, return_counts=True)
        place = np.full(grid.persons, -1, dtype=np.int64)
        place[who] = np.arange(len(who))
        still = bool((order == np.arange(len(order))).all())
        return Layout(None if still else order, person, start, count, who, place)

    @property
    def single(self) -> bool:
        """Whether every gallery person has one image."""
        return len(self.who) == len(self.person)

    def arranged(self, block: Matrix) -> Matrix:
        return block if self.order is None else block[:, self.order]

    def pairs(self, place: npt.NDArray[np.int64]) -> tuple[Ints, Ints]:
        """All images of one gallery person for each entry: (entry, column) of each pair, flat.

        Args:
            place: (N,) index into `who`; entries of -1 have no pairs.
        """
        count = np.where(place >= 0, self.count[place], 0)
        entry = np.repeat(np.arange(len(place)), count)
        first = np.cumsum(count) - count
        within = np.arange(len(entry)) - first[entry]
        return entry, self.start[place[entry]] + within


def blocks(grid: Grid, stripe: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the blocks of rows of one stripe."""
    probes, height = len(grid.probe), max(1, BLOCK // max(len(grid.gallery), 1))
    edges = np.arange(0, probes + height, height).clip(max=probes)
    mine = np.array_split(np.arange(len(edges) - 1), STRIPES)[stripe]
    for b in mine:
        if edges[b] < edges[b + 1]:
            yield int(edges[b]), int(edges[b + 1])
