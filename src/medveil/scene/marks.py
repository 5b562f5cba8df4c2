"""Marks: what was altered laid over a grey picture as a tint, and a region as a thin line round it.

Where tissue was, the tint is strong, where air was, it is faint: so one sees what went, and how much of the
altered region was only the air before a face.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.scene.slices import Grey, Volume

Picture = npt.NDArray[np.uint8]

ORANGE, BLUE = (230, 120, 20), (86, 180, 233)  # told apart by every kind of colour vision (Okabe and Ito)
AIR, TISSUE = 0.16, 0.5  # strength of the tint: what lies under it, as in a replaced face, stays readable


def marked(after: Grey, before: Grey, altered: Volume, outlined: Volume | None = None) -> Picture:
    """(H, W, 3) a grey picture with its altered pixels in orange and a blue line round a region.

    Args:
        after, before: (H, W) the same slices after and before the alteration.
        altered: (H, W) share of each pixel that was altered; `outlined`: share that lies in the region.
    """
    tissue = before[..., None] / np.float32(255)  # (H, W, 1)
    strength = np.clip(altered, 0, 1)[..., None] * (AIR + TISSUE * tissue)
    colour = after[..., None] * (1 - strength) + np.asarray(ORANGE, np.float32) * strength
    if outlined is not None:
        colour[_rim(outlined > 0.5)] = BLUE
    return np.asarray(np.rint(colour), dtype=np.uint8)


def _rim(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Pixels of a region with a neighbour outside it."""
    whole = np.pad(region, 1, mode="edge")
    inner = whole[:-2, 1:-1] & whole[2:, 1:-1] & whole[1:-1, :-2] & whole[1:-1, 2:]
    return np.asarray(region & ~inner)


def jpeg(picture: Picture, quality: int = 78) -> bytes:
    """A grey (H, W) or colour (H, W, 3) picture as the bytes of a JPEG file; the same picture, the same bytes."""
    import io

    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(picture).save(buffer, "JPEG", quality=quality, optimize=True, subsampling=2)
    return buffer.getvalue()
