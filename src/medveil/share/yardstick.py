"""What plain codecs need: bits per pixel of JPEG and JPEG 2000 for a PSNR, and of lossless JPEG 2000.

The honest figures beside every code of ours. A pixel is a place, whatever number of colours it has. Each codec is
used as one would who wants the smallest file: JPEG with optimised tables and full colour resolution, JPEG 2000 with
the 9/7 wavelet in one layer. Headers count.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from math import log10

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.image import Array
from medveil.share.codec.codestream import decibel, decoded, mean_square, written

NEAR_DB = 0.05  # a search ends this close above the PSNR asked for
ROUNDS = 14


def jpeg_at(picture: Array, psnr_db: float, *, data_range: float) -> float | None:
    """Bits per pixel of the coarsest JPEG (quality 1 to 100) of at least this PSNR.

    Args:
        picture: (H, W) or (H, W, 3).
        data_range: MAX of the PSNR, largest minus smallest value that can occur.

    Returns:
        None where JPEG cannot do it: more than 8 bits, or a PSNR out of its reach.
    """
    from PIL import Image as Pillow

    check(picture, data_range)
    if picture.dtype != np.uint8:
        return None

    def tried(quality: int) -> tuple[float, int]:
        buffer = BytesIO()
        Pillow.fromarray(picture).save(buffer, "JPEG", quality=quality, optimize=True, subsampling=0)
        size = buffer.tell()
        with Pillow.open(buffer) as again:
            return decibel(mean_square(picture, np.asarray(again)), data_range), size

    low, high = 0, 100
    reached, size = tried(high)
    if reached < psnr_db:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        reached, smaller = tried(middle)
        low, high, size = (low, middle, smaller) if reached >= psnr_db else (middle, high, size)
    return bpp(size, picture)


def jpeg2000_at(picture: Array, psnr_db: float, *, data_range: float) -> float | None:
    """Bits per pixel of a JPEG 2000 of at least this PSNR and at most 0.05 dB more where it has such steps.

    Args:
        picture: (H, W) or (H, W, 3), integers of up to 16 bits; colour up to 8.
        data_range: MAX of the PSNR, largest minus smallest value that can occur.

    Returns:
        None where the 9/7 wavelet cannot do it (it is never exact).
    """
    check(picture, data_range)
    pixels, turned = unsigned(picture)
    offset = 20 * log10(np.iinfo(pixels.dtype).max / data_range)  # the library's MAX is that of the dtype

    def tried(aim_db: float) -> tuple[float, int]:
        stream = written(
            pixels, layers_db=[max(aim_db + offset, 0.01)], irreversible=True, packet_lengths=False
        )
        again = decoded(stream, pixels.shape, 8 * pixels.itemsize)
        return decibel(mean_square(picture, turned(again)), data_range), len(stream)

    best: int | None = None
    low, high, aim = psnr_db - 10, psnr_db + 20, psnr_db  # the library is some dB off
    for _ in range(ROUNDS):
        reached, size = tried(aim)
        if reached < psnr_db:
            low = aim
        else:
            high, best = aim, size if best is None else min(size, best)
        if psnr_db <= reached <= psnr_db + NEAR_DB or high - low < NEAR_DB / 2:
            break
        aim += psnr_db + NEAR_DB / 2 - reached
        if not low < aim < high:
            aim = (low + high) / 2
    return None if best is None else bpp(best, picture)


def jpeg2000_lossless_bpp(picture: Array) -> float:
    """Bits per pixel of lossless JPEG 2000 (reversible 5/3 wavelet, one layer).

    Args:
        picture: (H, W) or (H, W, 3), integers of up to 16 bits; colour up to 8.
    """
    check(picture, 1.0)
    pixels, _ = unsigned(picture)
    return bpp(len(written(pixels, layers_db=[0], packet_lengths=False)), picture)


def unsigned(picture: Array) -> tuple[Array, Callable[[Array], Array]]:
    """A picture as uint8 or uint16 around the middle of its range, and the way back.

    Raises:
        UsageError: it spans more than 16 bits, or has colour of more than 8.
    """
    low, high = int(picture.min()), int(picture.max())
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture), lambda pixels: pixels
    dtype = np.uint8 if high - low < 256 else np.uint16
    shift = (np.iinfo(dtype).max + 1) // 2 - (high - low + 1) // 2 - low
    if high - low > 0xFFFF or (picture.ndim == 3 and dtype == np.uint16):
        raise UsageError("yardstick: takes integers of up to 16 bits, colour of up to 8")
    pixels = np.ascontiguousarray((picture.astype(np.int64) + shift).astype(dtype))
    return pixels, lambda pixels: (pixels.astype(np.int64) - shift).clip(low, high)


def check(picture: Array, data_range: float) -> None:
    """Refuse what no figure can be given for.

    Raises:
        UsageError: not a picture of integers, or a range that is not positive.
    """
    if (
        picture.dtype.kind not in "iu"
        or picture.ndim not in (2, 3)
        or (picture.ndim == 3 and picture.shape[2] != 3)
    ):
        raise UsageError("yardstick: expected integers (H, W) or (H, W, 3)")
    if not data_range > 0:
        raise UsageError("data_range: must be above 0")


def bpp(size: int, picture: Array) -> float:
    """Bits per pixel of a file of this many bytes."""
    return 8 * size / int(picture.shape[0] * picture.shape[1])
