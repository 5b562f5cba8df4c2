"""Glyph runs: letters in a single image, where nothing else stands still to compare with.

    image ──┬─ sharp:  white top-hat at two stroke widths, some heights, bright and dark ──┬─ masks ──runs──> boxes
            └─ flat:   stored values that repeat from pixel to pixel as no tissue's do ───────┘

Ink is brighter (or darker) than what is around it within a stroke's width, and full ink has one brightness:
the letters of a word agree in it, and much of a word has just this brightness, which bits of skull and vessels
have not. Lossless ink goes further: its stored
value repeats exactly in neighbouring pixels, so in an image of thousands of values it stands out of the
histogram of equal neighbours, whatever lies around it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.protect.text.boxes import Box, as_frames, covered, joined
from medveil.protect.text.runs import text_runs
from medveil.protect.text.static import sampled

# Side of the opening (strokes narrower than it stand out), and heights over the surroundings, of the grey range.
# With the wide opening folds of the cortex stand out as well, so there only high contrast counts.
_STROKES_PX: tuple[tuple[int, tuple[float, ...]], ...] = ((5, (0.55, 0.3, 0.15)), (11, (0.55, 0.3)))
_LETTERS = 4  # fewest letters of a run in a single image
_SAME_INK = 0.1  # of the grey range
_LEVEL_WIDTH, _LEVEL_SHARE = 0.01, 0.3  # of the grey range, and of the ink that lies within it
_FLAT_VALUES = 6
_FLAT_MIN_PAIRS = 25
_FLAT_EXCESS = 4.0  # times the pairs of equal neighbours that values nearby have
_FLAT_REPEATS = 0.5  # equal neighbours for each pixel of the value, beside what chance gives it
_COMMON = 0.25  # of the pixels: a value as common is ground


def glyph_boxes(frames: npt.NDArray[Any], *, most_frames: int = 8, recurring: float = 0.0) -> tuple[Box, ...]:
    """Boxes around what looks like a row of letters.

    Args:
        frames: (N, H, W) or (N, H, W, 3).
        most_frames: how many are looked at, spread over the series: layouts repeat from slice to slice.
        recurring: share of the frames looked at in which half of a box's area must be seen; 0 asks for one frame.
            Labels that count slices stay in one place, and what anatomy looks like a word does not.
    """
    frames = as_frames(frames)
    looked_at = [_of_frame(frames[n]) for n in sampled(len(frames), most_frames)]
    kept = [
        box
        for boxes in looked_at
        for box in boxes
        if recurring <= 0
        or sum(covered(box, other) >= 0.5 for other in looked_at) >= recurring * len(looked_at)
    ]
    return joined(kept)


def _of_frame(frame: npt.NDArray[Any]) -> list[Box]:
    if frame.dtype.kind == "f":
        frame = np.nan_to_num(frame, nan=0.0, posinf=0.0, neginf=0.0)
    light = frame.max(axis=-1) if frame.ndim == 3 else frame
    dark = frame.min(axis=-1) if frame.ndim == 3 else frame
    boxes = _sharp(light.astype(np.float32)) + _sharp(-dark.astype(np.float32))
    for plane in (light,) if frame.ndim == 2 else (light, dark):
        boxes += _flat(plane)
    return boxes


def _sharp(image: npt.NDArray[np.float32]) -> list[Box]:
    from scipy import ndimage

    low, high = np.percentile(image, [0.5, 99.5])
    scale = float(high - low) or float(image.max() - image.min())
    if scale <= 0:
        return []
    boxes: list[Box] = []
    for stroke, heights in _STROKES_PX:
        over = image - ndimage.grey_opening(image, size=(stroke, stroke))
        for height in heights:
            boxes += text_runs(
                over > height * scale,
                image,
                evidence="glyphs",
                letters=_LETTERS,
                ink_tolerance=_SAME_INK * scale,
                level_width=_LEVEL_WIDTH * scale,
                level_share=_LEVEL_SHARE,
            )
    return boxes


def _flat(image: npt.NDArray[Any]) -> list[Box]:
    boxes: list[Box] = []
    for value in flat_values(image):
        mask = image == value
        boxes += text_runs(mask, mask.astype(np.float32), evidence="glyphs", letters=_LETTERS)
    return boxes


def flat_values(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Stored values that repeat from a pixel to its neighbour more than those of tissue do; at most six.

    Args:
        image: (H, W), the stored numbers.
    """
    values, counts = np.unique(image, return_counts=True)
    if values.size < 3:
        return np.asarray(values[counts < counts.max()])
    index = np.searchsorted(values, image)
    pairs = np.zeros(values.size)
    for a, b in ((index[:, 1:], index[:, :-1]), (index[1:], index[:-1])):
        pairs += np.bincount(a[a == b], minlength=values.size)
    padded = np.pad(pairs, 4, mode="reflect") if values.size > 4 else np.pad(pairs, 4)
    nearby = np.median(np.lib.stride_tricks.sliding_window_view(padded, 9), axis=-1)
    stands_out = (pairs >= _FLAT_MIN_PAIRS) & (pairs > _FLAT_EXCESS * nearby)
    by_chance = 2.0 * counts / image.size  # two neighbours, each of the value as often as any pixel is
    stands_out &= (pairs >= (_FLAT_REPEATS + by_chance) * counts) & (counts < _COMMON * image.size)
    chosen = np.flatnonzero(stands_out)
    return np.asarray(values[chosen[np.argsort(-pairs[chosen], kind="stable")][:_FLAT_VALUES]])
