"""Facts of a DICOM file: the few values by which an output is matched with its source and judged."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

KEYWORDS = (
    "PatientID", "StudyDate", "SeriesDate", "AcquisitionDate", "PatientBirthDate", "SOPInstanceUID",
    "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "InstanceNumber", "EchoTime", "RepetitionTime",
    "FlipAngle", "Modality", "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness",
    "ReferencedImageSequence.ReferencedSOPInstanceUID",
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Facts:
    """What a file says, as text, and what its pixels are.

    Args:
        values: keyword (or keywords with dots between, first items of sequences) to value; multiple values
            stand with a backslash between. Absent elements are missing.
        digest: SHA-256 of the decoded stored pixels, '' where there are none that can be read.
        pixels: the decoded stored pixels where the caller asked for them.
    """

    values: dict[str, str]
    digest: str = ""
    pixels: npt.NDArray[Any] | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"Facts({len(self.values)} values)"


def facts_of(file: BinaryIO, *, keep_pixels: bool = False) -> Facts | None:
    """Facts of a DICOM file, or None where it is none that can be read."""
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            data = dcmread(file)
            values = {path: text for path in KEYWORDS if (text := _value(data, path)) is not None}
        except Exception:  # noqa: BLE001 - whatever a broken file does to the parser, it is not an image
            return None
        try:
            pixels = np.asarray(data.pixel_array)
            raw = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)).tobytes()
            digest = hashlib.sha256(raw).hexdigest()
        except Exception:  # noqa: BLE001 - no pixels, or none this machine decodes
            return Facts(values)
    return Facts(values, digest, pixels if keep_pixels else None)


def _value(data: Any, path: str) -> str | None:
    *ahead, last = path.split(".")
    for keyword in ahead:
        items = data.get(keyword)
        if not items:
            return None
        data = items[0]
    if last not in data:
        return None
    value = data[last].value
    if value is None:
        return ""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        return str(value)
    return "\\".join(str(v) for v in value)
