"""Can a structure still be outlined? A U-Net learned before or after a change, tested before or after it.

Each person's images are averaged first; intervals are over people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from medveil.core.errors import MissingPackage, UsageError
from medveil.core.seeds import Seeds
from medveil.measure.utility.before_after import BeforeAfter, Flags, mean_of_people
from medveil.measure.utility.crossed import (
    Better,
    Crossed,
    Measured,
    Metric,
    Told,
    compare,
    folds_of,
    predictions,
)
from medveil.measure.utility.overlap import NAMES, overlap

if TYPE_CHECKING:
    from medveil.measure.utility.nets import NetTraining


@dataclass(frozen=True)
class SegmentationSettings:
    """How to learn.

    Args:
        folds: by person.
        rounds: of the bootstrap over people.
        control: learn from the originals a second time, with another seed.
        spacing: distance of neighbouring pixels along each axis, in `unit`; None counts pixels.
        training: of the U-Net; None takes the defaults of `nets.NetTraining`.
    """

    folds: int = 3
    rounds: int = 1000
    control: bool = True
    spacing: Sequence[float] | None = None
    unit: str = "pixel"
    training: NetTraining | None = None


def segmentation(
    data: BeforeAfter,
    masks: Flags,
    *,
    seeds: Seeds,
    settings: SegmentationSettings | None = None,
    told: Told | None = None,
) -> Crossed:
    """The figures of `overlap.NAMES` of every pair of conditions.

    Args:
        data: the images.
        masks: shaped as the images; none empty.
        told: is called with fold and condition before each training.

    Raises:
        UsageError: masks that do not fit or are empty, or too few people.
        MissingPackage: the extra `learn` is not installed.
    """
    s = settings or SegmentationSettings()
    sides = tuple(range(1, masks.ndim))
    if masks.shape != data.before.shape or not masks.any(axis=sides).all() or masks.all(axis=sides).any():
        raise UsageError("utility: expected for each image a mask of its shape, neither empty nor everything")
    try:
        from medveil.measure.utility.nets import NetTraining, trained_segmenter
    except ImportError:
        raise MissingPackage(
            "torch and lightning-fabric", "training networks", "pip install 'medveil[learn]'"
        ) from None
    how = s.training or NetTraining(width=8)
    fold = folds_of(data, np.zeros(len(data.scored), dtype=np.int64), s.folds, seeds)
    found = predictions(
        data,
        masks,
        fold,
        lambda images, target, seed: trained_segmenter(images, target, how, seed),
        seeds,
        control=s.control,
        told=told,
    )
    drawn = np.concatenate([np.ones((1, data.persons)), data.draws(seeds, s.rounds)])
    truth = masks[data.scored]
    measured, empty = {}, 0
    for pair, predicted in found.items():
        rows = np.array(
            [list(overlap(t, p, s.spacing).values()) for t, p in zip(truth, predicted, strict=True)]
        )
        empty = max(empty, int((~predicted.any(axis=sides)).sum()))
        means = mean_of_people(rows, data.person, drawn)
        measured[pair] = Measured(means[0], means[1:])
    note = f"mean over people of their images, {s.folds} folds by person" + (
        f"; up to {empty} empty predictions in a cell, counted as the image's diagonal" if empty else ""
    )
    about: dict[str, tuple[Better, str, str]] = {
        "dice": ("higher", "", "2 TP / (2 TP + FP + FN)"),
        "jaccard": ("higher", "", "TP / (TP + FP + FN)"),
        "fnr": ("lower", "", "FN / (TP + FN)"),
        "fpr": ("lower", "", "FP / (FP + TN), all of the image outside the mask"),
        "surface_mean": ("lower", s.unit, "mean distance of the borders, both ways"),
        "surface_sd": ("lower", s.unit, "standard deviation of these distances in an image"),
        "hausdorff": ("lower", s.unit, "largest of these distances in an image"),
    }
    metrics = tuple(
        Metric(name, about[name][0], f"{about[name][2]}; {note}", about[name][1]) for name in NAMES
    )
    return compare(data, measured, metrics)
