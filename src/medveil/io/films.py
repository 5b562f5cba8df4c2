"""One image file in, to be shared: an image, its tags, and how it is shown. An opened one out.

    .png .jpg                    ──┐                                ┌──  .png   films: the stored numbers
    .dcm (or no name at all)     ──┼─> Image, Tags, Display ... ──> ┼──  .dcm   the data set, pixels put back
    .nii .nii.gz .mgz .nrrd      ──┘                                └──  .nii .nii.gz .mgz .nrrd   volumes

What a file is, its content decides; a name that says otherwise is refused. `Display` may stand in the open, `tags`
never: they hold everything that says who it was (io/film_tags.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from medveil.core.errors import InputRefused, OutputFailed, UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.io import grey_picture, spliced
from medveil.io.aside import write_aside
from medveil.io.dicom.instance import Loss, read_instance, to_instance
from medveil.io.display import Display
from medveil.io.film_tags import Format, Tags, digest
from medveil.io.nifti import looks_like_dicom
from medveil.io.photograph import kind_hint

__all__ = ["Display", "Loss", "Shared", "read_shared", "write_opened"]

SMALLEST, LARGEST = 64, 4096  # sides of a film, pixels
SMALLEST_PLANE = 16  # sides of a volume's slices
MOST_VOXELS = 1 << 30
MOST_FILE_BYTES = 1 << 32
_AGAIN = "copy the file again"
_NAMED: dict[str, Format] = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".dcm": "dicom", ".ima": "dicom"}
_PDF = b"%PDF"
_EXPECTED = "expected PNG, JPEG, DICOM, NIfTI, MGH or NRRD"


@dataclass(frozen=True, eq=False, repr=False)
class Shared:
    """An image file as it is shared.

    Args:
        image: the stored numbers: a film (H, W), or a volume (I, J, K) or (I, J, K, T).
        tags: canonical JSON of all else that stood in the file, its name included; to be sealed.
        display: what a viewer needs; may be public.
    """

    image: Image
    tags: bytes
    display: Display

    def __repr__(self) -> str:
        return f"Shared({self.image!r}, {len(self.tags)} bytes of tags)"


def read_shared(path: Path) -> Shared:
    """The image in a file, and all else that stands in it.

    Grey films from PNG, JPEG and DICOM, 64 to 4096 pixels a side, 8 to 16 bits; volumes from NIfTI, MGH, NRRD and
    DICOM of several frames, slices of 16 to 4096 pixels a side.

    Raises:
        InputRefused: no such file, damaged, in colour, too small or too large, moving, or of another kind than its
            name says.
    """
    kind = _kind(path)
    if kind in ("png", "jpeg"):
        image, tags = grey_picture.read_picture(path, _content(path), _check_film)
        display = Display(bits=8 * image.data.dtype.itemsize)
    elif kind == "dicom":
        image, tags, display = read_instance(_content(path), path.name, _check_dicom)
    else:
        image, tags = spliced.read_volume_file(path)
        _check_volume(image)
        whole = image.data.dtype.kind in "ui"
        display = Display(bits=8 * image.data.dtype.itemsize if whole else 0)
    return Shared(image, tags.to_bytes(), display)


def write_opened(
    path: Path,
    image: Image,
    tags: bytes | None,
    *,
    lossless: bool,
    display: Display | None = None,
    loss: Loss | None = None,
    windowed: bool = False,
    force: bool = False,
) -> None:
    """Write an opened image; the end of the name decides the format.

    Args:
        image: as a codec gives it back, in the type the source had.
        tags: of `read_shared`, or None for who may not read them.
        lossless: whether the code promises the exact numbers; with tags, this is checked.
        display: of the code; used by `windowed`.
        loss: what (0028,2112) and (0028,2114) say; needed for a .dcm that is not lossless.
        windowed: an 8-bit PNG as a viewer shows it, not of the stored numbers.
        force: replace an existing file.

    Raises:
        UsageError: the file exists and `force` is not set, or `loss` is missing.
        OutputFailed: a format that cannot hold the image, .dcm without tags of a DICOM file, permissions, disk full.
        VerificationFailed: the tags are not what `read_shared` gave, or the numbers are not the source's though
            `lossless`.
    """
    if os.path.lexists(path) and not force:
        raise UsageError("output: exists already", hint="name a new file, or replace it with --force")
    source = None if tags is None else Tags.from_bytes(tags)
    if lossless and source is not None and source.pixels != digest(image):
        raise VerificationFailed("image: is not the source bit for bit, though its code is lossless")
    suffix = path.suffix.lower()
    if windowed and suffix != ".png":
        raise UsageError("output: only a .png is written through a window")
    if suffix == ".png":
        content = (
            grey_picture.to_windowed_png(image, display or Display())
            if windowed
            else grey_picture.to_png(image, source)
        )
        _write(path, content)
    elif suffix == ".dcm":
        if source is None:
            raise OutputFailed(
                "tags: are needed to write .dcm, they hold its data set", hint="write it as .png"
            )
        if not lossless and loss is None:
            raise UsageError("loss: a .dcm of a lossy image must say by what method and ratio")
        _write(path, to_instance(image, source, loss=None if lossless else loss))
    elif spliced.format_by_name(path) is not None:
        spliced.write_volume_file(image, path, source, lossless=lossless)
    else:
        raise OutputFailed(
            "output: its name must end in .png or .dcm for a film, in .nii or .nii.gz for a volume"
        )


def _write(path: Path, content: bytes) -> None:
    with write_aside(path, "image") as file:
        file.write(content)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise InputRefused("film: the system could not read it") from None


def _kind(path: Path) -> Format:
    """What a file is by its first bytes, where its name says nothing else."""
    try:
        if path.is_dir():
            raise InputRefused("film: is a folder, expected one image file")
        if not path.exists():
            raise InputRefused("film: the file is not there")
        if not path.is_file():
            raise InputRefused("film: is no regular file")
        if path.stat().st_size > MOST_FILE_BYTES:
            raise InputRefused(f"film: expected a file of at most {MOST_FILE_BYTES >> 30} GiB")
        with open(path, "rb") as file:
            start = file.read(544)
    except PermissionError:
        raise InputRefused("film: permission to read it is missing") from None
    except OSError:
        raise InputRefused("film: the system could not read it") from None
    if not start:
        raise InputRefused("film: the file is empty")
    kind = _by_content(start)
    named = spliced.format_by_name(path) or _NAMED.get(path.suffix.lower())
    if kind is None and spliced.format_by_name(path) is not None and not _hint(path, start):
        return named or "nifti"  # formats has its own words for what is wrong with it
    if kind is None:
        raise InputRefused(f"film: is no image that is known, {_EXPECTED}", hint=_hint(path, start))
    if named is not None and named != kind:
        raise InputRefused(
            "film: its name says another format than its content", hint=f"it is {kind.upper()}"
        )
    return kind


def _by_content(start: bytes) -> Format | None:
    if start.startswith(grey_picture.PNG):
        return "png"
    if start.startswith(grey_picture.JPEG):
        return "jpeg"
    return "dicom" if looks_like_dicom(start) else None


def _hint(path: Path, start: bytes) -> str:
    return "it is PDF: export its picture as PNG" if start.startswith(_PDF) else kind_hint(path)


def _check_film(rows: int, columns: int) -> None:
    if not all(SMALLEST <= side <= LARGEST for side in (rows, columns)):
        raise InputRefused(
            f"film: has {columns} x {rows} pixels, expected {SMALLEST} to {LARGEST} a side",
            hint="crop it or make it smaller" if max(rows, columns) > LARGEST else "",
        )


def _check_plane(rows: int, columns: int) -> None:
    if not all(SMALLEST_PLANE <= side <= LARGEST for side in (rows, columns)):
        raise InputRefused(
            f"image: has slices of {columns} x {rows} pixels, expected {SMALLEST_PLANE} to {LARGEST} a side"
        )


def _check_dicom(frames: int, rows: int, columns: int) -> None:
    if frames == 1:
        _check_film(rows, columns)
        return
    _check_plane(rows, columns)
    if not 0 < frames * rows * columns <= MOST_VOXELS:
        raise InputRefused("dicom: has too many pixels, or no sensible number of frames")


def _check_volume(image: Image) -> None:
    _check_plane(image.data.shape[1], image.data.shape[0])
    if image.data.size > MOST_VOXELS:
        raise InputRefused("image: has too many voxels")
