"""Volumes apart and together again: NIfTI and MGH are head, numbers and tail, so both ends are tags.

    .nii .nii.gz     header, extensions | numbers | whatever follows
    .mgh .mgz        284 bytes          | numbers | scan parameters, command lines
    .nrrd            fields, comments, keys (kept, and not put back: its numbers are packed anew)

What is read through `formats` is checked there; here only bytes are cut.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import IO, cast

from medveil.core.errors import InputRefused, OutputFailed, VerificationFailed
from medveil.core.image import Image
from medveil.io import formats, mgh, nifti
from medveil.io.aside import write_aside
from medveil.io.film_tags import MOST_BYTES, Format, Tags, digest

SUFFIXES: dict[str, Format] = {
    ".nii": "nifti", ".nii.gz": "nifti", ".mgh": "mgh", ".mgz": "mgh", ".nrrd": "nrrd",
}  # fmt: skip


def format_by_name(path: Path) -> Format | None:
    """nifti, mgh or nrrd by the end of a file's name."""
    name = path.name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


def read_volume_file(path: Path) -> tuple[Image, Tags]:
    """The image in a NIfTI, MGH or NRRD file, and what else stands there.

    Raises:
        InputRefused: as `formats.read`; more than 16 MiB beside the voxels.
    """
    image, kind = formats.read(path), format_by_name(path) or "nifti"
    tags = Tags(kind, path.name, image.data.dtype.str, image.data.shape, digest(image))
    head, tail = _ends(path, kind, image)
    if len(head) + len(tail) > MOST_BYTES:
        raise InputRefused(f"tags: the file holds more than {MOST_BYTES >> 20} MiB beside its voxels")
    tags = replace(tags, head=head, tail=tail)
    return image, tags if kind == "nrrd" else replace(tags, file=_digest(tags, image))


def write_volume_file(image: Image, path: Path, tags: Tags | None, *, lossless: bool) -> None:
    """Write a volume: with tags of the same format between its own head and tail, else under a fresh header.

    Raises:
        OutputFailed: what the format cannot hold, permissions, disk full.
        VerificationFailed: lossless, and with its tags it does not make the file they are of.
    """
    kind = format_by_name(path)
    if tags is None or tags.format != kind or kind == "nrrd":
        formats.write(image, path)
        return
    if image.kind in ("photo", "film"):
        raise OutputFailed("image: is a picture, expected a volume")
    if lossless and _digest(tags, image) != tags.file:
        raise VerificationFailed("image: with its tags it does not make the file they are of")
    parts = _parts(tags, image)
    with write_aside(path, "image") as file:
        if path.name.lower().endswith(("gz", "mgz")):
            with gzip.GzipFile(
                filename="", mode="wb", compresslevel=nifti.LEVEL, fileobj=file, mtime=0
            ) as packed:
                for part in parts:
                    packed.write(part)
        else:
            for part in parts:
                file.write(part)


def _parts(tags: Tags, image: Image) -> tuple[bytes, bytes, bytes]:
    return tags.head, tags.numbers(image.data).tobytes(order="F"), tags.tail


def _digest(tags: Tags, image: Image) -> str:
    whole = hashlib.sha256()
    for part in _parts(tags, image):
        whole.update(part)
    return whole.hexdigest()


def _ends(path: Path, kind: Format, image: Image) -> tuple[bytes, bytes]:
    """Bytes before and behind the numbers, unpacked."""
    try:
        if kind == "nifti":
            with nifti.open_nifti(path) as stream:
                offset = stream.file.tell()
                stream.file.seek(0)
                return _cut(stream.file, offset, image.data.nbytes)
        if kind == "mgh":
            with open(path, "rb") as raw:
                packed = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                file = cast(IO[bytes], gzip.GzipFile(fileobj=raw, mode="rb") if packed else raw)
                return _cut(file, mgh.HEADER, image.data.nbytes)
        with open(path, "rb") as file:
            start = file.read(MOST_BYTES)
        ends = [start.find(mark) + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if mark in start]
        return start[: min(ends)], b""
    except OSError:
        raise InputRefused("image: could not be read") from None


def _cut(file: IO[bytes], offset: int, size: int) -> tuple[bytes, bytes]:
    if offset > MOST_BYTES:
        raise InputRefused(f"tags: the file holds more than {MOST_BYTES >> 20} MiB beside its voxels")
    head = file.read(offset)
    file.seek(offset + size)
    return head, file.read(MOST_BYTES + 1)
