"""Made-up sparse levels: components of very uneven frequency, values of their own distribution each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.share.base import SparseLevel, Statistics


@dataclass(frozen=True)
class Made:
    levels: list[SparseLevel]
    statistics: Statistics


def made(
    sites: int,
    k: int,
    atoms: int = 64,
    *,
    steps: int = 7,
    levels: int = 1,
    counted: int = 2000,
    seed: int = 1,
) -> Made:
    """Levels and the statistics of other levels drawn alike."""
    random = np.random.default_rng(seed)
    chosen = np.zeros((levels, atoms), np.int64)
    values = np.zeros((levels, atoms, 2 * steps), np.int64)
    drawn = []
    for index in range(levels):
        taste, scale = random.normal(0, 2, atoms), np.exp(random.normal(0.5, 0.5, atoms))
        lean = random.normal(0, 1, atoms)
        known = _level(random, counted, k, taste, scale, lean, steps)
        chosen[index] = np.bincount(known.support.ravel(), minlength=atoms)
        kinds = known.values.astype(int) + steps - (known.values > 0)
        np.add.at(values[index], (known.support, kinds), 1)
        drawn.append(_level(random, sites, k, taste, scale, lean, steps))
    return Made(drawn, Statistics(chosen, values, counted))


def same(one: SparseLevel, other: SparseLevel) -> bool:
    return (
        one.atoms == other.atoms
        and (one.support.dtype, one.values.dtype) == (other.support.dtype, other.values.dtype)
        and np.array_equal(one.support, other.support)
        and np.array_equal(one.values, other.values)
    )


def _level(
    random: np.random.Generator,
    sites: int,
    k: int,
    taste: np.ndarray,
    scale: np.ndarray,
    lean: np.ndarray,
    steps: int,
) -> SparseLevel:
    liking = taste + random.gumbel(size=(sites, len(taste)))
    support = np.sort(np.argsort(-liking, axis=1)[:, :k], axis=1).astype(np.uint16)
    values = np.rint(random.laplace(size=support.shape) * scale[support] + lean[support])
    values = np.clip(np.where(values == 0, 1, values), -steps, steps).astype(np.int16)
    return SparseLevel(support, values, len(taste))
