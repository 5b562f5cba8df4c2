"""Observe: the two looks of a face recogniser, at a scan and at a photograph.

    scan ──surface──> head ──views──> pictures ──find the face──eye──> Observation
    photograph ──────────────────────────────────find the face──eye──> Observation

An `Eye` turns a face that was found into numbers; with another eye it is another look. On the scan's side the
landmarks are also laid onto the skin, because there, unlike in a photograph, the third dimension is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.depth import on_skin
from medveil.attack.reidentify.eyes import DLIB, Eye
from medveil.attack.reidentify.recogniser import Box, recogniser
from medveil.attack.reidentify.render import VIEWS, camera_of, checked_views, pictures
from medveil.attack.reidentify.surface import find_head
from medveil.core.image import Image

Array = npt.NDArray[Any]
Observations = dict[tuple[str, str], "Observation"]

PHOTO_PX = (320, 800)  # HOG needs faces of some 80 px; beyond 800 px it only takes longer


@dataclass(frozen=True, eq=False, repr=False)
class Observation:
    """What the recogniser saw of one image, in V views (a photograph has one).

    Args:
        embedding: (V, D) float32; D is the eye's, 128 for dlib.
        landmarks: (V, 68, 2) float32, column and row in sides of the face box.
        detected: (V,) whether a face was detected; evidence of nothing by itself.
        empty: the volume showed no object at all, so black pictures were looked at.
        pictures: (V, size, size, 3) uint8 if the look keeps renders, else None. They are faces.
        points_mm: (V, 68, 3) float64, the landmarks on the skin of a scan, RAS+; None for a photograph.
        on_skin: (V, 68) whether the ray through each landmark met the skin; None for a photograph.
    """

    embedding: Array
    landmarks: Array
    detected: Array
    empty: bool = False
    pictures: Array | None = None
    points_mm: Array | None = None
    on_skin: Array | None = None

    def __repr__(self) -> str:
        return f"Observation({len(self.embedding)} views, {int(self.detected.sum())} detected)"


@dataclass(frozen=True)
class Renders:
    """Photograph the head in a volume from several sides and look at the pictures.

    Args:
        views: how many of the ten views.
        size_px: side of the pictures.
        keep: keep the pictures. They show faces: only on request, never in a release.
        eye: what turns a found face into numbers.
    """

    views: int = 3
    size_px: int = 400
    keep: bool = False
    eye: Eye = DLIB

    def __post_init__(self) -> None:
        checked_views(self.views)

    def __call__(self, image: Image) -> Observation:
        head = find_head(image)
        shots = pictures(head, self.views, self.size_px)
        seen = [_look(self.eye, picture, known) for picture, known in shots]
        cameras = [camera_of(head, view, self.size_px) for view in VIEWS[: self.views]]
        laid = on_skin(head, cameras, [placed for _, placed, _, _ in seen])
        return Observation(
            embedding=np.stack([row for row, _, _, _ in seen]),
            landmarks=np.stack([points for _, _, points, _ in seen]),
            detected=np.array([detected for _, _, _, detected in seen]),
            empty=head.is_empty,
            pictures=np.stack([picture for picture, _ in shots]) if self.keep else None,
            points_mm=laid[0],
            on_skin=laid[1],
        )


@dataclass(frozen=True)
class Photograph:
    """Look at one photograph (H, W[, 3]); if no face is detected, at the middle of it.

    Args:
        eye: what turns a found face into numbers.
    """

    eye: Eye = DLIB

    def __call__(self, image: Image) -> Observation:
        picture = as_picture(image)
        height, width = picture.shape[:2]
        side = 0.65 * min(height, width)
        box = Box((width - side) / 2, (height - side) / 2, side)
        row, _, points, detected = _look(self.eye, picture, box, anywhere=True)
        return Observation(row[None], points[None], np.array([detected]))


def _look(
    eye: Eye, picture: Array, known: Box, *, anywhere: bool = False
) -> tuple[Array, Array, Array, bool]:
    """Embedding, landmarks in px, landmarks in sides of the box, and whether a face was detected."""
    found = eye.landmarks(picture, recogniser().find(picture, known, anywhere=anywhere))
    return eye(picture, found), found.landmarks_px, found.landmarks, found.detected


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
