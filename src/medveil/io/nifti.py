"""NIfTI-1 and NIfTI-2 images: stored numbers in, the same stored numbers out.

Most tools read real values, and quantise them anew when they write: then every voxel of a defaced image
differs from its source, and nobody can show that the brain was left alone. Here the numbers are kept as
they are stored, in their type, byte order and scaling, and the header is written from an allowlist
(`io/header.py`). docs/reference/nifti.md says which files are taken and which are refused.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

import numpy as np

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Array, Image
from medveil.io.aside import write_aside
from medveil.io.header import TYPES, HeaderFacts, facts_of, fresh_header

LEVEL = 6  # of gzip; fixed, so that the same image gives the same bytes
_CHUNK = 1 << 24
# A header begins with its own length, in the byte order of the file.
_SIZES = {struct.pack(order + "i", n): (n, order) for n in (348, 540) for order in "<>"}
_HINTS = {
    ".hdr": ("an Analyze or NIfTI pair", "convert it to a single .nii.gz file, for instance with nibabel"),
    ".img": ("an Analyze or NIfTI pair", "convert it to a single .nii.gz file, for instance with nibabel"),
    ".mgz": ("a FreeSurfer volume", "convert it with mri_convert IN.mgz OUT.nii.gz"),
    ".mgh": ("a FreeSurfer volume", "convert it with mri_convert IN.mgh OUT.nii.gz"),
    ".mnc": ("a MINC volume", "convert it to .nii.gz with mnc2nii"),
    ".nrrd": ("an NRRD volume", "convert it to .nii.gz, for instance with SimpleITK"),
}
DICOM_HINT = "release DICOM from a folder of its own, or convert it: medveil convert DIR --to BIDS"


@dataclass(frozen=True, repr=False)
class Stream:
    """An open NIfTI file whose header is read: `file` stands where the stored numbers begin."""

    facts: HeaderFacts
    file: IO[bytes]

    def __repr__(self) -> str:
        return f"Stream({self.facts!r})"


def read(path: Path) -> Image:
    """The image in a .nii or .nii.gz file, with the numbers as they are stored.

    Place in space: the sform if its code is positive, else the qform if its code is positive; a file
    with neither is refused, since nobody can tell its left from its right. Axes beyond the fourth are
    dropped if they have length 1. The content decides whether a file is compressed, not its name.

    Returns:
        Image with `data` (I, J, K) or (I, J, K, T) in the file's type and byte order, `affine` to RAS+ mm.

    Raises:
        InputRefused: not a NIfTI file, truncated, damaged, a pair, a slice, colours, complex numbers,
            no place in space, no finite number.
    """
    with open_nifti(path) as stream:
        facts = stream.facts
        affine = facts.affine
        dtype = np.dtype(facts.dtype).newbyteorder(facts.endianness)
        size = dtype.itemsize * int(np.prod(facts.shape, dtype=object))
        stored = _read_all(stream, size, path.stat().st_size)
    data: Array = np.frombuffer(stored, dtype=dtype).reshape(facts.shape, order="F")
    if data.dtype.kind == "f" and not np.isfinite(data).any():
        raise InputRefused("image: holds no finite number")
    return Image(data, affine, slope=facts.slope, intercept=facts.intercept)


def write(image: Image, path: Path, *, facts: HeaderFacts | None = None) -> None:
    """Write an image under a fresh header; the same image gives the same bytes, every time.

    Args:
        image: what to write; its stored numbers go to the file unchanged.
        path: ends in .nii or .nii.gz; folders on the way are made.
        facts: what to say beside the numbers, from `read_facts` of the source. They must describe this
            image. Without them: NIfTI-1, sform (and qform, where it can say the same), millimetres.

    Raises:
        OutputFailed: permissions, disk full, a suffix that is not NIfTI's, facts of another image.
    """
    facts = facts_for(image) if facts is None else facts
    _refuse_other_facts(image, facts)
    if not path.name.endswith((".nii", ".nii.gz")):
        raise OutputFailed("image: the output's name must end in .nii or .nii.gz")
    with write_aside(path, "image") as file:
        if path.name.endswith(".gz"):
            # No name and no time: gzip would carry the original file name past every renaming.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=file, mtime=0) as packed:
                _write_stream(image.data, facts, cast(BinaryIO, packed))
        else:
            _write_stream(image.data, facts, file)


def facts_for(image: Image) -> HeaderFacts:
    """Facts for an image that has no source file: NIfTI-1, or 2 where an axis is too long for it."""
    from nibabel.nifti1 import Nifti1Header

    if image.kind in ("photo", "film"):
        raise OutputFailed("image: is a picture, expected a volume")
    header = Nifti1Header()
    affine = image.affine.astype(np.float32).astype(np.float64)
    header.set_qform(affine, 1, strip_shears=True)
    rotation_only = np.allclose(header.get_qform(), affine, rtol=0, atol=1e-3)
    dtype = image.data.dtype
    big = dtype.byteorder == ">"
    quatern = tuple(float(header[f"quatern_{a}"]) if rotation_only else 0.0 for a in "bcd")
    qoffset = tuple(float(header[f"qoffset_{a}"]) if rotation_only else 0.0 for a in "xyz")
    x, y, z = (float(np.float32(s)) for s in image.spacing_mm)
    return HeaderFacts(
        version=1 if max(image.data.shape) < 2**15 else 2,
        endianness=">" if big else "<",
        dtype=dtype.newbyteorder("=").name,
        shape=tuple(image.data.shape),
        slope=float(np.float32(image.slope)),
        intercept=float(np.float32(image.intercept)),
        sform_code=1,
        qform_code=int(rotation_only),
        srow=tuple(float(v) for v in affine[:3].ravel()),
        quatern=(quatern[0], quatern[1], quatern[2]),
        qoffset=(qoffset[0], qoffset[1], qoffset[2]),
        qfac=float(header["pixdim"][0]) if rotation_only else 1.0,
        zooms=(x, y, z),
        tr=0.0,
        xyzt_units=2,
    )


@contextmanager
def open_nifti(path: Path) -> Iterator[Stream]:
    """Open a NIfTI file, read its header and stop where the stored numbers begin.

    Raises:
        InputRefused: whatever is wrong, in one line; damage found while the block reads included.
    """
    _refuse_by_name(path)
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw, mode="rb") if packed else raw)
            facts, offset = _read_header(file)
            file.seek(offset)
            yield Stream(facts, file)
    except EOFError:
        raise InputRefused("image: the compressed file is cut off", hint="copy the file again") from None
    except (gzip.BadGzipFile, zlib.error):
        raise InputRefused("image: the compressed file is damaged", hint="copy the file again") from None
    except FileNotFoundError:
        raise InputRefused("image: the file is not there") from None
    except PermissionError:
        raise InputRefused("image: permission to read it is missing") from None
    except OSError:
        raise InputRefused("image: the system could not read it") from None


def looks_like_dicom(start: bytes) -> bool:
    """Whether the first 140 bytes of a file are those of DICOM, with or without a preamble."""
    bare = start[:2] in (b"\x02\x00", b"\x08\x00") and start[2:4] in (b"\x00\x00", b"\x01\x00", b"\x05\x00",
                                                                       b"\x08\x00", b"\x16\x00")  # fmt: skip
    return start[128:132] == b"DICM" or (bare and (start[4:6].isupper() or start[6:8] == b"\x00\x00"))


def _refuse_by_name(path: Path) -> None:
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix in _HINTS:
        what, hint = _HINTS[suffix]
        raise InputRefused(f"image: is {what}, expected .nii or .nii.gz", hint=hint)


def _read_header(file: IO[bytes]) -> tuple[HeaderFacts, int]:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    start = file.read(540)
    if not start:
        raise InputRefused("image: the file is empty")
    if looks_like_dicom(start):
        raise InputRefused("image: is a DICOM file, expected NIfTI", hint=DICOM_HINT)
    found = _SIZES.get(start[:4])
    if found is None:
        raise InputRefused("image: is not a NIfTI file", hint="expected .nii or .nii.gz")
    length, endianness = found
    if len(start) < length:
        raise InputRefused("image: is cut off within the header", hint="copy the file again")
    magic = start[344:348] if length == 348 else start[4:12]
    if magic in (b"ni1\0", b"ni2\0\r\n\x1a\n"):
        raise InputRefused("image: is one half of a NIfTI pair", hint=_HINTS[".hdr"][1])
    if magic not in (b"n+1\0", b"n+2\0\r\n\x1a\n"):
        raise InputRefused("image: is an Analyze file, expected NIfTI", hint=_HINTS[".hdr"][1])
    kind = Nifti1Header if length == 348 else Nifti2Header
    header = kind(start[:length], endianness=endianness, check=False)
    offset = float(header["vox_offset"])
    if not length + 4 <= offset < 2**40 or offset != int(offset):
        raise InputRefused("vox_offset: does not point behind the header")
    return facts_of(header), int(offset)


def _read_all(stream: Stream, size: int, on_disk: int) -> bytearray:
    """`size` bytes, and then the rest of the file for the sake of gzip's checksum."""
    cut = InputRefused("image: holds fewer voxels than its header says", hint="copy the file again")
    if size > 1100 * on_disk:  # more than deflate could ever unpack
        raise cut
    stored = bytearray()
    while len(stored) < size:
        chunk = stream.file.read(min(_CHUNK, size - len(stored)))
        if not chunk:
            raise cut
        stored += chunk
    while stream.file.read(_CHUNK):
        pass
    return stored


def _write_stream(data: Array, facts: HeaderFacts, file: BinaryIO) -> None:
    dtype = np.dtype(facts.dtype).newbyteorder(facts.endianness)
    file.write(fresh_header(facts).binaryblock + bytes(4))
    for last in range(data.shape[-1]):  # NIfTI stores the first axis fastest
        file.write(data[..., last].astype(dtype, copy=False).tobytes(order="F"))


def _refuse_other_facts(image: Image, facts: HeaderFacts) -> None:
    if facts.dtype not in TYPES.values():
        raise OutputFailed("image: NIfTI has no such data type", hint="write integers or float32, float64")
    same = {
        "shape": facts.shape == image.data.shape,
        "data type": facts.dtype == image.data.dtype.newbyteorder("=").name,
        "scaling": np.allclose(
            (facts.slope, facts.intercept), (image.slope, image.intercept), rtol=1e-6, atol=0
        ),
        "affine": np.allclose(facts.affine, image.affine, rtol=1e-6, atol=1e-4),
    }
    for what, holds in same.items():
        if not holds:
            raise OutputFailed(f"image: its {what} is not the one its header facts declare")
