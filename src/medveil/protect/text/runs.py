"""Runs: marks of like height and like brightness that stand side by side on one line.

    mask ──components──> marks of glyph size ──neighbours to the right──> rows ──count, baseline──> boxes

        D  O  E  J A N E        bottoms agree, heights within a factor, gaps below one height
        ▔  ▔  ▔  ▔ ▔ ▔ ▔        and full ink has one brightness

Small letters touch; a wide mark with holes counts for as many letters as its width holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.protect.text.boxes import Box, Evidence

Mask = npt.NDArray[np.bool_]

MIN_HEIGHT_PX, MAX_HEIGHT_PX = 4, 64
_WIDEST = 14.0  # heights: a word whose letters all touch
_HEIGHT_RATIO = 2.2  # x-height to ascender with descender
_GAP = 1.0  # heights between marks: letters and the space between words
_BASELINE = 0.22  # heights by which bottoms may differ
_ON_LINE_SHARE = 0.6  # descenders and commas may leave the baseline
_LINE_HEIGHT = 2.2  # heights: more is no single line
_INKED_SHARE = 0.35  # of a line's width that its marks take up
_FULL_SHARE = 0.12  # of a longer run's pixels that are full ink: smooth small letters have no more of it
_LETTER_WIDTH = 0.85  # heights


def text_runs(
    mask: Mask,
    ink: npt.NDArray[np.floating[Any]],
    *,
    evidence: Evidence,
    letters: int = 3,
    ink_tolerance: float = np.inf,
    level_width: float = 0.0,
    level_share: float = 0.0,
) -> list[Box]:
    """Boxes around rows of marks.

    Args:
        mask: (H, W), what may be ink.
        ink: (H, W), brightness; the brightest pixel of a mark is its full ink.
        evidence: name given to the boxes; their score is the number of letters.
        letters: fewest letters of a run.
        ink_tolerance: by how much the full ink of neighbours may differ, in the unit of `ink`.
        level_width, level_share: so large a share of a run's pixels must lie within so narrow a band of brightness:
            ink has one level, and tissue has not. In runs longer than `letters` a smaller share of
            brightest pixels will do: noise thins out towards its maximum, and ink ends there.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    top, left, height, width, full = _marks(mask, ink)
    n = top.size
    if n == 0:
        return []
    first, second = _neighbours(top, left, height, width, full, ink_tolerance)
    graph = coo_matrix((np.ones(first.size, dtype=np.int8), (first, second)), shape=(n, n))
    _, run = connected_components(graph, directed=False)
    order = np.argsort(run, kind="stable")
    found = []
    for members in np.split(order, np.flatnonzero(np.diff(run[order])) + 1):
        for line in _lines(members, top, height):
            h = float(np.median(height[line]))
            count = int(np.maximum(1, np.rint(width[line] / (_LETTER_WIDTH * h))).sum())
            t, el = int(top[line].min()), int(left[line].min())
            b, r = int((top + height)[line].max()), int((left + width)[line].max())
            if count < letters or r - el < 1.4 * h or width[line].sum() < _INKED_SHARE * (r - el):
                continue
            place = slice(t, b), slice(el, r)
            inked = ink[place][mask[place]]
            if level_share > 0 and _level(inked, level_width) < level_share:
                full_ink = np.mean(inked >= inked.max() - level_width)
                if count <= letters or full_ink < _FULL_SHARE:
                    continue
            margin = max(2, round(0.35 * h))  # accents, descenders and grey edges
            found.append(Box(t, el, b - t, r - el, evidence, float(count)).grown(margin, mask.shape))
    return found


def _lines(
    members: npt.NDArray[np.intp], top: npt.NDArray[Any], height: npt.NDArray[Any]
) -> Iterator[npt.NDArray[np.intp]]:
    """The lines of a run: usually one; texture that wanders up and down is cut into lines, at most five."""
    bottom = top + height
    for _ in range(5):
        if members.size == 0:
            return
        h = float(np.median(height[members]))
        if np.ptp(bottom[members]) + h <= _LINE_HEIGHT * h:
            on_line = np.abs(bottom[members] - np.median(bottom[members])) <= max(1.0, _BASELINE * h)
            if on_line.mean() >= _ON_LINE_SHARE:
                yield members
            return
        main = np.abs(bottom[members] - np.sort(bottom[members])[members.size // 2]) <= max(1.0, 0.5 * h)
        yield members[main]
        members = members[~main]


def _level(values: npt.NDArray[np.floating[Any]], width: float) -> float:
    """Share of the values in the fullest band of that width."""
    ordered = np.sort(values)
    within = np.searchsorted(ordered, ordered + width, side="right") - np.arange(ordered.size)
    return float(within.max()) / ordered.size


def _marks(mask: Mask, ink: npt.NDArray[np.floating[Any]]) -> tuple[npt.NDArray[Any], ...]:
    """Top, left, height, width and full ink of the components that have the size and filling of glyphs."""
    from scipy import ndimage

    labels, n = ndimage.label(mask, structure=np.ones((3, 3)))
    if n == 0:
        return tuple(np.empty(0) for _ in range(5))
    rows, columns = np.nonzero(mask)
    which = labels[rows, columns] - 1
    top, left = np.full(n, mask.shape[0]), np.full(n, mask.shape[1])
    bottom, right = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    full = np.full(n, -np.inf)
    np.minimum.at(top, which, rows)
    np.minimum.at(left, which, columns)
    np.maximum.at(bottom, which, rows + 1)
    np.maximum.at(right, which, columns + 1)
    np.maximum.at(full, which, ink[rows, columns])
    height, width = bottom - top, right - left
    filled = np.bincount(which, minlength=n) / (height * width)
    shape = width / height
    ok = (height >= MIN_HEIGHT_PX) & (height <= min(MAX_HEIGHT_PX, mask.shape[0] // 3)) & (shape <= _WIDEST)
    ok &= filled >= 0.12
    ok &= (shape <= 0.5) | (filled <= 0.9)  # only I, l and 1 are bars
    ok &= (shape <= 1.5) | ((filled >= 0.2) & (filled <= 0.8))
    return top[ok], left[ok], height[ok], width[ok], full[ok]


def _neighbours(
    top: npt.NDArray[Any],
    left: npt.NDArray[Any],
    height: npt.NDArray[Any],
    width: npt.NDArray[Any],
    full: npt.NDArray[Any],
    ink_tolerance: float,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Pairs (i, j): j starts where i ends, stands on the same line, is as high and as bright."""
    from scipy.spatial import cKDTree

    bottom, right = top + height, left + width
    tree = cKDTree(np.column_stack([bottom, left]))
    k = min(6, top.size)
    near = tree.query(
        np.column_stack([bottom, right]), k=k, distance_upper_bound=1.2 * float(height.max()) + 1
    )[1]
    near = near.reshape(top.size, k)
    i = np.repeat(np.arange(top.size), k)
    j = near.ravel()
    known = (j < top.size) & (j != i)
    i, j = i[known], j[known]
    larger, smaller = np.maximum(height[i], height[j]), np.minimum(height[i], height[j])
    gap = left[j] - right[i]
    same_line = np.abs(bottom[i] - bottom[j]) <= np.maximum(1.0, 0.35 * larger)
    ok = (larger <= _HEIGHT_RATIO * smaller) & same_line
    ok &= (gap <= np.maximum(2.0, _GAP * larger)) & (gap >= -0.4 * larger)
    ok &= np.abs(full[i] - full[j]) <= ink_tolerance
    return i[ok], j[ok]
