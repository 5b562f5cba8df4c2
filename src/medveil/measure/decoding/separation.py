"""Separation: how well scores tell true components from decoys, whatever the site."""

from __future__ import annotations

import numpy as np

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.decoding.joined import Flags, Floats, Joined
from medveil.measure.decoding.people import over_people

_WHAT = "chance that a true component of a film scores higher than a decoy of the same level, ties by half"


def area(scores: Floats, true: Flags) -> float | None:
    """AUC of true against decoy, Mann-Whitney; None where there is nothing of one kind.

    >>> area(np.array([[1.0, 2.0, 2.0]]), np.array([[False, True, False]]))
    0.75
    """
    flat, kind = scores.ravel(), true.ravel()
    n, m = int(kind.sum()), int((~kind).sum())
    if not n or not m:
        return None
    decoy = np.sort(flat[~kind])
    below = np.searchsorted(decoy, flat[kind], side="left")
    upto = np.searchsorted(decoy, flat[kind], side="right")
    return float((below + upto).sum() / (2 * n * m))


def separation(joined: Joined, seeds: Seeds) -> dict[str, Estimate]:
    """`auc_level_1` and so on, and `auc`, their mean in each film."""
    areas = [[area(*each) for each in joined.level(index)] for index in range(joined.levels)]
    pooled = [
        None if None in film else float(np.mean([a for a in film if a is not None]))
        for film in zip(*areas, strict=True)
    ]
    out = {
        "auc": over_people(
            "auc", pooled, joined.groups, seeds, chance=0.5, note=f"{_WHAT}; mean over {joined.levels} levels"
        )
    }
    for index, each in enumerate(areas, start=1):
        name = f"auc_level_{index}"
        out[name] = over_people(name, each, joined.groups, seeds, chance=0.5, note=_WHAT)
    return out
