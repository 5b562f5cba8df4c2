"""Plants the 166 markers of the leak table into one valid MR image, and the same patient's later images.

    visit-1/<name>.dcm   166 markers, slice 1          visit-2/....dcm  the same patient, other dates
    visit-1/image-2.dcm  slice 2, refers to slice 1    DICOMDIR         the media directory over them

The image is the small MR that pydicom ships; each file's pixels differ in one row, so that an output can be
matched with its source whatever it is called. They are called original images: of a secondary one text in the pixels
must be feared, and a careful de-identifier would withhold the whole file.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from medveil.measure.leak import dicom_places as places
from medveil.measure.leak.marker import Kind, Mint

_BYTES = ("OB", "OW", "UN")


def base_image(instance: int) -> Any:
    """pydicom's small MR image, its own identifiers emptied, with pixels that only this instance has.

    Args:
        instance: from 1 to 60; becomes InstanceNumber, and the row that is one grey level brighter.
    """
    from pydicom import dcmread
    from pydicom.data import get_testdata_file

    data = dcmread(str(get_testdata_file("MR_small.dcm", download=False)))
    for keyword in ("PatientName", "PatientID", "InstitutionName", "StationName", "ImageComments", "StudyID",
                    "NameOfPhysiciansReadingStudy", "OperatorsName"):  # fmt: skip
        data[keyword].value = ""
    if 0xFFFCFFFC in data:
        del data[0xFFFCFFFC]
    pixels = np.frombuffer(data.PixelData, "<i2").reshape(64, 64).copy()
    pixels[instance] += 1
    data["PixelData"].value = pixels.tobytes()
    data.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    data.InstanceNumber = str(instance)
    data.preamble = bytes(128)
    return data


def set_path(data: Any, path: str, value: Any) -> None:
    """Set an element by the keywords on the way to it; sequences get one item each."""
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.dataset import Dataset

    *ahead, last = path.split(".")
    for keyword in ahead:
        if keyword not in data:
            setattr(data, keyword, [Dataset()])
        data = data[keyword].value[0]
    tag = tag_for_keyword(last)
    if tag is None:
        raise ValueError(f"no such keyword: {last}")
    vr = dictionary_VR(tag).split(" or ")[0]
    data.add_new(tag, vr, padded(value) if vr in _BYTES else value)


def set_raw(data: Any, tag: int, vr: str, value: bytes, *, open_end: bool = False) -> None:
    """Set an element to bytes as they are, whatever its VR should hold; they are written unread.

    Args:
        open_end: write it with undefined length (PS3.5 6.2.2), as a sequence encoded as UN.
    """
    from pydicom.dataelem import RawDataElement
    from pydicom.tag import Tag

    length = 0xFFFFFFFF if open_end else len(value)
    data[Tag(tag)] = RawDataElement(Tag(tag), vr, length, value, 0, False, True)


def padded(text: str) -> bytes:
    """Text inside a field of bytes, of even length."""
    raw = b"\x00\x07" + text.encode() + b"\x07\x00"
    return raw + b"\x00" * (len(raw) % 2)


def stained_file(mint: Mint) -> Any:
    """The dataset with 166 markers; `to_bytes` writes it."""
    data = base_image(1)
    _fields(mint, data, "top-level identifiers", places.IDENTIFIERS)
    data["PatientName"].value = f"{data.PatientName}^JANE"
    _fields(mint, data, "top-level free text", places.FREE_TEXT)
    _fields(mint, data, "unlisted text", places.UNLISTED_TEXT)
    for kind, keywords in (("uid", places.UIDS), ("date", places.DATES), ("time", places.TIMES)):
        _fields(mint, data, "UIDs, dates, times", keywords, kind)  # type: ignore[arg-type]
    _fields(mint, data, "age over 89", ["PatientAge"], "age")
    for path in places.NESTED:
        kind = "date" if path.endswith("Date") else "uid" if path.endswith("UID") else "text"
        _fields(mint, data, "nested", [path], kind)  # type: ignore[arg-type]
    _private(mint, data)
    _fields(mint, data, "SR, graphics, RT", places.STRUCTURED)
    for tag, vr in places.OVERLAYS:
        value = mint.plant("overlays and curves", f"({tag >> 16:04x},{tag & 0xFFFF:04x})")
        data.add_new(tag, vr, padded(value) if vr in _BYTES else value)
    _fields(mint, data, "icon, document, signature, encrypted", places.OPAQUE)
    _fields(mint, data, "other", places.OTHER)
    set_raw(data, 0x00401010, "UN", mint.plant("other", "(0040,1010) as UN").encode() + b" ")
    _around(mint, data)
    return data


def later_image(mint: Mint, first: Any, instance: int, visit: int) -> Any:
    """Another image of the patient of `first`; of another visit, its dates and study are others."""
    data = base_image(instance)
    for keyword in ("PatientName", "PatientID", "PatientBirthDate"):
        setattr(data, keyword, first[keyword].value)
    data.SOPInstanceUID = mint.plant("second image and visit", "SOPInstanceUID", "uid")
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        value = first[keyword].value
        if visit > 1:
            value = mint.plant("second image and visit", keyword, "uid")
        setattr(data, keyword, value)
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate"):
        value = first[keyword].value
        if visit > 1:
            value = mint.plant("second image and visit", keyword, "date")
        setattr(data, keyword, value)
    set_path(data, "ReferencedImageSequence.ReferencedSOPClassUID", data.SOPClassUID)
    set_path(data, "ReferencedImageSequence.ReferencedSOPInstanceUID", first.SOPInstanceUID)
    return data


def to_bytes(data: Any) -> bytes:
    """A whole file, in the transfer syntax its meta information names."""
    from pydicom.filewriter import dcmwrite

    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    out = io.BytesIO()
    dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def _fields(mint: Mint, data: Any, group: str, paths: list[str], kind: Kind = "text") -> None:
    for path in paths:
        value = mint.plant(group, path, kind)
        if path == "AcquisitionDateTime":
            value += "120000.000000"
        set_path(data, path, value)


def _private(mint: Mint, data: Any) -> None:
    """Eleven private ones: creator, text, numbers, bytes, sequences, and one without a creator."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    creator = mint.plant("private", "creator (0011,0010)")
    data.add_new(0x00110010, "LO", creator)
    for offset, vr in enumerate(("LO", "SH", "PN", "LT", "ST", "UN", "OB")):
        value = mint.plant("private", f"{vr} (0011,10{offset:02x})")
        data.add_new(0x00111000 + offset, vr, padded(value) if vr in _BYTES else value)
    item = Dataset()
    item.add_new(0x00110010, "LO", creator)
    item.add_new(0x00111011, "LO", mint.plant("private", "item of a private sequence (0011,1010)"))
    item.PatientName = mint.plant("private", "name in a private sequence (0011,1010)")
    data.add_new(0x00111010, "SQ", Sequence([item]))
    data.add_new(0x00131001, "LO", mint.plant("private", "no creator (0013,1001)"))


def _around(mint: Mint, data: Any) -> None:
    """Seven around the dataset."""
    group = "preamble, meta, padding"
    data.preamble = (b"\0\0" + mint.plant(group, "preamble").encode()).ljust(128, b"\0")
    meta = data.file_meta
    meta.SourceApplicationEntityTitle = mint.plant(group, "(0002,0016)")
    meta.SendingApplicationEntityTitle = mint.plant(group, "(0002,0017)")
    meta.ImplementationVersionName = mint.plant(group, "(0002,0013)")
    meta.PrivateInformationCreatorUID = "1.3.6.1.4.1.5962.2"
    meta.PrivateInformation = padded(mint.plant(group, "(0002,0102)"))
    data["PixelData"].value += padded(mint.plant(group, "behind the last pixel"))
    data.add_new(0xFFFCFFFC, "OB", padded(mint.plant(group, "(fffc,fffc)")))
