"""Overlays: words drawn into pixels the way a console burns them in, with the box that tells where.

    "DOE^JANE" ──lettering──> coverage 0..1 ──burn──> frame (1 - c) + value c, rounded to the frame's dtype

Fonts are those that come with the packages medveil installs, so a benchmark draws the same pixels anywhere:
Pillow's own (`pillow`) and matplotlib's DejaVu and STIX files.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

FONTS = {
    "pillow": "",
    "sans": "DejaVuSans.ttf",
    "bold": "DejaVuSans-Bold.ttf",
    "mono": "DejaVuSansMono.ttf",
    "serif": "STIXGeneral.ttf",
}


@lru_cache(maxsize=128)
def _font(name: str, size_px: int) -> Any:
    from PIL import ImageFont

    if name not in FONTS:
        raise UsageError("overlays: no such font", hint="known are " + ", ".join(FONTS))
    if name == "pillow":
        return ImageFont.load_default(size_px)
    import matplotlib

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / FONTS[name]), size_px)


def lettering(text: str, size_px: int, font: str = "sans", *, smooth: bool = True) -> npt.NDArray[np.float32]:
    """How much of each pixel the letters cover, (h, w) float32 in 0..1, cropped to the ink.

    Args:
        text: one line.
        size_px: the font's em; capital letters are about 0.7 of it high.
        font: a key of `FONTS`.
        smooth: grey edges; without, each pixel is either ink or not, as older consoles draw.

    Raises:
        UsageError: an unknown font, a size below 4 px, a text without ink.
    """
    from PIL import Image, ImageDraw

    if size_px < 4:
        raise UsageError("overlays: size_px must be at least 4")
    face = _font(font, size_px)
    left, top, right, bottom = (round(v) for v in face.getbbox(text))
    canvas = Image.new("L", (max(right - left, 1) + 4, max(bottom - top, 1) + 4), 0)
    ImageDraw.Draw(canvas).text((2 - left, 2 - top), text, fill=255, font=face)
    ink = np.asarray(canvas, dtype=np.float32) / 255.0
    if not smooth:
        ink = (ink >= 0.5).astype(np.float32)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if rows.size == 0:
        raise UsageError("overlays: the text leaves no ink")
    return np.ascontiguousarray(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def burn(
    frames: npt.NDArray[Any], ink: npt.NDArray[np.float32], *, top: int, left: int, value: float
) -> npt.NDArray[Any]:
    """A copy of the frames with the same letters in each of them.

    Args:
        frames: (N, H, W) or (N, H, W, C), any dtype.
        ink: (h, w), from `lettering`.
        top, left: row and column of the ink's first pixel.
        value: stored value of full ink.

    Raises:
        UsageError: letters that do not fit into the frame.
    """
    h, w = ink.shape
    if top < 0 or left < 0 or top + h > frames.shape[1] or left + w > frames.shape[2]:
        raise UsageError("overlays: the letters do not fit into the frame")
    out = frames.copy()
    place = out[:, top : top + h, left : left + w]
    cover = ink.reshape(1, h, w, *(1,) * (frames.ndim - 3))
    mixed = place.astype(np.float64) * (1.0 - cover) + value * cover
    if np.issubdtype(frames.dtype, np.integer):
        info = np.iinfo(frames.dtype)
        mixed = np.clip(np.rint(mixed), info.min, info.max)
    place[...] = mixed.astype(frames.dtype)
    return out
