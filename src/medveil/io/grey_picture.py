"""A grey picture as PNG or JPEG: its numbers as they are stored, and its words apart.

    PNG 1 to 8 bit, grey, palette, colours that are all grey, opaque alpha   ->  (H, W) uint8
    PNG 16 bit, the same but for grey with alpha                             ->  (H, W) uint16
    JPEG, grey or colours that are all grey                                  ->  (H, W) uint8, upright

Unlike `photograph`, which makes any picture fit for recognisers, nothing is scaled, reduced or blended here: what is
no grey picture is refused. PNG of fewer than 8 bits is spread over 0 to 255, as viewers show it.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io.display import Display
from medveil.io.film_tags import Tags, digest

PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_AGAIN = "copy the file again"
_GREY = "film: is in colour, expected grey values"
_FLATTEN = "film: is partly transparent, expected an opaque picture"
# Chunks that mean the same whatever the kind of pixels beside them.
_CARRIED = ("cHRM", "eXIf", "gAMA", "iTXt", "pHYs", "sRGB", "tEXt", "tIME", "zTXt")
_REPEATED = ("iTXt", "tEXt", "zTXt")
_EXIF = b"Exif\0\0"
Pixels = npt.NDArray[Any]


def read_picture(path: Path, content: bytes, check_size: Callable[[int, int], None]) -> tuple[Image, Tags]:
    """The picture in a PNG or JPEG file as a film, and all else that stands in the file.

    Args:
        content: of the file at `path`.
        check_size: told height and width before anything is decoded; raises where they are not wanted.

    Raises:
        InputRefused: damaged, moving, in colour, partly transparent, or what `check_size` raises.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    is_png = content.startswith(PNG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's words about a file may quote it
            with Pillow.open(io.BytesIO(content), formats=("PNG",) if is_png else ("JPEG",)) as picture:
                check_size(picture.height, picture.width)
                if getattr(picture, "is_animated", False) and is_png:
                    raise InputRefused("film: is a moving picture, expected a single one")
                if is_png and content[24:26] == b"\x10\x04":  # nothing at hand decodes it in full
                    raise InputRefused("film: is 16-bit grey with transparency", hint="save it without alpha")
                if is_png and content[24] == 16 and content[25] != 0:
                    pixels, turned = _wide_colours(path), False
                else:
                    upright = ImageOps.exif_transpose(picture)
                    pixels, turned = _grey(upright), picture.getexif().get(0x0112, 1) not in (0, 1)
        parts = tuple(_chunks(content) if is_png else _segments(content))
    except Pillow.DecompressionBombError:
        check_size(1 << 20, 1 << 20)
        raise InputRefused("film: has too many pixels") from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error,
            MemoryError, zlib.error):  # fmt: skip
        raise InputRefused(
            f"film: is damaged or no {'PNG' if is_png else 'JPEG'} that is known", hint=_AGAIN
        ) from None
    image = Image(pixels, np.eye(4), kind="film")
    return image, Tags(
        "png" if is_png else "jpeg", path.name, pixels.dtype.str, pixels.shape, digest(image),
        parts=parts, upright=turned,
    )  # fmt: skip


def to_png(image: Image, tags: Tags | None) -> bytes:
    """A PNG of the stored numbers, 8 or 16 bit grey; with tags of a PNG or JPEG, their words are put back.

    Exact however the numbers are to be shown: MONOCHROME1 stays as it is stored, and looks like a negative.

    Raises:
        OutputFailed: no film, negative numbers, or a type PNG has not.
    """
    data = image.data
    if image.kind not in ("photo", "film") or data.ndim != 2:
        raise OutputFailed("image: is no film, PNG holds nothing else", hint="write it as .nii.gz")
    if data.dtype.kind not in "ui" or data.dtype.itemsize > 2:
        raise OutputFailed("image: PNG has no such numbers, expected 8 or 16 bits")
    if data.dtype.kind == "i" and int(data.min()) < 0:
        raise OutputFailed(
            "image: holds negative numbers, which PNG cannot",
            hint="write it as .dcm with its tags, or as an 8-bit PNG through its window",
        )
    return _png(data.astype(np.uint8 if data.dtype.itemsize == 1 else np.uint16), tags)


