"""MGH and MGZ volumes of FreeSurfer: stored numbers in, the same stored numbers out, and nothing behind them.

    0    4       20    24   28      30       42      78        90           284       284 + voxels
    ├ 1 ─┼ sizes ┼ type ┼ dof ┼ good ┼ zooms ─┼ axes ─┼ centre ──┼ unused ─────┼ voxels ──┼ scan parameters, tags
                                                                  (dropped)              (dropped: command lines,
                                                                                          paths, user names)
All numbers are big-endian. An affine is axes times zooms, so many pairs of them say the same one; what is written
is chosen by the product alone, and what is read can be written again exactly. Source: FreeSurfer's description of the format (FsTutorial/MghFormat).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Array, Image
from medveil.io.aside import write_aside

TYPES = {0: "u1", 1: ">i4", 3: ">f4", 4: ">i2", 10: ">u2"}
_HEAD = struct.Struct(">7ih3f9f3f")
HEADER = 284  # bytes before the voxels
_LEVEL = 6
_MOST_AXIS = 1 << 20
_NEAREST, _FARTHEST = 1e-6, 1e7  # of the steps from voxel to voxel, in mm
_NEAR = (0, 1, -1, 2, -2, 3, -3)  # float32 next to the length of an axis, the nearest first
_CUT = "image: holds fewer voxels than its header says"
_AGAIN = "copy the file again"


def read(path: Path) -> Image:
    """The image in a .mgh or .mgz file; the content decides whether it is compressed.

    Returns:
        Image with `data` (I, J, K) or (I, J, K, T) in the file's type, `affine` to RAS+ mm (FreeSurfer's scanner
        RAS, as its own tools and nibabel place it).

    Raises:
        InputRefused: not MGH, cut off, damaged, an unknown type, no place in space, a single slice.
    """
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")) if packed else raw
            return _read(file, path.stat().st_size)
    except EOFError:
        raise InputRefused("image: the compressed file is cut off", hint=_AGAIN) from None
    except (gzip.BadGzipFile, zlib.error):
        raise InputRefused("image: the compressed file is damaged", hint=_AGAIN) from None
    except OSError:
        raise InputRefused("image: could not be read") from None


def write(image: Image, path: Path) -> None:
    """Write an image as .mgh or .mgz: header and voxels, nothing else; the same image gives the same bytes.

    Raises:
        OutputFailed: a picture, a type MGH has not, a scaling (MGH can't say it), another suffix, a full disk.
    """
    if not path.name.endswith((".mgh", ".mgz")):
        raise OutputFailed("image: the output's name must end in .mgh or .mgz")
    content = encoded(image)
    with write_aside(path, "image") as file:
        if path.name.endswith(".mgz"):
            with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as packed:
                packed.write(content)
        else:
            file.write(content)


def encoded(image: Image) -> bytes:
    """The content of a .mgh file that holds this image: `HEADER` bytes, then the voxels.

    Raises:
        OutputFailed: a picture, a type MGH has not, a scaling, an affine that float32 cannot hold.
    """
    if image.kind in ("photo", "film"):
        raise OutputFailed("image: is a picture, expected a volume")
    if (image.slope, image.intercept) != (1.0, 0.0):
        raise OutputFailed("image: has a scaling, which MGH cannot hold", hint="write it as .nii.gz")
    dtype = image.data.dtype.newbyteorder(">")
    code = next((c for c, name in TYPES.items() if np.dtype(name) == dtype), None)
    if code is None:
        raise OutputFailed("image: MGH has no such data type", hint="write it as .nii.gz")
    head = _header(image, code).ljust(HEADER, b"\0")
    return head + image.data.astype(dtype, copy=False).tobytes(order="F")


def _read(file: BinaryIO, on_disk: int) -> Image:
    head = file.read(HEADER)
    if len(head) < HEADER:
        raise InputRefused("image: is cut off within the header", hint=_AGAIN)
    version, i, j, k, frames, code, _dof, good, *numbers = _HEAD.unpack(head[: _HEAD.size])
    if version != 1:
        raise InputRefused("image: is not an MGH file, or of another version than 1")
    if code not in TYPES:
        raise InputRefused("type: is none of MGH's voxel types")
    if not all(1 <= n <= _MOST_AXIS for n in (i, j, k, frames)):
        raise InputRefused("dimensions: an axis is empty, negative or impossibly long")
    if 1 in (i, j, k):
        raise InputRefused("image: is a single slice, expected a volume")
    if good <= 0:
        raise InputRefused(
            "goodRASFlag: is not set, so left and right are not known",
            hint="set it with mri_convert, then run again",
        )
    dtype = np.dtype(TYPES[code])
    size = i * j * k * frames * dtype.itemsize
    if size > 1100 * on_disk:  # more than deflate could ever unpack
        raise InputRefused(_CUT, hint=_AGAIN)
    stored = file.read(size)
    if len(stored) < size:
        raise InputRefused(_CUT, hint=_AGAIN)
    while file.read(1 << 20):  # to the end, for the sake of gzip's checksum
        pass
    shape = (i, j, k) if frames == 1 else (i, j, k, frames)
    data: Array = np.frombuffer(stored, dtype).reshape(shape, order="F")
    if dtype.kind == "f" and not np.isfinite(data).any():
        raise InputRefused("image: holds no finite number")
    return Image(data, _affine(numbers, (i, j, k)))


def _affine(numbers: list[float], shape: tuple[int, int, int]) -> Array:
    """(4, 4) voxel to RAS+ mm: columns are axes times zooms, and the middle voxel lies at the centre."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(numbers[3:12], (3, 3)).T * numbers[:3]
    length = np.linalg.norm(affine[:3, :3], axis=0)
    if not ((length > _NEAREST) & (length < _FARTHEST)).all():
        raise InputRefused("affine: an axis has no length of a scanner, or one that is not finite")
    zooms, axes = _factors(affine[:3, :3])
    affine[:3, :3] = axes * zooms
    affine[:3, 3] = np.array(numbers[12:15]) - affine[:3, :3] @ (np.array(shape) / 2)
    return affine


def _header(image: Image, code: int) -> bytes:
    i, j, k, frames = (*image.data.shape, 1)[:4]
    zooms, axes = _factors(image.affine[:3, :3])
    centre = image.affine[:3, 3] + image.affine[:3, :3] @ (np.array((i, j, k)) / 2)
    return _HEAD.pack(1, i, j, k, frames, code, 0, 1, *zooms, *axes.T.ravel(), *centre)


def _factors(matrix: Array) -> tuple[Array, Array]:
    """(3,) zooms and (3, 3) axes as float32 holds them, one axis a column: their product is the matrix, or next to it.

    Where no float32 has exactly that product, the nearest is taken; of a product of two float32, always the same two.
    """
    pairs = [_factor(column) for column in matrix.T]
    return np.array([zoom for zoom, _ in pairs]), np.column_stack([axis for _, axis in pairs])


def _factor(column: Array) -> tuple[float, Array]:
    length = np.float32(np.linalg.norm(column))
    axis = _in_float32(column / float(length))
    for wanted in (column, axis * float(length)):
        length = np.float32(np.linalg.norm(wanted))
        for steps in _NEAR:
            zoom = float(length + np.float32(steps) * np.spacing(length))
            axis = _in_float32(wanted / zoom)
            if np.array_equal(axis * zoom, wanted):
                return zoom, axis
    raise OutputFailed("image: MGH cannot hold its affine", hint="write it as .nii.gz")


def _in_float32(values: Array) -> Array:
    return values.astype(np.float32).astype(np.float64)
