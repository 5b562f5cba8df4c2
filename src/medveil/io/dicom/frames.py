"""Frames: each picture in a DICOM file with its place in space, its scaling and its place in time.

    classic         one frame, everything at the top level
    enhanced        PerFrameFunctionalGroupsSequence[f] . macro . attribute, else SharedFunctionalGroupsSequence[0]
    nuclear         first place in DetectorInformationSequence[0], further ones along the normal (SliceVector)

Coordinates are DICOM's (LPS+, mm): x to the left, y to the back, z to the head.

Source: DICOM PS3.3 C.7.6.2 (image plane), C.7.6.16.2 (functional groups), C.8.4.15 (NM reconstruction).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Frame:
    """One picture.

    Args:
        position: (3,) centre of the first pixel, LPS mm.
        row, column: (3,) unit vectors along which the index of the column, of the row grows.
        spacing: (2,) between rows, between columns, mm.
        slope, intercept: real value = slope * stored number + intercept.
        order: by which frames of one place are sorted in time.
    """

    position: Floats
    row: Floats
    column: Floats
    spacing: Floats
    slope: float
    intercept: float
    order: tuple[float, ...]

    def __repr__(self) -> str:
        return "Frame(...)"


def frames_of(dataset: Any) -> list[Frame]:
    """The frames of a file, in its order.

    Raises:
        InputRefused: a frame has no place in space, or what says so cannot be read.
    """
    try:
        return list(_frames(dataset))
    except InputRefused:
        raise
    except Exception:  # noqa: BLE001 - pydicom's errors show values
        raise InputRefused("series: the geometry of a file cannot be read") from None


def _frames(dataset: Any) -> Iterator[Frame]:
    n = max(int(dataset.get("NumberOfFrames") or 1), 1)
    per_frame = dataset.get("PerFrameFunctionalGroupsSequence") or ()
    shared = dataset.get("SharedFunctionalGroupsSequence") or ()
    if dataset.get("ModalityLUTSequence"):
        raise InputRefused("series: its values go through a lookup table, expected slope and intercept")
    if per_frame:
        if len(per_frame) != n:
            raise InputRefused("series: a file describes another number of frames than it holds")
        for index, group in enumerate(per_frame):
            yield _frame(Groups(dataset, (group, *shared[:1])), index)
    elif dataset.get("DetectorInformationSequence") and "ImagePositionPatient" not in dataset:
        yield from _nuclear(dataset, n)
    elif n == 1:
        yield _frame(Groups(dataset, tuple(shared[:1])), 0)
    else:
        raise InputRefused("series: a file has several frames, and does not say where each of them lies")


class Groups:
    """Where an attribute of a frame may stand: its own group, the shared one, the top level."""

    def __init__(self, dataset: Any, groups: tuple[Any, ...]) -> None:
        self.dataset = dataset
        self.groups = groups

    def get(self, macro: str, keyword: str, elsewhere: str = "") -> Any:
        for group in self.groups:
            items = group.get(macro)
            if items and items[0].get(keyword) is not None:
                return items[0].get(keyword)
        return self.dataset.get(elsewhere or keyword)


def _frame(at: Groups, index: int) -> Frame:
    def number(macro: str, keyword: str, elsewhere: str = "") -> float:
        return float(at.get(macro, keyword, elsewhere) or 0)

    orientation = _numbers(
        at.get("PlaneOrientationSequence", "ImageOrientationPatient"), 6, "ImageOrientationPatient"
    )
    slope, intercept = (
        at.get("PixelValueTransformationSequence", k) for k in ("RescaleSlope", "RescaleIntercept")
    )
    scaling = _numbers((1 if slope is None else slope, intercept or 0), 2, "RescaleSlope")
    if scaling[0] == 0:
        raise InputRefused("RescaleSlope: is 0, the values are lost")
    content = "FrameContentSequence"
    return Frame(
        position=_numbers(at.get("PlanePositionSequence", "ImagePositionPatient"), 3, "ImagePositionPatient"),
        row=orientation[:3],
        column=orientation[3:],
        spacing=_numbers(at.get("PixelMeasuresSequence", "PixelSpacing"), 2, "PixelSpacing"),
        slope=float(scaling[0]),
        intercept=float(scaling[1]),
        order=(
            number(content, "TemporalPositionIndex", "TemporalPositionIdentifier"),
            number(content, "FrameAcquisitionNumber", "AcquisitionNumber"),
            number("MREchoSequence", "EffectiveEchoTime", "EchoTime"),
            number("MRDiffusionSequence", "DiffusionBValue"),
            float(at.dataset.get("InstanceNumber") or 0),
            float(index),
        ),
    )


def _nuclear(dataset: Any, n: int) -> Iterator[Frame]:
    """Reconstructed slices of a gamma camera: a first place, and steps along the normal, with their sign."""
    detector = dataset.DetectorInformationSequence[0]
    orientation = _numbers(detector.get("ImageOrientationPatient"), 6, "ImageOrientationPatient")
    first = _numbers(detector.get("ImagePositionPatient"), 3, "ImagePositionPatient")
    pointer = dataset.get("FrameIncrementPointer")
    slices = _numbers(dataset.get("SliceVector"), n, "SliceVector") if n > 1 else np.ones(1)
    if n > 1 and (pointer != 0x00540080 or sorted(slices) != list(range(1, n + 1))):
        raise InputRefused("series: its frames are no stack of slices")
    step = _numbers((dataset.get("SpacingBetweenSlices") or 0,), 1, "SpacingBetweenSlices")[0]
    slope = dataset.get("RescaleSlope")
    scaling = _numbers(
        (1 if slope is None else slope, dataset.get("RescaleIntercept") or 0), 2, "RescaleSlope"
    )
    if scaling[0] == 0:
        raise InputRefused("RescaleSlope: is 0, the values are lost")
    for index, place in enumerate(slices):
        yield Frame(
            position=first + (place - 1) * step * np.cross(orientation[:3], orientation[3:]),
            row=orientation[:3],
            column=orientation[3:],
            spacing=_numbers(dataset.get("PixelSpacing"), 2, "PixelSpacing"),
            slope=float(scaling[0]),
            intercept=float(scaling[1]),
            order=(float(dataset.get("InstanceNumber") or 0), float(index)),
        )


def _numbers(value: Sequence[Any] | Any, many: int, keyword: str) -> Floats:
    if value is None:
        raise InputRefused(f"series: its images do not say where they lie, {keyword} is missing")
    try:
        numbers = np.array([float(v) for v in value], dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (many,) or not np.isfinite(numbers).all():
        raise InputRefused(f"{keyword}: expected {many} finite numbers in every image of the series")
    return numbers
