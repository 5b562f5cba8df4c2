"""NRRD volumes with their data attached: stored numbers in, the same stored numbers out, under a header anew.

    NRRD0005            ──  magic
    type: short         ──  fields, of which ten are known here and the rest is not carried
    # who made it       ──  comments: dropped
    DICOM_0010_0010:=   ──  key/value pairs: dropped
                        ──  an empty line, then the numbers, raw or gzipped

Small and strict: what is not understood in full is refused by name, never guessed. A header that points to another
file is refused, since that file could lie anywhere.
Source: definition of the NRRD format, teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from pathlib import Path

import numpy as np

from medveil.core.errors import InputRefused, OutputFailed
from medveil.core.image import Array, Image
from medveil.io.aside import write_aside

_MOST_HEADER = 1 << 20
_LEVEL = 6
_NAMES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
TYPES = {word: code for code, words in _NAMES.items() for word in words}
_WRITTEN = {code: words[-1] for code, words in _NAMES.items()}
# Sign of each axis that turns the declared space into RAS+.
_SPACES = {
    "ras": (1, 1, 1), "right-anterior-superior": (1, 1, 1), "las": (-1, 1, 1), "left-anterior-superior": (-1, 1, 1),
    "lps": (-1, -1, 1), "left-posterior-superior": (-1, -1, 1),
}  # fmt: skip
_SUPPORT = {"data file", "datafile"}
_AGAIN = "copy the file again"


def read(path: Path) -> Image:
    """The image in a .nrrd file.

    Returns:
        Image with `data` (I, J, K), or (I, J, K, T) where one axis is no spatial one (it becomes the last), in the
        file's type and byte order; `affine` to RAS+ mm.

    Raises:
        InputRefused: not NRRD, data in another file, an encoding other than raw and gzip, a space without
            directions, an axis too many, cut off, damaged.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise InputRefused("image: could not be read") from None
    fields, body = _split(content)
    dtype = _dtype(fields)
    sizes = _sizes(fields)
    affine, extra = _affine(fields, len(sizes))
    _refuse_colours(fields)
    size = math.prod(sizes) * dtype.itemsize
    stored = _unpacked(_field(fields, "encoding").lower(), body, size)
    if len(stored) < size:
        raise InputRefused("image: holds fewer voxels than its header says", hint=_AGAIN)
    data: Array = np.frombuffer(stored, dtype, count=math.prod(sizes)).reshape(sizes, order="F")
    if extra is not None:
        data = np.moveaxis(data, extra, -1)
        data = data[..., 0] if data.shape[-1] == 1 else data
    if 1 in data.shape[:3]:
        raise InputRefused("image: is a single slice, expected a volume")
    if dtype.kind == "f" and not np.isfinite(data).any():
        raise InputRefused("image: holds no finite number")
    return Image(data, affine)


def write(image: Image, path: Path) -> None:
    """Write an image as gzipped .nrrd: ten fields and the voxels; the same image gives the same bytes.

    Raises:
        OutputFailed: a picture, a type NRRD has not, a scaling (NRRD can't say it), another suffix, a full disk.
    """
    if not path.name.endswith(".nrrd"):
        raise OutputFailed("image: the output's name must end in .nrrd")
    head = header(image)
    with write_aside(path, "image") as file:
        file.write(head)
        with gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0) as packed:
            packed.write(image.data.tobytes(order="F"))


def header(image: Image) -> bytes:
    """All that stands in a .nrrd file before the packed voxels of this image.

    Raises:
        OutputFailed: a picture, a type NRRD has not, a scaling.
    """
    if image.kind in ("photo", "film"):
        raise OutputFailed("image: is a picture, expected a volume")
    if (image.slope, image.intercept) != (1.0, 0.0):
        raise OutputFailed("image: has a scaling, which NRRD cannot hold", hint="write it as .nii.gz")
    name = _WRITTEN.get(image.data.dtype.str[1:])
    if name is None:
        raise OutputFailed("image: NRRD has no such data type", hint="write it as .nii.gz")
    big = image.data.dtype.str[0] == ">"
    more = image.data.ndim - 3
    columns = [_vector(image.affine[:3, axis]) for axis in range(3)]
    lines = [
        "NRRD0004",
        f"type: {name}",
        f"dimension: {image.data.ndim}",
        "space: right-anterior-superior",
        "sizes: " + " ".join(map(str, image.data.shape)),
        "space directions: " + " ".join(columns + ["none"] * more),
        "kinds: " + " ".join(["domain"] * 3 + ["list"] * more),
        f"endian: {'big' if big else 'little'}",
        "encoding: gzip",
        f"space origin: {_vector(image.affine[:3, 3])}",
    ]
    return ("\n".join(lines) + "\n\n").encode("ascii")


