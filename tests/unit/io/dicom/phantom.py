"""Series made in memory: every voxel has a number of its own, so that a misplaced one shows."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset

from medveil.io.dicom.pixels import EXPLICIT

AXIAL = (1, 0, 0, 0, 1, 0)
SAGITTAL = (0, 1, 0, 0, 0, -1)
COLUMNS, ROWS = 5, 4
MR, ENHANCED_MR, NUCLEAR = (f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("4", "4.1", "20"))


def number(k: int, t: int = 0) -> np.ndarray:
    """(ROWS, COLUMNS) of one slice: 1000 t + 100 k + 10 row + column."""
    rows, columns = np.indices((ROWS, COLUMNS))
    return (1000 * t + 100 * k + 10 * rows + columns).astype(np.uint16)


def file(
    pixels: np.ndarray, instance: int, *, sop_class: str = MR, syntax: str = EXPLICIT, **said: Any
) -> Dataset:
    """A file of these frames (H, W) or (N, H, W), with whatever else it should say."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.SOPClassUID = sop_class
    data.SOPInstanceUID = f"1.2.3.4.{instance}"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.5"
    data.PatientID, data.PatientName, data.Modality = "Canarini-17", "Canarini^Zoe", "MR"
    data.InstanceNumber = instance
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = pixels.shape[-2:]
    if pixels.ndim == 3:
        data.NumberOfFrames = pixels.shape[0]
    data.BitsAllocated = data.BitsStored = 8 * pixels.itemsize
    data.HighBit, data.PixelRepresentation = 8 * pixels.itemsize - 1, int(pixels.dtype.kind == "i")
    data.add_new(
        0x7FE00010, "OB" if pixels.itemsize == 1 else "OW", pixels.tobytes() + bytes(pixels.nbytes % 2)
    )
    for keyword, value in said.items():
        setattr(data, keyword, value)
    return data


def classic(
    *, orientation: Sequence[float] = AXIAL, first: Sequence[float] = (-10, -20, -30), step: Sequence[float] = (0, 0, 2),
    slices: int = 6, times: int = 1, **said: Any,
) -> list[Dataset]:  # fmt: skip
    """One file a slice: spacing 3 mm between rows, 1.5 mm between columns."""
    files = []
    for t in range(times):
        for k in range(slices):
            place = [float(f + k * s) for f, s in zip(first, step, strict=True)]
            files.append(
                file(
                    number(k, t), len(files) + 1, ImageOrientationPatient=list(orientation),
                    ImagePositionPatient=place, PixelSpacing=[3, 1.5], **said,
                )
            )  # fmt: skip
    return files


def item(**said: Any) -> Dataset:
    """An item of a sequence."""
    data = Dataset()
    for keyword, value in said.items():
        setattr(data, keyword, value)
    return data


def enhanced(order: Sequence[tuple[int, int]], *, slopes: Sequence[float] | None = None) -> Dataset:
    """One file of many frames, in this order of (slice, time): axial, as `classic` has it."""
    groups = []
    for n, (k, t) in enumerate(order):
        group = item(
            PlanePositionSequence=[item(ImagePositionPatient=[-10, -20, -30 + 2 * k])],
            FrameContentSequence=[item(TemporalPositionIndex=t + 1)],
        )
        if slopes:
            group.PixelValueTransformationSequence = [item(RescaleSlope=slopes[n], RescaleIntercept=-7)]
        groups.append(group)
    shared = item(
        PlaneOrientationSequence=[item(ImageOrientationPatient=list(AXIAL))],
        PixelMeasuresSequence=[item(PixelSpacing=[3, 1.5])],
    )
    return file(
        np.array([number(k, t) for k, t in order]), 1, sop_class=ENHANCED_MR,
        SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=groups,
    )  # fmt: skip


def written(data: Dataset, syntax: str) -> Dataset:
    """The dataset as it comes back from a file in this transfer syntax."""
    data.file_meta.TransferSyntaxUID = syntax
    out = BytesIO()
    data.save_as(out, implicit_vr=syntax.endswith("1.2"), little_endian=not syntax.endswith("1.2.2"),
                 enforce_file_format=True)  # fmt: skip
    out.seek(0)
    return dcmread(out)
