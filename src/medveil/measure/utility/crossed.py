"""Crossed: learn from the images of each condition, test on the images of each condition.

                     tested on    original   A      B
    learned from     original     (o, o)    (o, A)  (o, B)      (o, A): does a tool made before still work after?
                     A            (A, o)    (A, A)    ...       (A, A): can one still be made from what was released?

Folds, seeds and drawn people are the same in every cell, so the change from (original, original) is paired. Intervals
are over people; how much a figure moves because a network is trained again is no part of them and stands beside them,
as the control: learned from the originals once more, with another seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.utility.before_after import ORIGINAL, BeforeAfter, Floats, Images, Ints, with_people

AGAIN = "original, another seed"
Pair = tuple[str, str]
Better = Literal["lower", "higher", ""]
Predict = Callable[[Images], npt.NDArray[Any]]
Learn = Callable[[Images, npt.NDArray[Any], int], Predict]
Told = Callable[[int, str], None]


@dataclass(frozen=True)
class Metric:
    """What is known of a figure: its key, direction, unit, a guesser's value, and how it is computed."""

    name: str
    better: Better
    note: str
    unit: str = ""
    chance: float | None = None


@dataclass(frozen=True)
class Measured:
    """Figures of one cell: (F,) values and (R, F) rounds of the bootstrap over people."""

    values: Floats
    samples: Floats


@dataclass(frozen=True)
class Cell:
    """What came of learning from one condition and testing on another.

    Args:
        trained, tested: the conditions.
        found: the figures.
        change: this cell minus (original, original), over the same drawn people; below 0 an AUC was lost.
    """

    trained: str
    tested: str
    found: dict[str, Estimate]
    change: dict[str, Estimate]

    def to_json(self) -> dict[str, Any]:
        return {
            "trained": self.trained,
            "tested": self.tested,
            "found": {k: e.to_json() for k, e in self.found.items()},
            "change": {k: e.to_json() for k, e in self.change.items()},
        }


@dataclass(frozen=True)
class Crossed:
    """All cells, in the order of conditions; that of the control is named by `AGAIN`.

    Args:
        images: how many were tested on, of `persons` people.
        remark: of the data, see `BeforeAfter`.
    """

    cells: tuple[Cell, ...]
    images: int
    persons: int
    remark: str = ""

    def cell(self, trained: str, tested: str) -> Cell:
        """One of them; KeyError if there is none."""
        for cell in self.cells:
            if (cell.trained, cell.tested) == (trained, tested):
                return cell
        raise KeyError((trained, tested))

    def to_json(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "persons": self.persons,
            "remark": self.remark,
            "cells": [cell.to_json() for cell in self.cells],
        }


def folds_of(data: BeforeAfter, classes: Ints, folds: int, seeds: Seeds) -> Ints:
    """(T,) fold of each image that is tested on: no person in two, and the classes as even as that allows.

    Raises:
        UsageError: fewer than `folds` people of a class.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    group = data.group[data.scored]
    if folds < 2 or min(len(set(group[classes == c])) for c in np.unique(classes)) < folds:
        raise UsageError(
            f"utility: {folds} folds need that many people of each label among those tested on, and 2 at least"
        )
    seed = int(seeds.stream("measure/utility/folds").integers(2**31))
    dealt = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.empty(len(group), dtype=np.int64)
    for number, (_, test) in enumerate(dealt.split(group, classes, group)):
        fold[test] = number
    return fold


def predictions(
    data: BeforeAfter,
    target: npt.NDArray[Any],
    fold: Ints,
    learn: Learn,
    seeds: Seeds,
    *,
    control: bool,
    told: Told | None = None,
) -> dict[Pair, npt.NDArray[Any]]:
    """(T, ...) what was predicted for each image tested on, in each cell, by a learner that never saw its person.

    Args:
        target: (N, ...) what is to be learned.
        learn: images, targets and a seed to a function of images.
        control: whether to learn from the originals a second time.
        told: is called with the fold and the condition before each training.
    """
    out: dict[Pair, npt.NDArray[Any]] = {}
    scored, images = data.scored, dict(data.conditions())
    for number in range(int(fold.max()) + 1):
        here = np.flatnonzero(fold == number)
        test = scored[here]
        train = np.flatnonzero(~np.isin(data.group, data.group[test]))
        first, second = (
            int(s) for s in seeds.stream("measure/utility/learn", number).integers(2**31, size=2)
        )
        for trained in (*images, *((AGAIN,) if control else ())):
            if told:
                told(number, trained)
            source = images[ORIGINAL if trained == AGAIN else trained]
            predict = learn(source[train], target[train], second if trained == AGAIN else first)
            for tested in (ORIGINAL,) if trained == AGAIN else tuple(images):
                found = predict(images[tested][test])
                whole = out.setdefault(
                    (trained, tested), np.empty((len(scored), *found.shape[1:]), found.dtype)
                )
                whole[here] = found
    return out


def compare(data: BeforeAfter, measured: Mapping[Pair, Measured], metrics: tuple[Metric, ...]) -> Crossed:
    """The cells as estimates, each beside its change from (original, original)."""
    base, people = measured[ORIGINAL, ORIGINAL], data.persons

    def estimates(values: Floats, samples: Floats, *, change: bool) -> dict[str, Estimate]:
        out = {}
        for k, m in enumerate(metrics):
            value = float(values[k]) if np.isfinite(values[k]) else None
            note = f"this cell minus original/original, the same people drawn: {m.note}" if change else m.note
            e = Estimate(
                m.name, value, unit=m.unit, better=m.better, chance=None if change else m.chance, note=note
            )
            out[m.name] = with_people(e, samples[:, k], people)
        return out

    cells = tuple(
        Cell(
            trained,
            tested,
            estimates(m.values, m.samples, change=False),
            estimates(m.values - base.values, m.samples - base.samples, change=True),
        )
        for (trained, tested), m in measured.items()
    )
    return Crossed(cells, len(data.scored), people, data.remark)