def _split(content: bytes) -> tuple[dict[str, str], bytes]:
    """Fields by their lower-case names, and the bytes behind the empty line."""
    if not re.match(rb"NRRD000[1-5]\r?\n", content):
        raise InputRefused("image: is not an NRRD file, or of a version that is not known")
    end = re.search(rb"\r?\n\r?\n", content[:_MOST_HEADER])
    if end is None:
        raise InputRefused("image: its header has no end", hint="data in another file (.nhdr) are not read")
    fields: dict[str, str] = {}
    for line in content[: end.start()].decode("utf-8", "replace").splitlines()[1:]:
        if line.startswith("#") or ":=" in line:
            continue
        name, colon, value = line.partition(": ")
        if not colon:
            raise InputRefused("header: a line is neither a field, a comment nor a key with a value")
        name = re.sub(r"\s+", " ", name.strip().lower())
        if name in fields:
            raise InputRefused("header: a field stands there twice")
        fields[name] = value.strip()
    if _SUPPORT & fields.keys():
        raise InputRefused(
            "data file: the numbers are in another file, expected them attached",
            hint="join them: unu save -f nrrd -i IN.nhdr -o OUT.nrrd",
        )
    for name in ("line skip", "lineskip", "byte skip", "byteskip"):
        if fields.get(name, "0") != "0":
            raise InputRefused(f"{name}: bytes before the numbers are not read over")
    return fields, content[end.end() :]


def _field(fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise InputRefused(f"{name}: the header lacks this field")
    return fields[name]


def _refuse_colours(fields: dict[str, str]) -> None:
    for kind in fields.get("kinds", "").lower().split():
        if kind == "complex" or "color" in kind or "quaternion" in kind:
            raise InputRefused("kinds: holds colours or complex numbers, expected one real number a voxel")


def _dtype(fields: dict[str, str]) -> np.dtype[np.generic]:
    code = TYPES.get(_field(fields, "type").lower())
    if code is None:
        raise InputRefused("type: is none of NRRD's numbers, or a block")
    if code[1] == "1":
        return np.dtype(code)
    order = {"little": "<", "big": ">"}.get(_field(fields, "endian").lower())
    if order is None:
        raise InputRefused("endian: expected little or big")
    return np.dtype(order + code)


def _sizes(fields: dict[str, str]) -> tuple[int, ...]:
    words = _field(fields, "sizes").split()
    if not all(w.isascii() and w.isdecimal() and 0 < int(w) <= 1 << 20 for w in words):
        raise InputRefused("sizes: expected whole numbers above 0")
    if _field(fields, "dimension") != str(len(words)):
        raise InputRefused("dimension: is not the number of sizes")
    if len(words) not in (3, 4):
        raise InputRefused(f"image: has {len(words)} axes, expected 3 or 4")
    return tuple(map(int, words))


def _affine(fields: dict[str, str], axes: int) -> tuple[Array, int | None]:
    """(4, 4) voxel to RAS+ mm, and which axis is no spatial one."""
    signs = _SPACES.get(fields.get("space", "").lower())
    if signs is None or "space directions" not in fields:
        raise InputRefused(
            "space, space directions: are missing or of no anatomical space, so left and right are not known",
            hint="save the file from a program that knows where the patient lies",
        )
    units = fields.get("space units", "")
    if units and set(re.findall(r'"([^"]*)"', units)) - {"mm", ""}:
        raise InputRefused("space units: expected mm")
    words = re.findall(r"\([^()]*\)|none", fields["space directions"])
    if len(words) != axes:
        raise InputRefused("space directions: expected one for each axis")
    others = [axis for axis, word in enumerate(words) if word == "none"]
    if len(others) != axes - 3:
        raise InputRefused("space directions: expected three that are no `none`")
    affine = np.eye(4)
    columns = [_numbers(w, "space directions") for w in words if w != "none"]
    affine[:3, :3] = np.column_stack(columns)
    affine[:3, 3] = _numbers(fields.get("space origin", "(0,0,0)"), "space origin")
    affine[:3] *= np.array(signs)[:, None]
    return affine, others[0] if others else None


def _numbers(word: str, name: str) -> list[float]:
    try:
        numbers = [float(n) for n in word.strip().strip("()").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not all(math.isfinite(n) for n in numbers):
        raise InputRefused(f"{name}: expected vectors of three finite numbers")
    return numbers


def _unpacked(encoding: str, body: bytes, size: int) -> bytes:
    if encoding == "raw":
        return body
    if encoding not in ("gzip", "gz"):
        raise InputRefused("encoding: expected raw or gzip", hint="save the file with one of these")
    try:
        packed = zlib.decompressobj(31)
        out = packed.decompress(body, size + 1)
    except zlib.error:
        raise InputRefused("image: the compressed numbers are damaged", hint=_AGAIN) from None
    if len(out) <= size and not packed.eof:
        raise InputRefused("image: the compressed numbers are cut off", hint=_AGAIN)
    return out


def _vector(values: Array) -> str:
    return "(" + ",".join(repr(float(v)) for v in values) + ")"
