"""Similarity: how alike brains are, for all pairs of two sides at once.

    correlation   the shades themselves, without what is smooth: folds and fluid spaces
    local         the same within each small cube, all cubes with one say: no bright region outvotes the others
    gradient      which way the edges run, and how steep: blind to shade
    information   how well the shades of one tell those of the other, whatever belongs to what
    fused         each of these in units of its own spread, and their mean

The first three are one product of matrices each, the fourth is one of one-hot shades: ten thousand pairs take
seconds. Before anything is compared the mean brain of the OTHER people of the same side and contrast is
taken away: what all brains share would else be most of every score.

Normalised mutual information: Studholme et al., Pattern Recognition 32 (1999). Symmetric normalisation of scores by
both sides: S-norm, Shum et al., Odyssey 2010. Local correlation after Avants et al., MedIA 12 (2008), in cubes
that do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from medveil.attack.link.lattice import Array, Lattice

Similarity = Literal["fused", "correlation", "local", "gradient", "information"]
SINGLE: tuple[Similarity, ...] = ("correlation", "local", "gradient", "information")

# Standard deviations in mm; 0 is no smoothing. Coarser than the second lies what a coil or a leftover of the
# alignment makes.
BAND_MM = (0.0, 6.0)
LOCAL_BAND_MM, CUBE_MM = (1.8, 12.0), 15.0
EDGE_MM, EDGE_FLOOR = 2.1, 0.5  # the floor: of the mean slope; less steep ones count less
SHADE_BAND_MM, SHADES, EVERY = (1.8, 18.0), 12, 2  # every second voxel is enough to count shades
PROBES_AT_ONCE = 64
FEWEST_TO_NORMALISE = 3


@dataclass(frozen=True, eq=False, repr=False)
class Brains:
    """One side.

    Args:
        values: (N, V) harmonised shades, NaN out of view.
        subject: (N,) labels of that side. kind: (N,) contrasts.
    """

    values: Array
    subject: Array
    kind: Array

    def __repr__(self) -> str:
        return f"Brains({len(self.values)} images)"


def similarity(probes: Brains, gallery: Brains, grid: Lattice, how: Similarity) -> Array:
    """(N, M) how alike each probe is to each image of the gallery; higher is more alike, all finite."""
    if how == "fused":
        ways = [normalised(similarity(probes, gallery, grid, way)) for way in SINGLE]
        return np.asarray(np.mean(ways, axis=0))
    if how == "information":
        return _information(_shades(probes, grid), _shades(gallery, grid))
    a, b = _compared(probes, grid, how), _compared(gallery, grid, how)
    return np.asarray(_centred(a, probes, b, gallery), dtype=np.float64)


def normalised(score: Array) -> Array:
    """(N, M) scores in units of their spread: the mean of what each row and what each column says.

    A side with fewer than three entries has no spread to speak of: then the other side says it alone, or all
    scores together. Where nothing varies, 0.
    """
    n, m = score.shape
    axes: list[int | None] = [axis for axis, count in ((1, m), (0, n)) if count >= FEWEST_TO_NORMALISE]
    return np.asarray(np.mean([_z(score, axis) for axis in axes or [None]], axis=0))


def _z(score: Array, axis: int | None) -> Array:
    middle, spread = score.mean(axis=axis, keepdims=True), score.std(axis=axis, keepdims=True)
    return np.asarray(np.divide(score - middle, spread, out=np.zeros_like(score), where=spread > 1e-9))


def _compared(side: Brains, grid: Lattice, how: Similarity) -> Array:
    """(N, D) float32: what is compared of each brain."""
    by_name: dict[str, Callable[[Array], Array]] = {
        "correlation": partial(_band, grid=grid, band_mm=BAND_MM),
        "local": partial(_even_cubes, grid=grid, cubes=_cubes(grid)),
        "gradient": partial(_edges, grid=grid),
    }
    return np.stack([by_name[how](v) for v in side.values])


def _band(values: Array, grid: Lattice, band_mm: tuple[float, float]) -> Array:
    return grid.band(values, band_mm[0] / grid.mm, band_mm[1] / grid.mm)


def _cubes(grid: Lattice) -> Array:
    """(V,) which cube a voxel is in, 0..C-1."""
    at = np.argwhere(grid.brain) // max(1, round(CUBE_MM / grid.mm))
    return np.asarray(np.unique(at, axis=0, return_inverse=True)[1].ravel())


def _even_cubes(values: Array, grid: Lattice, cubes: Array) -> Array:
    """Zero mean and unit spread in each cube; a cube that shows nothing stays nearly dark."""
    banded = _band(values, grid, LOCAL_BAND_MM)
    count = np.bincount(cubes)
    banded = banded - (np.bincount(cubes, banded) / count)[cubes]
    spread = np.sqrt(np.bincount(cubes, banded**2) / count)
    floor = 0.2 * float(np.sqrt(np.mean(spread**2))) + 1e-12
    return np.asarray(banded / np.maximum(spread, floor)[cubes], dtype=np.float32)


def _edges(values: Array, grid: Lattice) -> Array:
    """(3 V,) slopes, each over its own length or a floor."""
    seen = np.isfinite(values)
    slopes = grid.gradient(np.where(seen, grid.smooth(values, EDGE_MM / grid.mm), 0)) * seen
    length = np.sqrt((slopes**2).sum(axis=0))
    floor = EDGE_FLOOR * float(length.mean()) + 1e-12
    return np.asarray((slopes / np.sqrt(length**2 + floor**2)).ravel(), dtype=np.float32)


def _centred(a: Array, probes: Brains, b: Array, gallery: Brains) -> Array:
    """(N, M) cosines after the mean of the others was taken from each; 0 where nothing is left of a row."""
    a, b = a - _others(a, probes, b, gallery), b - _others(b, gallery, a, probes)
    return np.asarray(_directions(a) @ _directions(b).T)


def _others(own: Array, side: Brains, other: Array, other_side: Brains) -> Array:
    """(N, D): for each row the mean over the other people of its side and contrast.

    Where it is the only one, that of the other side's people of this contrast (of two or more, or half of the
    mate would go as well); else nothing.
    """
    out = np.zeros_like(own)
    for kind in np.unique(side.kind):
        rows = np.flatnonzero(side.kind == kind)
        people, index = np.unique(side.subject[rows], return_inverse=True)
        if len(people) > 1:
            means = _per_person(own[rows], index, len(people))
            out[rows] = ((means.sum(axis=0) - means) / (len(people) - 1))[index]
            continue
        there = np.flatnonzero(other_side.kind == kind)
        people, index = np.unique(other_side.subject[there], return_inverse=True)
        if len(people) > 1:
            out[rows] = _per_person(other[there], index, len(people)).mean(axis=0)
    return out


def _per_person(rows: Array, index: Array, people: int) -> Array:
    """(P, D): each person's mean, so that nobody counts twice who was scanned twice."""
    total = np.zeros((people, rows.shape[1]), dtype=np.float32)
    np.add.at(total, index, rows)
    return np.asarray(total / np.bincount(index, minlength=people)[:, None].astype(np.float32))


