"""DICOM series of images that a test has: slices as a scanner writes them, with names where scanners put them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from medveil.core.image import Image

PERSON = "Canarini^Zoe"
WORDS = ("Canarini", "ZQ-4711-XT", "Klinik Quellberg", "ZQACC77", "19610523")  # none may come out


def write_series(
    image: Image,
    folder: Path,
    *,
    patient: str = "ZQ-4711-XT",
    study: int = 1,
    series: int = 1,
    day: str = "20240229",
) -> list[Path]:
    """Write a volume as a classic MR series, one file a slice; the files, in the order of the slices."""
    from pydicom.dataset import Dataset, FileMetaDataset

    folder.mkdir(parents=True)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ image.affine
    spacing, paths = image.spacing_mm, []
    for k in range(image.data.shape[2]):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        root = f"1.2.826.0.1.3680043.8.498.{study}"
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{root}.{series}.{k + 1}"
        data.StudyInstanceUID, data.SeriesInstanceUID = root, f"{root}.{series}"
        data.FrameOfReferenceUID = f"{root}.99"
        data.Modality, data.Manufacturer = "MR", "SIEMENS"
        data.ImageType = ["ORIGINAL", "PRIMARY", "M", "NORM"]
        data.PatientName, data.PatientID, data.PatientBirthDate = PERSON, patient, "19610523"
        data.InstitutionName, data.AccessionNumber = "Klinik Quellberg", "ZQACC77"
        data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = day
        data.StudyTime, data.SeriesDescription, data.SeriesNumber = "101112", "t1_mprage Canarini", series
        data.InstanceNumber, data.SliceThickness = k + 1, spacing[2]
        data.ImagePositionPatient = [float(f"{v:.6f}") for v in (lps @ [0, 0, k, 1])[:3]]
        axes = [*(lps[:3, 0] / spacing[0]), *(lps[:3, 1] / spacing[1])]
        data.ImageOrientationPatient = [float(f"{v:.6f}") for v in axes]
        data.PixelSpacing = [spacing[1], spacing[0]]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.Rows, data.Columns = image.data.shape[1], image.data.shape[0]
        data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
        data.PixelRepresentation = int(np.issubdtype(image.data.dtype, np.signedinteger))
        data.PixelData = np.ascontiguousarray(image.data[:, :, k].T.astype(image.data.dtype)).tobytes()
        paths.append(folder / f"{PERSON}-{series}-{k:04d}.dcm")
        data.save_as(paths[-1], enforce_file_format=True)
    return paths
