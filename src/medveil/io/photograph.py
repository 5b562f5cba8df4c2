"""One photograph as a file: pixels in, pixels out, and nothing of what else a camera writes.

    JPEG, PNG ──size looked at first──decoded (a huge JPEG at an eighth)──upright──RGB──> Image
    Image ──> JPEG, PNG with no EXIF, comment, time or profile

Of EXIF nothing but the orientation is used. What cannot be read is refused in one line that tells the kind of the
file, where its first bytes give it away, and nothing else of it.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io.aside import write_aside

SUFFIXES = (".jpg", ".jpeg", ".png")
MOST_PIXELS = 100_000_000  # a file of a few bytes can declare a picture that fills the memory
MOST_PIXELS_JPEG = 1_000_000_000  # decoded at an eighth of its side: 20,000 x 20,000 takes 19 MB
DRAFT_PX = 1600  # a JPEG is not reduced below this side; recognisers look at less


def read_photograph(path: Path) -> Image:
    """The picture in a JPEG or PNG file: uint8, (H, W, 3), RGB, upright, transparency on black.

    Of a moving picture the first frame is read. A JPEG with a side of more than twice DRAFT_PX is decoded at a half, a
    quarter or an eighth, so that memory stays bounded.

    Raises:
        InputRefused: not such a picture, damaged, or too large (MOST_PIXELS, as a JPEG MOST_PIXELS_JPEG).
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings(), _no_limit_but_ours():
            warnings.simplefilter("ignore")  # Pillow's words about a file may quote it
            with Pillow.open(path, formats=("JPEG", "PNG")) as picture:
                _refuse_size(picture.width, picture.height, picture.format == "JPEG")
                picture.draft(
                    None, (DRAFT_PX, DRAFT_PX)
                )  # decides by JPEG's own blocks; PNG has nothing alike
                if picture.width * picture.height > MOST_PIXELS:
                    raise InputRefused("photograph: has too many pixels", hint="make it smaller")
                upright = ImageOps.exif_transpose(picture)
                pixels = np.asarray(_rgb(upright), dtype=np.uint8)
    except UnidentifiedImageError:
        raise InputRefused("photograph: is not a JPEG or PNG picture", hint=kind_hint(path)) from None
    except Pillow.DecompressionBombError:
        raise InputRefused("photograph: has too many pixels", hint="make it smaller") from None
    except PermissionError:
        raise InputRefused("photograph: permission to read it is missing") from None
    except FileNotFoundError:
        raise InputRefused("photograph: the file is not there") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, MemoryError):
        raise InputRefused("photograph: is damaged", hint="copy the file again") from None
    return Image(pixels, np.eye(4), kind="photo")


def _refuse_size(width: int, height: int, is_jpeg: bool) -> None:
    most = MOST_PIXELS_JPEG if is_jpeg else MOST_PIXELS
    if width * height > most:
        raise InputRefused(
            "photograph: has too many pixels",
            hint=f"expected at most {MOST_PIXELS // 10**6} megapixels, as a JPEG {MOST_PIXELS_JPEG // 10**6}",
        )


@contextmanager
def _no_limit_but_ours() -> Iterator[None]:
    """Pillow's own limit put aside: it would refuse the large JPEG that is read at an eighth of its side."""
    from PIL import Image as Pillow

    before = Pillow.MAX_IMAGE_PIXELS
    Pillow.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        Pillow.MAX_IMAGE_PIXELS = before


# How files begin that people take for photographs: offset, bytes, and what to say.
_BEGINNINGS = (
    (4, b"ftyphei", "it is HEIC, as phones write it: export it as JPEG"),
    (4, b"ftypmif", "it is HEIC, as phones write it: export it as JPEG"),
    (4, b"ftyphev", "it is HEIC, as phones write it: export it as JPEG"),
    (4, b"ftypavif", "it is AVIF: export it as JPEG"),
    (8, b"WEBP", "it is WebP: export it as JPEG"),
    (0, b"GIF8", "it is GIF: export it as PNG"),
    (0, b"BM", "it is BMP: export it as PNG"),
    (0, b"II*\0", "it is TIFF: export it as PNG"),
    (0, b"MM\0*", "it is TIFF: export it as PNG"),
)


def kind_hint(path: Path) -> str:
    """What a file is by its first bytes, if that helps; never what stands in it."""
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError:
        return ""
    if not head:
        return "the file is empty"
    return next((say for at, begin, say in _BEGINNINGS if head[at:].startswith(begin)), "")


def write_photograph(image: Image, path: Path, quality: int = 95) -> None:
    """Write pixels as JPEG or PNG (by suffix), with no EXIF, comment, time or profile.

    Args:
        quality: of JPEG, 1 to 100; PNG is lossless.

    Raises:
        OutputFailed: not a photograph, another suffix, permissions, disk full.
    """
    from PIL import Image as Pillow

    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise OutputFailed("photograph: the output's name must end in .jpg, .jpeg or .png")
    if image.kind not in ("photo", "film") or image.data.dtype != np.uint8:
        raise OutputFailed("photograph: expected 8-bit pixels of a photograph")
    packed = io.BytesIO()
    picture = Pillow.fromarray(np.ascontiguousarray(image.data))
    if suffix == ".png":
        picture.save(packed, format="PNG")
    else:
        picture.save(packed, format="JPEG", quality=quality)
    with write_aside(path, "photograph") as file:
        file.write(packed.getvalue())


def _rgb(picture: object) -> object:
    """Any Pillow mode as RGB; 16-bit grey is scaled, not clipped; what is transparent becomes black."""
    from PIL import Image as Pillow

    assert isinstance(picture, Pillow.Image)  # noqa: S101 - narrows the type for mypy
    if picture.mode.startswith("I"):
        wide = np.asarray(picture).astype(np.float64)
        return Pillow.fromarray((wide / max(65535.0, float(wide.max())) * 255).astype(np.uint8)).convert(
            "RGB"
        )
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        rgba = picture.convert("RGBA")
        ground = Pillow.new("RGBA", rgba.size, (0, 0, 0, 255))
        return Pillow.alpha_composite(ground, rgba).convert("RGB")
    return picture.convert("RGB")
