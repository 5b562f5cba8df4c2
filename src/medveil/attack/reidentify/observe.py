"""Observe: the two looks of a face recogniser, at a scan and at a photograph.

scan ──surface──> head ──views──> pictures ──recogniser──> Observation
photograph ──────────────────────────────────recogniser──> Observation
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.recogniser import Box, Face, recogniser
from medveil.attack.reidentify.render import checked_views, pictures
from medveil.attack.reidentify.surface import find_head
from medveil.core.image import Image

Array = npt.NDArray[Any]
Observations = dict[tuple[str, str], "Observation"]

PHOTO_PX = (320, 800)  # HOG needs faces of some 80 px; beyond 800 px it only takes longer


@dataclass(frozen=True, eq=False, repr=False)
class Observation:
    """What the recogniser saw of one image, in V views (a photograph has one).

    Args:
        embedding: (V, 128) float32.
        landmarks: (V, 68, 2) float32, column and row in sides of the face box.
        detected: (V,) whether a face was detected; evidence of nothing by itself.
        empty: the volume showed no object at all, so black pictures were looked at.
        pictures: (V, size, size, 3) uint8 if the look keeps renders, else None. They are faces.
    """

    embedding: Array
    landmarks: Array
    detected: Array
    empty: bool = False
    pictures: Array | None = None

    def __repr__(self) -> str:
        return f"Observation({len(self.embedding)} views, {int(self.detected.sum())} detected)"


@dataclass(frozen=True)
class Renders:
    """Photograph the head in a volume from several sides and look at the pictures.

    Args:
        views: how many of the ten views.
        size_px: side of the pictures.
        keep: keep the pictures. They show faces: only on request, never in a release.
    """

    views: int = 3
    size_px: int = 400
    keep: bool = False

    def __post_init__(self) -> None:
        checked_views(self.views)

    def __call__(self, image: Image) -> Observation:
        head = find_head(image)
        shots = pictures(head, self.views, self.size_px)
        faces = [recogniser().look(picture, known) for picture, known in shots]
        kept = np.stack([picture for picture, _ in shots]) if self.keep else None
        return _observation(faces, empty=head.is_empty, kept=kept)


@dataclass(frozen=True)
class Photograph:
    """Look at one photograph (H, W[, 3]); if no face is detected, at the middle of it."""

    def __call__(self, image: Image) -> Observation:
        picture = as_picture(image)
        height, width = picture.shape[:2]
        side = 0.65 * min(height, width)
        box = Box((width - side) / 2, (height - side) / 2, side)
        return _observation([recogniser().look(picture, box, anywhere=True)])


def as_picture(image: Image) -> Array:
    """(H, W, 3) uint8 in 0..255, its longer side within `PHOTO_PX`."""
    from PIL import Image as Pillow

    values = image.values()
    if image.data.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255.0 / max(high - low, 1e-6))
    values = np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values
    values = values[..., :3] if values.shape[2] >= 3 else np.repeat(values[..., :1], 3, axis=2)
    picture = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    longest = max(picture.shape[:2])
    wanted = min(max(longest, PHOTO_PX[0]), PHOTO_PX[1])
    if wanted == longest:
        return picture
    size = tuple(max(round(n * wanted / longest), 1) for n in picture.shape[1::-1])
    return np.asarray(Pillow.fromarray(picture).resize(size, Pillow.Resampling.BICUBIC))


def _observation(faces: Sequence[Face], *, empty: bool = False, kept: Array | None = None) -> Observation:
    return Observation(
        embedding=np.stack([f.embedding for f in faces]),
        landmarks=np.stack([f.landmarks for f in faces]),
        detected=np.array([f.detected for f in faces]),
        empty=empty,
        pictures=kept,
    )