def to_windowed_png(image: Image, display: Display) -> bytes:
    """An 8-bit PNG of what a viewer shows: scaled, through the window, MONOCHROME1 turned. No tags.

    Without a window, from the lowest to the highest value. The window is linear (PS3.3 C.11.2.1.2).

    Raises:
        OutputFailed: no film.
    """
    if image.kind not in ("photo", "film") or image.data.ndim != 2:
        raise OutputFailed("image: is no film, PNG holds nothing else", hint="write it as .nii.gz")
    values = image.values().astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if display.window is not None:
        centre, width = display.window
        low, high = centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2
    shown = np.clip((values - low) / max(high - low, 1e-9), 0, 1)
    if display.photometric == "MONOCHROME1":
        shown = 1 - shown
    return _png(np.rint(shown * 255).astype(np.uint8), None)


def _grey(picture: Any) -> Pixels:
    """(H, W) uint8 or uint16 of a decoded picture."""
    mode, clear = picture.mode, picture.info.get("transparency")
    if mode.startswith("I") or (mode in ("1", "L") and isinstance(clear, int)):
        pixels = np.asarray(picture if mode != "1" else picture.convert("L"))
        if isinstance(clear, int) and (pixels == clear).any():
            raise InputRefused(_FLATTEN, hint="flatten it on black first")
        if mode == "I" and (pixels.min() < 0 or pixels.max() > 0xFFFF):
            raise InputRefused("film: holds numbers of more than 16 bits")
        return pixels.astype(np.uint8 if pixels.dtype == np.uint8 else np.uint16)
    if mode in ("1", "L"):
        return np.asarray(picture.convert("L"), dtype=np.uint8)
    if mode not in ("P", "PA", "LA", "RGB", "RGBA", "RGBX"):
        raise InputRefused(_GREY, hint="convert it to grey first")
    return _one_channel(np.asarray(picture.convert("RGBA")))


def _one_channel(pixels: Pixels) -> Pixels:
    """(H, W) of (H, W, 2 to 4), where alpha is full and the colours are all the same."""
    channels = pixels.shape[-1]
    if channels in (2, 4):
        if int(pixels[..., -1].min()) != np.iinfo(pixels.dtype).max:
            raise InputRefused(_FLATTEN, hint="flatten it on black first")
        pixels = pixels[..., :-1]
    if (pixels != pixels[..., :1]).any():
        raise InputRefused(_GREY, hint="convert it to grey first; a coloured mark on a film must be removed")
    return np.ascontiguousarray(pixels[..., 0])


def _wide_colours(path: Path) -> Pixels:
    """A PNG of 16 bits a channel with more than one: Pillow would halve its bits."""
    import SimpleITK

    before = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        pixels = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO="PNGImageIO"))
    except RuntimeError:
        raise InputRefused("film: is damaged", hint=_AGAIN) from None
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(before)
    return _one_channel(pixels)


def _png(pixels: Pixels, tags: Tags | None) -> bytes:
    from PIL import Image as Pillow

    packed = io.BytesIO()
    Pillow.fromarray(np.ascontiguousarray(pixels)).save(packed, format="PNG")
    plain = packed.getvalue()
    behind = len(PNG) + 25  # IHDR: 8 bytes of head, 13 of body, 4 of checksum
    return plain[:behind] + b"".join(_words(tags)) + plain[behind:]


def _words(tags: Tags | None) -> Iterator[bytes]:
    """Chunks to put back. EXIF of a picture that was turned upright is left out: it would be turned again."""
    if tags is None or tags.format not in ("png", "jpeg"):
        return
    seen: set[str] = set()
    for kind, body in tags.parts:
        if kind == "APP1" and body.startswith(_EXIF):
            kind, body = "eXIf", body[len(_EXIF) :]
        once = kind in _CARRIED and (kind in _REPEATED or kind not in seen)
        if once and not (kind == "eXIf" and tags.upright):
            seen.add(kind)
            name = kind.encode("ascii")
            yield struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _chunks(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Ancillary chunks of a PNG: those whose kind begins with a small letter."""
    at = len(PNG)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        kind = content[at + 4 : at + 8].decode("latin-1")
        if kind[0].islower():
            yield kind, content[at + 8 : at + 8 + length]
        if kind == "IEND":
            return
        at += 12 + length


def _segments(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Application segments and comments of a JPEG, up to its first scan."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker == 0xDA or length < 2:
            return
        if 0xE0 <= marker <= 0xEF or marker == 0xFE:
            kind = "COM" if marker == 0xFE else f"APP{marker - 0xE0}"
            yield kind, content[at + 4 : at + 2 + length]
        at += 2 + length
