"""Boxes: where text was seen, by which evidence, and the verdict on a file.

    static ─┐
    glyphs ─┼─> boxes ──joined──> verdict   text | none seen | unknown
    string ─┤
    ocr    ─┘

A box never carries what is written in it. `none seen` is said only for text as large as was measured to be
found by the tests that could run; where they could not, or the header announces text, it is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused

Evidence = Literal["static", "glyphs", "string", "ocr"]
Verdict = Literal["text", "none seen", "unknown"]

_SLACK = 1.25  # how much larger than its parts a hull may be


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle of pixels with text in it.

    Args:
        top, left: first row and column; height, width: in pixels, at least 1.
        evidence: which test saw it.
        score: of that test, larger is surer; not comparable between tests.
    """

    top: int
    left: int
    height: int
    width: int
    evidence: Evidence = "glyphs"
    score: float = 0.0

    @property
    def bottom(self) -> int:
        """Row after the last one."""
        return self.top + self.height

    @property
    def right(self) -> int:
        """Column after the last one."""
        return self.left + self.width

    @property
    def place(self) -> tuple[slice, slice]:
        """Index of the box in an (H, W) array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, by: int, shape: tuple[int, int]) -> Box:
        """The box with a margin of `by` pixels, cut at the frame (H, W)."""
        top, left = max(self.top - by, 0), max(self.left - by, 0)
        bottom, right = min(self.bottom + by, shape[0]), min(self.right + by, shape[1])
        return Box(top, left, bottom - top, right - left, self.evidence, self.score)


@dataclass(frozen=True)
class Seen:
    """What the tests say of one file or series.

    Args:
        verdict: `text`, `none seen` or `unknown`.
        boxes: where; empty unless the verdict is `text`.
        reasons: short stable phrases: the flags of the header, the tests that could not run.
        smallest_px: font size from which on `none seen` was measured to mean something; None if nothing was.
    """

    verdict: Verdict
    boxes: tuple[Box, ...] = ()
    reasons: tuple[str, ...] = ()
    smallest_px: int | None = None


def as_frames(frames: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The frames as (N, H, W) or (N, H, W, 3); refuses anything else.

    Raises:
        InputRefused: another number of axes, an empty array, complex numbers, a fourth axis that is no colour.
    """
    if frames.ndim not in (3, 4) or 0 in frames.shape or (frames.ndim == 4 and frames.shape[3] != 3):
        raise InputRefused(
            f"burned-in text: frames have shape {frames.shape}, expected (N, H, W) or (N, H, W, 3)",
            hint="a single slice is frames[None]",
        )
    if frames.dtype.kind not in "biuf":
        raise InputRefused(f"burned-in text: pixels of type {frames.dtype}, expected numbers")
    return frames


def covered(box: Box, boxes: Iterable[Box]) -> float:
    """Share of a box's area that lies in the union of others, 0 to 1."""
    seen = np.zeros((box.height, box.width), dtype=bool)
    for other in boxes:
        top, left = max(other.top - box.top, 0), max(other.left - box.left, 0)
        bottom, right = max(other.bottom - box.top, 0), max(other.right - box.left, 0)
        seen[top:bottom, left:right] = True
    return float(seen.mean())


def joined(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Boxes of one kind of evidence that nearly coincide, or continue each other on a line, become one.

    Two become their hull only if it holds little more than they do (`_SLACK`), so a scatter of boxes never grows
    into one over the whole picture. Sorted: the order of the input is forgotten.
    """
    todo, out = sorted(set(boxes)), []
    while todo:
        one, rest = todo[0], []
        for other in todo[1:]:
            hull = _hull(one, other)
            if other.evidence == one.evidence and hull.height * hull.width <= _SLACK * _union(one, other):
                one = hull
            else:
                rest.append(other)
        if len(rest) == len(todo) - 1:
            out.append(one)
            todo = rest
        else:
            todo = sorted([one, *rest])
    return tuple(sorted(out))


def _hull(a: Box, b: Box) -> Box:
    top, left = min(a.top, b.top), min(a.left, b.left)
    height, width = max(a.bottom, b.bottom) - top, max(a.right, b.right) - left
    return Box(top, left, height, width, a.evidence, max(a.score, b.score))


def _union(a: Box, b: Box) -> int:
    high = max(min(a.bottom, b.bottom) - max(a.top, b.top), 0)
    wide = max(min(a.right, b.right) - max(a.left, b.left), 0)
    return a.height * a.width + b.height * b.width - high * wide
