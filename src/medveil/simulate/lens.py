"""Lens: what happens between a clean picture and the file that somebody finds on the web."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[Any]


def backdrop(picture: Picture, plain: tuple[int, int, int], rng: np.random.Generator) -> Picture:
    """Give the plain background a gradient and large soft blots, as a wall or a garden out of focus has.

    Args:
        picture: (H, W, 3) uint8 rendered on the exact colour `plain`.

    Returns:
        A new picture; only background changes.
    """
    from scipy.ndimage import binary_opening, gaussian_filter

    h, w = picture.shape[:2]
    empty = (np.abs(picture.astype(np.int16) - np.array(plain)) <= 1).all(axis=2)
    empty = binary_opening(empty, np.ones((3, 3), bool))
    own = np.stack([_blots(rng, (h, w), 6) for _ in range(3)], axis=2)
    wash = 0.4 * own + 0.6 * _blots(rng, (h, w), 9)[:, :, None]
    slope = np.linspace(-1, 1, h)[:, None] * rng.normal(0, 1) + np.linspace(-1, 1, w)[None] * rng.normal(0, 1)
    change = rng.uniform(0, 26) * wash + 18 * slope[:, :, None]
    soft = gaussian_filter(empty.astype(np.float32), 0.8)[:, :, None] * empty[:, :, None]
    return np.asarray(np.clip(picture + soft * change, 0, 255), dtype=np.uint8)


def _blots(rng: np.random.Generator, shape: tuple[int, int], across: int) -> Array:
    """(H, W) smooth noise of about unit spread, some `across` blots from side to side."""
    from PIL import Image

    few = Image.fromarray(rng.normal(size=(across, across)).astype(np.float32))
    return np.asarray(few.resize(shape[::-1], Image.Resampling.BICUBIC)) * 1.4


def take(picture: Picture, size_px: int, rng: np.random.Generator) -> Picture:
    """Scale down, blur, white balance, gamma, noise, and one round through JPEG.

    Args:
        picture: (H, W, 3) uint8, larger than `size_px`.
        size_px: side of the result.
    """
    from PIL import Image, ImageFilter

    small = Image.fromarray(picture).resize((size_px, size_px), Image.Resampling.LANCZOS)
    blur = rng.uniform(0.1, 0.6) * size_px / 250
    a = np.asarray(small.filter(ImageFilter.GaussianBlur(blur)), dtype=np.float64) / 255
    a = a * np.array([rng.uniform(0.94, 1.05), 1.0, rng.uniform(0.93, 1.06)])
    a = np.clip(a, 0, 1) ** rng.uniform(0.88, 1.12)
    a = a + rng.normal(0, rng.uniform(0.003, 0.015), a.shape)
    file = io.BytesIO()
    Image.fromarray(np.rint(np.clip(a, 0, 1) * 255).astype(np.uint8)).save(
        file, "JPEG", quality=int(rng.integers(65, 95))
    )
    return np.array(Image.open(io.BytesIO(file.getvalue())), dtype=np.uint8)
