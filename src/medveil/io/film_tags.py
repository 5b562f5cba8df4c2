"""Tags: everything of an image file that is no pixel, as one JSON text that travels apart and sealed.

    file = head | stored numbers | tail      ->  {"head": ..., "tail": ..., "format": "dicom", "name": ...}

Here is who it was: names, dates, free text, and often a small picture of the image (a DICOM icon, a camera's
thumbnail). Whoever may read the tags should be one who may see the image. The name of the file is a tag as well,
since it is often a person's.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from medveil.core.errors import InputRefused, OutputFailed, VerificationFailed
from medveil.core.image import Array, Image

Format = Literal["dicom", "nifti", "mgh", "nrrd", "png", "jpeg"]
MOST_BYTES = 16 << 20
_WHAT = "medveil tags 1"


@dataclass(frozen=True, eq=False, repr=False)
class Tags:
    """What stood in a file beside its pixels.

    Args:
        format: of the file.
        name: of the file, without its folder.
        dtype: numpy's name of the numbers in the file with their byte order, `<i2`; `shape`: of the image.
        pixels: `digest` of the image.
        file: SHA-256 of the file that head, numbers and tail make (unpacked, where it was gzipped); '' where they
            make none.
        head, tail: bytes before and behind the numbers.
        parts: of PNG the ancillary chunks, of JPEG the application segments and comments: kind and bytes.
        upright: whether a camera's orientation was applied, so that EXIF speaks of pixels as they lay before.
        frames: of a DICOM volume, for each frame in the file where it is in the image: k and t.
        masked: whether bits above Bits Stored are 0 also for negative numbers.
        above: what those bits hold (drawings of old scanners), packed; b'' for nothing.
    """

    format: Format
    name: str
    dtype: str
    shape: tuple[int, ...]
    pixels: str
    file: str = ""
    head: bytes = b""
    tail: bytes = b""
    parts: tuple[tuple[str, bytes], ...] = ()
    upright: bool = False
    frames: tuple[tuple[int, int], ...] = ()
    masked: bool = False
    above: bytes = b""

    def to_bytes(self) -> bytes:
        """Canonical JSON, ASCII: the same tags give the same bytes.

        Raises:
            InputRefused: more than MOST_BYTES.
        """
        said = vars(self) | {
            "what": _WHAT,
            "head": _text(self.head),
            "tail": _text(self.tail),
            "above": _text(self.above),
            "parts": [[kind, _text(body)] for kind, body in self.parts],
        }
        packed = json.dumps(said, sort_keys=True, separators=(",", ":")).encode("ascii")
        if len(packed) > MOST_BYTES:
            raise InputRefused(f"tags: the file holds more than {MOST_BYTES >> 20} MiB beside its pixels")
        return packed

    @classmethod
    def from_bytes(cls, packed: bytes) -> Tags:
        """What `to_bytes` wrote.

        Raises:
            VerificationFailed: it did not write this.
        """
        try:
            if len(packed) > MOST_BYTES:
                raise ValueError
            said = json.loads(packed)
            if said.pop("what") != _WHAT or said["format"] not in get_args(Format):
                raise ValueError
            tags = cls(**{
                **said,
                "shape": _whole(said["shape"]),
                "head": _bytes(said["head"]),
                "tail": _bytes(said["tail"]),
                "above": _bytes(said["above"]),
                "parts": tuple((kind, _bytes(body)) for kind, body in said["parts"]),
                "frames": tuple((k, t) for k, t in map(_whole, said["frames"])),
            })  # fmt: skip
            if np.dtype(tags.dtype).kind not in "uif" or tags.to_bytes() != packed:
                raise ValueError
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, InputRefused):
            raise VerificationFailed("tags: are not what this program wrote, or of another version") from None
        return tags

    def numbers(self, data: Array) -> Array:
        """Numbers of an image in the type that the file has them in.

        Raises:
            OutputFailed: they are of another shape, or the type cannot hold them.
        """
        dtype = np.dtype(self.dtype)
        if data.shape != self.shape or not np.can_cast(data.dtype, dtype, "safe"):
            raise OutputFailed("image: is of another shape or type than the one its tags are of")
        return data.astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"Tags({self.format}, {len(self.head) + len(self.tail)} bytes)"


def digest(image: Image) -> str:
    """SHA-256 of type, shape and stored numbers, whatever the order of bytes."""
    data = image.data
    plain = np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("<"))
    told = f"{data.dtype.kind}{data.dtype.itemsize} {data.shape}\n".encode("ascii")
    return hashlib.sha256(told + plain.tobytes()).hexdigest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _whole(numbers: Any) -> tuple[int, ...]:
    if not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError
    return tuple(numbers)
