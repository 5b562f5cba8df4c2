"""Static pixels: what stands still while the body changes is not part of the body.

    slice 1  ░▒▓ DOE ▓▒        the range over slices, pixel by pixel, is 0 in the letters and
    slice 2  ▒▓░ DOE ░▓   ──>  nowhere else: noise and anatomy move, ink does not
    slice 3  ▓░▒ DOE ▒░

The strongest evidence there is, for it asks nothing about how letters look: grey text on tissue of the same
grey is found as well as white on black. Grey edges of letters move with the tissue under them, only less: a
pixel counts as ink also where its range lies so far below that of its surroundings that noise would bring it
there once in ten thousand (distribution of the studentised range), which is what small letters are found by. It needs slices or frames of one series, and stored values that no
lossy code has touched. What fills the air (0, or a padding value) stands still too, and is told from ink by
its value: the commonest static one is ground. Ink of the ground's own value, black letters on tissue, is kept
where it stands in small pieces.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.protect.text.boxes import Box, as_frames, joined
from medveil.protect.text.runs import MAX_HEIGHT_PX, text_runs

FEWEST_FRAMES = 4
_MOST_FRAMES = 16
_GROUND_SHARE = 0.02  # of the pixels: a static value as common as this is ground, not ink
_CHANCE = 1e-4  # that noise alone leaves a pixel so still
_AROUND_PX = 15  # side of the surroundings whose range is compared
_NEAR_PX = (3, 7)  # rows and columns that ink reaches, when specks are joined to a patch
_FEWEST_INKED, _DENSE_SHARE = 15, 0.12
_STEP_SHARE = 0.04  # of the grey range: ink differs from static ground, and from air, by at least this


def sampled(n: int, most: int) -> npt.NDArray[np.intp]:
    """At most `most` frame numbers, spread evenly from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))


def static_boxes(
    frames: npt.NDArray[Any], *, tolerance: float = 0.0, most_frames: int = _MOST_FRAMES
) -> tuple[Box, ...]:
    """Boxes around ink that is the same on all frames; none if there are fewer than four frames.

    Args:
        frames: (N, H, W) or (N, H, W, C), slices or frames of one series in any order.
        tolerance: largest range of a static pixel, in stored units: 0 for lossless pixels.
        most_frames: how many frames are looked at, spread over the series.
    """
    frames = as_frames(frames)
    if len(frames) < FEWEST_FRAMES:
        return ()
    some = frames[sampled(len(frames), most_frames)]
    if some.ndim == 3:
        some = some[..., None]
    low, high = some.min(axis=0).astype(np.float64), some.max(axis=0).astype(np.float64)
    still = ((high - low) <= tolerance).all(axis=-1)  # not-a-number compares as moving
    if still.all():
        return ()  # one frame repeated: nothing moves, so standing still means nothing
    mean = (0.5 * (low + high)).mean(axis=-1)
    finite = some[np.isfinite(some)]
    if finite.size == 0:
        return ()
    floor, top = np.percentile(finite[:: max(1, finite.size // 100_000)], [1, 99])
    step = _STEP_SHARE * float(top - floor)
    ink, ground = _inks(still, mean, step)
    # Air beside a head is calm too, but it is dark.
    calm = ink | (_calm(low, high, len(some)) & ~still & (low.min(axis=-1) > floor + step))
    boxes = _clusters(calm)
    for mask in (calm, ink, ground):
        boxes += text_runs(mask, np.where(mask, mean, 0.0), evidence="static", letters=3)
    return joined(boxes)


def _calm(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64], n: int) -> npt.NDArray[np.bool_]:
    """Pixels that move much less than what is around them, on whichever side it moves least, (H, W)."""
    from scipy import ndimage
    from scipy.stats import studentized_range

    share = float(np.divide(*studentized_range.ppf([_CHANCE, 0.5], n, np.inf)))
    spread = (high - low).sum(axis=-1)
    spread[~np.isfinite(spread)] = 0.0
    around = ndimage.uniform_filter(spread, _AROUND_PX, mode="nearest")
    half = _AROUND_PX // 2
    aside = ndimage.minimum_filter(around, footprint=_corners(half), mode="nearest")
    return np.asarray((spread <= share * aside) & (aside > 0))


def _corners(half: int) -> npt.NDArray[np.bool_]:
    """Where the four windows are centred that have the pixel in their corner."""
    out = np.zeros((2 * half + 1, 2 * half + 1), dtype=bool)
    out[[0, 0, -1, -1], [0, -1, 0, -1]] = True
    return out


def _clusters(ink: npt.NDArray[np.bool_]) -> list[Box]:
    """Boxes around patches dense with ink: chance alone gives no dozen such pixels side by side.

    Letters so small that they break into specks are found by this, whatever shapes the specks have.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(ndimage.binary_dilation(ink, np.ones(_NEAR_PX)), structure=np.ones((3, 3)))
    labels[~ink] = 0
    found = []
    for number, place in enumerate(ndimage.find_objects(labels), start=1):
        if place is None:
            continue
        inked = int((labels[place] == number).sum())
        height, width = place[0].stop - place[0].start, place[1].stop - place[1].start
        dense = inked >= max(_FEWEST_INKED, _DENSE_SHARE * height * width)
        if dense and 3 <= height <= MAX_HEIGHT_PX and width >= 2 * height:
            box = Box(place[0].start, place[1].start, height, width, "static", float(inked))
            found.append(box.grown(max(2, round(0.3 * height)), (ink.shape[0], ink.shape[1])))
    return found


def _inks(
    still: npt.NDArray[np.bool_], mean: npt.NDArray[np.float64], step: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Static pixels that differ from static ground, and the small pieces of those that do not."""
    from scipy import ndimage

    nothing = np.zeros_like(still)
    values, counts = np.unique(mean[still], return_counts=True)
    ground = values[counts >= _GROUND_SHARE * still.size]
    if ground.size == 0:
        return still, nothing
    distance = np.abs(mean[..., None] - ground).min(axis=-1)
    labels, _ = ndimage.label(still & (distance <= step))
    heights = [s[0].stop - s[0].start for s in ndimage.find_objects(labels)]
    widths = [s[1].stop - s[1].start for s in ndimage.find_objects(labels)]
    large = (np.array(heights) > MAX_HEIGHT_PX) | (np.array(widths) > 8 * MAX_HEIGHT_PX)
    return still & (distance > step), np.concatenate([[False], ~large])[labels]
