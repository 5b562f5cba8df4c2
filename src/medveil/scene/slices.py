"""Slices: the three planes through a head, side by side, as a grey picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.core.image import Image

Grey = npt.NDArray[np.uint8]

BODY_MM, HEAD_MM = 330.0, 260.0  # a field of view taller than the first shows more than a head


def mosaic(image: Image, like: Image, *, height_px: int = 180) -> Grey:
    """Sagittal, coronal and axial slice of `image`, through the middle of the head in `like`.

    Args:
        image: what is drawn; of a series the first volume.
        like: an image on the same grid that chooses the slices and the grey window, so that a picture
            before and a picture after can be laid side by side.
        height_px: height of the strip.

    Returns:
        (height_px, W) uint8; left of the person is on the right of the coronal and the axial slice.
    """
    data, spacing = upright(image)
    reference, _ = upright(like)
    if data.shape[2] * spacing[2] > BODY_MM:  # the head is the upper end of a body
        top = data.shape[2] - round(HEAD_MM / spacing[2])
        data, reference = data[:, :, top:], reference[:, :, top:]
    low, high = np.percentile(reference, [1.0, 99.5])
    head = np.argwhere(reference[::4, ::4, ::4] > low + 0.2 * (high - low)) * 4
    middle = head.mean(axis=0) if len(head) else np.array(reference.shape) / 2
    i, j, k = np.minimum(np.round(middle).astype(int), np.array(data.shape) - 1)
    sx, sy, sz = spacing
    planes = (
        (data[i, ::-1, ::-1].T, sz, sy),
        (data[::-1, j, ::-1].T, sz, sx),
        (data[::-1, ::-1, k].T, sy, sx),
    )
    scaled = [_resized(p, down, across, height_px) for p, down, across in planes]
    grey = np.clip((np.concatenate(scaled, axis=1) - low) / max(high - low, 1e-6), 0, 1)
    return np.asarray(grey * 255, dtype=np.uint8)


def upright(image: Image) -> tuple[npt.NDArray[np.float32], tuple[float, float, float]]:
    """The volume with its axes permuted and flipped to the nearest RAS+ order, and the spacing of those axes."""
    data = image.values()
    if data.ndim == 4:
        data = data[..., 0]
    direction = image.affine[:3, :3] / np.asarray(image.spacing_mm)
    left, order = [0, 1, 2], []
    for world in range(3):
        axis = max(left, key=lambda a: abs(direction[world, a]))
        left.remove(axis)
        order.append(axis)
    flips = tuple(slice(None, None, -1 if direction[w, a] < 0 else 1) for w, a in enumerate(order))
    spacing = tuple(image.spacing_mm[a] for a in order)
    return np.transpose(data, order)[flips], (spacing[0], spacing[1], spacing[2])


def _resized(
    plane: npt.NDArray[np.float32], down_mm: float, across_mm: float, height_px: int
) -> npt.NDArray[np.float32]:
    from PIL import Image as Pillow

    width = max(1, round(plane.shape[1] * across_mm * height_px / (plane.shape[0] * down_mm)))
    picture = Pillow.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
    return np.asarray(picture.resize((width, height_px), Pillow.Resampling.BILINEAR), dtype=np.float32)


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A grey (H, W) or colour (H, W, 3) picture as the bytes of a PNG file."""
    import io

    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(picture).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