def _directions(x: Array) -> Array:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(np.divide(x, length, out=np.zeros_like(x), where=length > 1e-9))


def _shades(side: Brains, grid: Lattice) -> Array:
    """(N, V') int8: which of twelve shades, equally many voxels each, every second voxel has; -1 not in view."""
    out = []
    for values in side.values:
        banded = _band(values, grid, SHADE_BAND_MM)
        seen = np.isfinite(values)
        ends = (
            np.quantile(banded[seen], np.arange(1, SHADES) / SHADES) if seen.any() else np.zeros(SHADES - 1)
        )
        out.append(np.where(seen, np.searchsorted(ends, banded), -1)[::EVERY])
    return np.stack(out).astype(np.int8)


def _information(a: Array, b: Array) -> Array:
    """(N, M) normalised mutual information, 1 (nothing) to 2 (everything)."""
    right = _one_hot(b)
    parts: Sequence[Array] = [
        _nmi(_one_hot(a[i : i + PROBES_AT_ONCE]), right) for i in range(0, len(a), PROBES_AT_ONCE)
    ]
    return np.concatenate(parts)


def _one_hot(shades: Array) -> Array:
    """(N * SHADES, V') float32."""
    hot = shades[:, None, :] == np.arange(SHADES, dtype=np.int8)[None, :, None]
    return np.asarray(hot.reshape(-1, shades.shape[1]), dtype=np.float32)


def _nmi(a: Array, b: Array) -> Array:
    counts = (a @ b.T).astype(np.float64).reshape(len(a) // SHADES, SHADES, -1, SHADES)
    joint = counts.transpose(0, 2, 1, 3)  # (N, M, SHADES, SHADES)
    joint = joint / np.maximum(joint.sum(axis=(2, 3), keepdims=True), 1.0)
    both = _entropy(joint.reshape(*joint.shape[:2], -1))
    one, two = _entropy(joint.sum(axis=3)), _entropy(joint.sum(axis=2))
    return np.asarray(np.divide(one + two, both, out=np.ones_like(both), where=both > 1e-9))


def _entropy(p: Array) -> Array:
    return np.asarray(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1))
