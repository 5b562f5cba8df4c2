"""BeforeAfter: the same images before and after one or more changes, and whose they are.

original ──change A──> after["A"]
         ──change B──> after["B"]      one grid, one order, one person each
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.verification.bootstrap import FEWEST_PERSONS, multiplicities, percentiles

ORIGINAL = "original"
Images = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class BeforeAfter:
    """Images before and after, in one order.

    Args:
        before: (N, H, W) or (N, I, J, K), in [0, 1].
        after: name of each change to its images, shaped as `before`.
        group: (N,) whose image each is; a person is on one side of a split only.
        tested: (N,) which images may be tested on, e.g. those the change was not itself fitted to; the others are
            only learned from. None: all.
        remark: what a reader must know of the labels, e.g. that one of them comes from another hospital.

    Raises:
        UsageError: no change, one named `original`, shapes that differ, values that are not in [0, 1].
    """

    before: Images
    after: Mapping[str, Images]
    group: npt.NDArray[np.str_]
    tested: Flags | None = None
    remark: str = ""

    def __post_init__(self) -> None:
        if not self.after or ORIGINAL in self.after:
            raise UsageError(f"utility: expected at least one change, none of them named {ORIGINAL}")
        if self.before.ndim not in (3, 4) or not len(self.before):
            raise UsageError("utility: expected images of shape (N, H, W) or (N, I, J, K)")
        for name, images in self.conditions():
            if images.shape != self.before.shape:
                raise UsageError(
                    f"utility: {name} has shape {images.shape}, expected {self.before.shape}",
                    hint="images before and after lie on one grid and in one order",
                )
            if not (np.isfinite(images).all() and images.min() >= 0 and images.max() <= 1):
                raise UsageError(f"utility: {name} has values that are not in [0, 1]")
        flags = (self.group,) if self.tested is None else (self.group, self.tested)
        if any(f.shape != (len(self.before),) for f in flags):
            raise UsageError("utility: expected one group (and one flag `tested`) for each image")
        if self.tested is not None and not self.tested.any():
            raise UsageError("utility: no image may be tested on")

    def conditions(self) -> Iterator[tuple[str, Images]]:
        """The images before, then those of each change."""
        yield ORIGINAL, self.before
        yield from self.after.items()

    @property
    def scored(self) -> Ints:
        """(T,) places of the images that are tested on."""
        return np.arange(len(self.before)) if self.tested is None else np.flatnonzero(self.tested)

    @property
    def person(self) -> Ints:
        """(T,) number of the person of each image that is tested on."""
        return np.unique(self.group[self.scored], return_inverse=True)[1]

    @property
    def persons(self) -> int:
        """How many people are tested on."""
        return len(np.unique(self.group[self.scored]))

    def draws(self, seeds: Seeds, rounds: int) -> Floats:
        """(R, persons) how often each person is drawn; the same ones for every figure, so differences are paired."""
        rng = seeds.stream("measure/utility/people")
        return np.stack(list(multiplicities(self.persons, rounds, rng)))


def with_people(e: Estimate, samples: Floats, persons: int) -> Estimate:
    """The estimate with the interval of the rounds, (R,), of a bootstrap over people."""
    e = replace(e, n=persons)
    if e.value is None or persons < FEWEST_PERSONS:
        return replace(e, note=f"{e.note}; no interval from {persons} people")
    ends = percentiles(samples, e.level)
    if ends is None:
        return e
    return replace(e, low=min(ends[0], e.value), high=max(ends[1], e.value))


def mean_of_people(rows: Floats, person: Ints, weights: Floats) -> Floats:
    """Each person's mean first, then the weighted mean over people.

    Args:
        rows: (T, F) figures of each image; a figure that is undefined is left out.
        person: (T,) number of its person.
        weights: (R, P) how often each person is drawn.

    Returns:
        (R, F).

    >>> mean_of_people(np.array([[1.0], [3.0], [8.0]]), np.array([0, 0, 1]), np.ones((1, 2)))
    array([[5.]])
    """
    known = np.isfinite(rows)
    sums = np.zeros((weights.shape[1], rows.shape[1]))
    counts = np.zeros_like(sums)
    np.add.at(sums, person, np.where(known, rows, 0.0))
    np.add.at(counts, person, known)
    some = counts > 0
    means = np.divide(sums, counts, out=np.zeros_like(sums), where=some)
    with np.errstate(invalid="ignore"):
        out: Floats = (weights @ means) / (weights @ some.astype(np.float64))
    return out
