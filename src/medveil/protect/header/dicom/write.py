"""A cleaned dataset as the bytes of a DICOM file: preamble of zeros, file meta made from scratch.

The 128 bytes before `DICM` and group 0002 (titles of stations, private information, the writer's version) are where
cleaners that edit in place leave most; here nothing of them is copied but the transfer syntax, and the two UIDs
are those of the new dataset.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.report import Cleaned

# A UUID made for this program once, as PS3.5 B.2 asks; says only that medveil wrote the file.
IMPLEMENTATION = "2.25.88310652318463921154078613269872344117"
VERSION = "MEDVEIL"


def to_bytes(cleaned: Cleaned) -> bytes:
    """The file. The same dataset gives the same bytes.

    Raises:
        Quarantine: it has no instance UID, or pydicom can't write it.
    """
    import warnings

    from pydicom import config, dcmwrite
    from pydicom.uid import UID

    dataset: Any = cleaned.dataset
    instance = str(dataset.get("SOPInstanceUID", "") or "")
    if not instance:
        raise Quarantine("no UID of the instance", 0x00080018)
    dataset.file_meta = _meta(str(dataset.SOPClassUID), instance, cleaned.transfer_syntax)
    dataset.preamble = b"\0" * 128
    out = BytesIO()
    syntax = UID(cleaned.transfer_syntax)
    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            dcmwrite(
                out, dataset, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian,
                enforce_file_format=True,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 - no failure may leave a traceback with values
            raise Quarantine(f"could not be written ({type(error).__name__})") from None
    return out.getvalue()


def _meta(sop_class: str, instance: str, syntax: str) -> Any:
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = VERSION
    return meta
