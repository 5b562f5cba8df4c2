"""Slices: the three planes through a head, side by side, as a grey picture.

head ──cut──> which slices, which grey window ──grey──> before
                                              └─grey──> after, at the same place and in the same window
                                              └─share─> how much of each pixel a mask covers
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.image import Image
from medveil.core.release import Mask

Grey = npt.NDArray[np.uint8]
Volume = npt.NDArray[np.float32]

BODY_MM, HEAD_MM = 330.0, 260.0  # a field of view taller than the first shows more than a head
AROUND_MM = 14.0  # air that is drawn around the head: a nose may be too small a part of it to count
LEAST = 0.03  # of the head's largest section: a slice with less of it is noise or air
AXIAL, CORONAL = (
    0.22,
    0.85,
)  # of the brain, from its lower and its hind end: through the eyes, and behind them


Window = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Cut:
    """Three slices, the grey window in which they are drawn, and how tall the picture is.

    Args:
        at: slice along R, A and S, in voxels of the volume with its axes nearest to RAS+ (see `upright`).
        window: the part of that volume that is drawn.
        low, high: real values that are black and white.
        height_px: height of the strip.
    """

    at: tuple[int, int, int]
    window: Window
    low: float
    high: float
    height_px: int = 180

    def grey(self, image: Image) -> Grey:
        """(height_px, W) sagittal, coronal and axial slice of an image on the grid that was cut.

        The left of the person is on the right of the coronal and the axial slice; the nose of the sagittal
        one points left. Of a series, the first volume is drawn.
        """
        strip = self._strip(*upright(image))
        return np.asarray(np.clip((strip - self.low) / max(self.high - self.low, 1e-6), 0, 1) * 255, np.uint8)

    def share(self, mask: Mask, image: Image) -> Volume:
        """(height_px, W) share of each pixel of `grey` that a mask over the image covers, 0 to 1."""
        return self._strip(*upright(Image(mask.view(np.uint8), image.affine)))

    def _strip(self, data: Volume, spacing: tuple[float, float, float]) -> Volume:
        (i, j, k), (across, along, up), (sx, sy, sz) = self.at, self.window, spacing
        planes = (
            (data[i, along, up][::-1, ::-1].T, sz, sy),
            (data[across, j, up][::-1, ::-1].T, sz, sx),
            (data[across, along, k][::-1, ::-1].T, sy, sx),
        )
        return np.concatenate([_resized(p, down, right, self.height_px) for p, down, right in planes], 1)


def cut(like: Image, brain: Mask | None = None, *, height_px: int = 180) -> Cut:
    """Choose the slices to draw: through the middle of the head, or where brain and face are neighbours.

    Args:
        like: the image that chooses the place and the grey window.
        brain: (I, J, K) the brain, with or without a margin; the coronal and the axial slice then go through the
            eyes and the lower front of it, where a defacer can do most harm and leave most of a face.
    """
    data, spacing = upright(like)
    tall = data.shape[2] * spacing[2] > BODY_MM  # the head is the upper end of a body
    first = data.shape[2] - round(HEAD_MM / spacing[2]) if tall else 0
    coarse = data[::2, ::2, first::2]
    low, high = (float(p) for p in np.percentile(coarse, [1.0, 99.5]))
    head = coarse > low + 0.2 * (high - low)
    if not head.any():
        head = np.ones_like(head)
    middle = np.argwhere(head).mean(axis=0)
    if brain is not None and brain.any():
        inside = np.argwhere(upright(Image(brain.view(np.uint8), like.affine))[0][::2, ::2, first::2] > 0)
        (_, hind, lower), (_, front, upper) = np.percentile(inside, [1, 99], axis=0)
        middle[1:] = hind + CORONAL * (front - hind), lower + AXIAL * (upper - lower)
    lowest = np.array([0, 0, first])
    i, j, k = np.minimum(np.round(2 * middle + lowest).astype(int), np.array(data.shape) - 1)
    window = tuple(
        _extent(head, axis, spacing[axis], int(lowest[axis]), data.shape[axis]) for axis in range(3)
    )
    return Cut((int(i), int(j), int(k)), (window[0], window[1], window[2]), low, high, height_px)


def _extent(head: Mask, axis: int, mm: float, first: int, size: int) -> slice:
    """From where to where the head reaches along an axis, with some air around; `head` is every second voxel."""
    section = head.sum(axis=tuple(a for a in range(3) if a != axis))
    there = np.flatnonzero(section > LEAST * section.max())
    air = round(AROUND_MM / mm)
    return slice(max(first, first + 2 * int(there[0]) - air), min(size, first + 2 * int(there[-1]) + 2 + air))


def upright(image: Image) -> tuple[Volume, tuple[float, float, float]]:
    """The first volume with its axes permuted and flipped to the nearest RAS+ order, and their spacing."""
    if image.data.ndim == 4:
        image = image.with_data(image.data[..., 0])
    data = image.values()
    direction = image.affine[:3, :3] / np.asarray(image.spacing_mm)
    left, order = [0, 1, 2], []
    for world in range(3):
        axis = max(left, key=lambda a: abs(direction[world, a]))
        left.remove(axis)
        order.append(axis)
    flips = tuple(slice(None, None, -1 if direction[w, a] < 0 else 1) for w, a in enumerate(order))
    spacing = tuple(image.spacing_mm[a] for a in order)
    return np.transpose(data, order)[flips], (spacing[0], spacing[1], spacing[2])


def _resized(plane: Volume, down_mm: float, across_mm: float, height_px: int) -> Volume:
    from PIL import Image as Pillow

    width = max(1, round(plane.shape[1] * across_mm * height_px / (plane.shape[0] * down_mm)))
    picture = Pillow.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((width, height_px), Pillow.Resampling.BILINEAR), dtype=np.float32)
