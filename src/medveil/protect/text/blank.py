"""Blank: the stored values in a box become the darkest value around it, the same box on all frames.

An overlay or a shutter over the text would leave it in the file (PS3.15 E.3.1), so the stored numbers
themselves change. The filling is taken from outside all boxes, one value for each box, frame and channel:
nothing of what was written remains. Outside the boxes not a bit changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.protect.text.boxes import Box, as_frames

_RING_PX = 6


def blank(frames: npt.NDArray[Any], boxes: Sequence[Box]) -> npt.NDArray[Any]:
    """A copy with every box filled on every frame, bit-identical elsewhere.

    Args:
        frames: (N, H, W) or (N, H, W, 3), stored values; of colours RGB or grey, as a chroma of the smallest
            value is a colour of its own.
        boxes: where; (row, column) in the frame.

    Raises:
        UsageError: a box that is empty or reaches out of the frame.
    """
    out = as_frames(frames).copy()
    outside = np.ones(frames.shape[1:3], dtype=bool)
    for box in boxes:
        if min(box.height, box.width) < 1 or min(box.top, box.left) < 0:
            raise UsageError("blank: a box is empty or starts before the frame")
        if box.bottom > frames.shape[1] or box.right > frames.shape[2]:
            raise UsageError("blank: a box reaches out of the frame")
        outside[box.place] = False
    for box in boxes:
        ring = box.grown(_RING_PX, (frames.shape[1], frames.shape[2])).place
        near = outside[ring]
        source = frames[(slice(None), *ring)][:, near] if near.any() else frames[:, outside]
        if source.shape[1] == 0:  # boxes cover the whole frame
            fill = np.zeros((len(frames), *frames.shape[3:]), dtype=frames.dtype)
        else:
            fill = source.min(axis=1)
        out[(slice(None), *box.place)] = fill[:, None, None]
    return out
