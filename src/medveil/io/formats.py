"""The image formats that go in and come out, by the name of the file: NIfTI, MGH and NRRD.

    .nii .nii.gz       io/nifti.py, io/header.py     header from an allowlist of the source's facts
    .mgz .mgh          io/mgh.py                     header from the image alone
    .nrrd              io/nrrd.py                    header from the image alone
    .nhdr .mnc .hdr    ──                            refused by name, with a hint

A release keeps the format it was given: whoever shares FreeSurfer volumes has tools that read them.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.io import header, mgh, nifti, nrrd
from medveil.io.header import HeaderFacts
from medveil.io.minc import HINT
from medveil.io.names import is_image

__all__ = ["check", "facts", "is_image", "read", "remarks", "write"]

ALIGNED = 2  # NIfTI's code of a frame that need not be the scanner's: neither format says which one it is
_DROPPED = {
    ".mgz": "of MGH, scan parameters and tags (the history of commands) were not carried",
    ".nrrd": "of NRRD, comments and key/value pairs (gradient directions among them) were not carried",
}


def read(path: Path) -> Image:
    """The image in a file, with the numbers as they are stored.

    Raises:
        InputRefused: whatever the format's own reader refuses; MINC and NRRD with its data elsewhere, by name.
    """
    kind = _kind(path)
    return mgh.read(path) if kind == ".mgz" else nrrd.read(path) if kind == ".nrrd" else nifti.read(path)


def write(image: Image, path: Path, *, like: Path | None = None) -> None:
    """Write an image in the format its new name asks for, under a fresh header.

    Args:
        like: the source, if it is NIfTI its allowlisted facts are carried; the others' headers come from the image.

    Raises:
        OutputFailed: what the format cannot hold, permissions, disk full.
    """
    kind = _kind(path)
    if kind == ".mgz":
        mgh.write(image, path)
    elif kind == ".nrrd":
        nrrd.write(image, path)
    else:
        said = header.read_facts(like) if like is not None and not _kind(like) else None
        nifti.write(image, path, facts=said)


def facts(path: Path, image: Image | None = None) -> HeaderFacts:
    """What a NIfTI header says, or would say, of an image: for its mask, and for who asks where it lies.

    Args:
        path: the file.
        image: what `read` gave, if it was read already; only NIfTI can be asked without all of it.

    Raises:
        InputRefused: as `read`.
    """
    if not _kind(path):
        return header.read_facts(path)
    said = nifti.facts_for(image or read(path))
    return replace(said, sform_code=ALIGNED, qform_code=ALIGNED * bool(said.qform_code))


def remarks(path: Path, said: HeaderFacts) -> tuple[str, ...]:
    """What a person should know about a file that was taken: its place in space, and what its format loses."""
    kind = _kind(path)
    return (*said.remarks, *([_DROPPED[kind]] if kind else []))


def check(path: Path, original: Path | None = None) -> list[str]:
    """What a file holds beside its image, by name and never by value; [] is good.

    NIfTI: `header.check_header`. The others: whatever is not what `write` would write of the same image. With
    `original`, what is not as in the source.

    Raises:
        InputRefused: it is no such file at all.
    """
    kind = _kind(path)
    if not kind:
        return header.check_header(path, original)
    image = read(path)
    problems = _beside_mgh(path, image) if kind == ".mgz" else _beside_nrrd(path, image)
    if original is not None:
        theirs = read(original)
        same = {
            "shape": image.data.shape == theirs.data.shape,
            "data type": image.data.dtype == theirs.data.dtype,
            "affine": np.array_equal(image.affine, theirs.affine),
        }
        problems += [f"{what} differs from the source" for what, holds in same.items() if not holds]
    return problems


def _kind(path: Path) -> str:
    """.mgz or .nrrd; '' for NIfTI, and for what NIfTI's reader refuses.

    Raises:
        InputRefused: a format that is known and not taken.
    """
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".nhdr"):
        raise InputRefused(
            "image: is an NRRD header whose voxels lie in another file, expected .nrrd",
            hint="join them: unu save -f nrrd -i IN.nhdr -o OUT.nrrd",
        )
    if name.endswith(".mnc"):
        raise InputRefused("image: is a MINC file, expected NIfTI, MGH or NRRD", hint=HINT)
    suffix = PurePosixPath(path.name.lower()).suffix
    return {".mgh": ".mgz", ".mgz": ".mgz", ".nrrd": ".nrrd"}.get(suffix, "")


def _beside_mgh(path: Path, image: Image) -> list[str]:
    problems: list[str] = []
    content = _bytes(path)
    fresh = mgh.encoded(image)
    if content[:2] == b"\x1f\x8b":
        content, problems = _unpacked(content, len(fresh) + 1)
    if content[: mgh.HEADER] != fresh[: mgh.HEADER]:
        problems.append("header holds more than the image needs")
    return problems + ["bytes after the data"] * (len(content) > len(fresh))


def _beside_nrrd(path: Path, image: Image) -> list[str]:
    content, fresh = _bytes(path), nrrd.header(image)
    if not content.startswith(fresh):
        return ["header holds other fields, comments or keys than the image needs"]
    voxels, problems = _unpacked(content[len(fresh) :], image.data.nbytes + 1)
    return problems + ["bytes after the data"] * (len(voxels) > image.data.nbytes)


def _unpacked(content: bytes, most: int) -> tuple[bytes, list[str]]:
    """The first bytes of a gzip member, and what is in it or behind it beside them (RFC 1952)."""
    member, problems = zlib.decompressobj(wbits=31), []
    if any(content[3:8]):  # flags of name, comment and extra field, and the time
        problems.append("gzip header holds a name, a comment or a time")
    try:
        plain = member.decompress(content, most)
        while member.unconsumed_tail and not member.eof:
            member.decompress(member.unconsumed_tail, 1 << 24)  # only to find the end
    except zlib.error:
        raise InputRefused("image: the compressed file is damaged") from None
    return plain, problems + ["bytes after the gzip member"] * bool(member.unused_data)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise InputRefused("image: could not be read") from None
