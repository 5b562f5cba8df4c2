"""Photographs of candidates: what an attacker owns.

    PHOTOS/sub-01/anything.jpg         one folder a person, or
    PHOTOS/sub-01.jpg                  one file a person, or
    PHOTOS/sub-01_smiling.png          files whose name begins with the person's label and a low line

The label must be the one that the images' folder gives the person. Only pixels are read: of EXIF nothing
but the orientation is used, and nothing of it is written.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Image
from medveil.io.aside import write_aside

SUFFIXES = (".jpg", ".jpeg", ".png")
MOST_PIXELS = 100_000_000  # a file of a few bytes can declare a picture that fills the memory


def open_photographs(folder: Path, subjects: Collection[str] = ()) -> Cohort:
    """The photographs in a folder, by person; opened when they are asked for.

    Args:
        subjects: labels of the people in the images, if known. A file's name is then read as the longest of
            them that it is, or begins with; needed where labels hold a low line themselves.

    Raises:
        InputRefused: the folder is not there, cannot be read, or holds no photograph.
    """
    if not folder.is_dir():
        raise InputRefused("photographs: the folder is not there")
    records: list[Record] = []
    try:
        for subject, path in sorted(_found(folder, subjects), key=lambda found: (found[0], found[1].name)):
            number = 1 + sum(r.subject == subject for r in records)
            place = PurePosixPath(path.relative_to(folder).as_posix())
            opener = partial(read_photograph, path)
            records.append(Record(subject, f"photo-{number}", opener, contrast="photo", place=place))
    except PermissionError:
        raise InputRefused("photographs: permission to read the folder is missing") from None
    if not records:
        raise InputRefused(
            "photographs: the folder holds none",
            hint="expected PHOTOS/<subject>/*.jpg or PHOTOS/<subject>.jpg, also .jpeg and .png",
        )
    return Cohort(tuple(records))


def read_photograph(path: Path) -> Image:
    """The picture in a JPEG or PNG file: uint8, (H, W, 3), RGB, upright, transparency on black.

    Raises:
        InputRefused: not such a picture, damaged, or larger than MOST_PIXELS.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's words about a file may quote it
            with Pillow.open(path, formats=("JPEG", "PNG")) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise InputRefused(
                        "photograph: has too many pixels", hint="expected at most 100 megapixels"
                    )
                upright = ImageOps.exif_transpose(picture)
                pixels = np.asarray(_rgb(upright), dtype=np.uint8)
    except (UnidentifiedImageError, Pillow.DecompressionBombError):
        raise InputRefused("photograph: is not a JPEG or PNG picture, or far too large") from None
    except PermissionError:
        raise InputRefused("photograph: permission to read it is missing") from None
    except (OSError, SyntaxError, ValueError, EOFError):
        raise InputRefused("photograph: is damaged", hint="copy the file again") from None
    return Image(pixels, np.eye(4), kind="photo")


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


def _found(folder: Path, subjects: Collection[str]) -> Iterator[tuple[str, Path]]:
    root = Path(os.path.realpath(folder))
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from ((path.name, p) for p in sorted(path.iterdir()) if _is_picture(p, root))
        elif _is_picture(path, root):
            begun = [s for s in subjects if path.stem == s or path.stem.startswith(f"{s}_")]
            yield max(begun, key=len, default=path.stem.partition("_")[0]), path


def _is_picture(path: Path, root: Path) -> bool:
    inside = not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(root)
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file() and inside


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
