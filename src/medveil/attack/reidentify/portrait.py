"""Portrait: any face as one small upright picture, so that a render and a photograph differ by the face alone.

    picture, 68 landmarks ──eyes and mouth onto fixed places──> chip ──[inner face only]──[grey, equalised]──> chip

Two wishes can be fulfilled on the way, on renders and photographs alike:

- bald: whatever lies outside the brows, the cheeks and the chin becomes mean grey. A render has no hair, a
  photograph has; Boutet et al. (2023) take the hair off the photograph with a network (HairMapper), which invents
  the skin below. A mask needs no weights and invents nothing, but takes forehead and ears from both sides.
- harmonised: grey, and contrast equalised locally (CLAHE), since clay knows neither colour nor make-up.

Frame: column and row in pixels, the middle of the first pixel at (0, 0), as dlib counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FaceShown = Literal["raw", "bald"]

CHIP_PX = 150

# Where the eyes, and the corners of the mouth, come to lie in a chip, in its sides: the mean of 40 photographs of
# simulated people in the chips that dlib's network was trained on (they are aligned by the corners of the eyes and the nose).
EYES_AND_MOUTH = np.array([[0.330, 0.308], [0.670, 0.308], [0.372, 0.713], [0.628, 0.713]])

# Five points as InsightFace's ArcFace models expect them, px of a 112 px chip: eyes, nose tip, corners of the mouth.
FIVE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@dataclass(frozen=True, eq=False, repr=False)
class Chip:
    """One aligned face.

    Args:
        pixels: (S, S, 3) uint8.
        landmarks: (68, 2), column and row in the chip.
        turn, shift: (2, 2) and (2,): chip = turn @ picture + shift, for points.
    """

    pixels: Array
    landmarks: Array
    turn: Array
    shift: Array

    def __repr__(self) -> str:
        return f"Chip({len(self.pixels)} px)"


def portrait(
    picture: Array,
    landmarks: Array,
    *,
    face: FaceShown = "raw",
    harmonise: bool = False,
    size_px: int = CHIP_PX,
) -> Chip:
    """The face in an (H, W, 3) uint8 picture, upright and in one size.

    Args:
        landmarks: (68, 2) px in the picture, order of iBUG 300-W.
        face: raw, or bald: only what lies between brows and chin.
        harmonise: grey, with local contrast equalised.
    """
    points = np.concatenate([eye_centres(landmarks), landmarks[[48, 54]]])
    chip = aligned(picture, landmarks, points, EYES_AND_MOUTH * size_px, size_px)
    return shown(chip, face=face, harmonise=harmonise)


def shown(chip: Chip, *, face: FaceShown, harmonise: bool) -> Chip:
    """The chip as it is to be seen: see `portrait`."""
    pixels, size_px = chip.pixels, len(chip.pixels)
    mask = inner_face(chip.landmarks, size_px) if face == "bald" else np.ones((size_px, size_px), dtype=bool)
    if harmonise:
        pixels = harmonised(pixels, mask)
    if face == "bald":
        pixels = pixels.copy()
        pixels[~mask] = np.rint(pixels[mask].mean() if mask.any() else 127.0).astype(np.uint8)
    return replace(chip, pixels=pixels)


def five_points(landmarks: Array) -> Array:
    """(5, 2): centres of the eyes, tip of the nose, corners of the mouth, from 68 landmarks."""
    return np.concatenate([eye_centres(landmarks), landmarks[[30, 48, 54]]])


def eye_centres(landmarks: Array) -> Array:
    """(2, 2): the eye on the left of the picture, and the one on its right."""
    return np.stack([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])


def aligned(picture: Array, landmarks: Array, points: Array, template: Array, size_px: int) -> Chip:
    """The picture turned, scaled and moved (no shear, no mirror) so that `points` fall near `template`.

    Points that all lie in one place leave the picture as it is, cut to size: a chip is always made.
    """
    from PIL import Image as Pillow

    turn, shift = similarity(points, template)
    source = Pillow.fromarray(np.ascontiguousarray(picture))
    scale = float(np.sqrt(np.linalg.det(turn)))
    shrink = max(int(0.75 / scale), 1)  # a warp reads single pixels: a large face is averaged down before
    if shrink > 1:
        source = source.reduce(shrink)
    back = np.linalg.inv(turn)
    # Pillow maps the corner of an output pixel to the input, and its pixels have their middles at 0.5.
    offset = (0.5 - back @ (shift + 0.5)) / shrink
    back = back / shrink
    coefficients = (back[0, 0], back[0, 1], offset[0], back[1, 0], back[1, 1], offset[1])
    out = source.transform(
        (size_px, size_px), Pillow.Transform.AFFINE, coefficients, resample=Pillow.Resampling.BILINEAR
    )
    return Chip(np.asarray(out, dtype=np.uint8), landmarks @ turn.T + shift, turn, shift)


def similarity(points: Array, template: Array) -> tuple[Array, Array]:
    """Rotation times scale (2, 2) and shift (2,) that bring points nearest to the template, in least squares.

    In the plane the best rotation and scale are one complex number (Umeyama 1991 has the general case).
    """
    here, there = points.mean(axis=0), template.mean(axis=0)
    a = (points - here) @ np.array([1, 1j])
    b = (template - there) @ np.array([1, 1j])
    power = float((np.abs(a) ** 2).sum())
    z = complex((np.conj(a) * b).sum() / power) if power > 1e-9 else 1 + 0j
    z = z if abs(z) > 1e-6 else 1 + 0j
    turn = np.array([[z.real, -z.imag], [z.imag, z.real]])
    return turn, there - turn @ here


def inner_face(landmarks: Array, size_px: int) -> npt.NDArray[np.bool_]:
    """(S, S) True inside the convex hull of brows, cheeks and chin."""
    from scipy.spatial import QhullError
    from skimage.morphology import convex_hull_image

    corners = np.clip(np.rint(landmarks[:27]), 0, size_px - 1).astype(int)  # jaw 0-16, brows 17-26
    mask = np.zeros((size_px, size_px), dtype=bool)
    mask[corners[:, 1], corners[:, 0]] = True
    try:
        return np.asarray(convex_hull_image(mask), dtype=bool)
    except QhullError:  # landmarks on one line
        return mask


def harmonised(pixels: Array, mask: npt.NDArray[np.bool_]) -> Array:
    """Grey with local contrast equalised (CLAHE), after the levels inside the mask were spread over 0..1."""
    from skimage.exposure import equalize_adapthist

    grey = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    inside = grey[mask] if mask.any() else grey
    low, high = np.percentile(inside, [1, 99])
    level = np.clip((grey - low) / max(high - low, 1.0), 0, 1)
    even = equalize_adapthist(level, clip_limit=0.01)
    return np.repeat(np.rint(255 * even).astype(np.uint8)[..., None], 3, axis=2)
