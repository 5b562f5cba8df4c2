"""Plants markers where DICOM cleaners seldom look: character sets, wrong VRs, sequences as UN, packed bytes.

charset-*.dcm    names in ISO 8859-9, UTF-8 and ISO 2022, three component groups each
odd.dcm          text in number fields, codes that are names, a dataset inside UN, gzip inside OB, odd groups
deflated.dcm     a deflated dataset: no plain byte of it is in the file
dual.dcm         also a TIFF file, by its preamble
frames.dcm       encapsulated pixels with bytes behind the last frame
DICOMDIR         the media directory, which names the patient again
"""

from __future__ import annotations

import base64
import gzip
import io
from typing import Any

from medveil.measure.leak.in_dicom import base_image, padded, set_path, set_raw
from medveil.measure.leak.marker import Mint

DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"


def odd_base(mint: Mint, instance: int) -> Any:
    """An image of a patient of its own."""
    data = base_image(instance)
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(data, keyword, mint.draw("uid"))
    data.PatientID = mint.plant("odd places", "PatientID")
    return data


def charset_image(mint: Mint, instance: int, charset: str) -> Any:
    """A name in a character set: `ISO_IR 148` (Turkish), `ISO_IR 192` (UTF-8) or `ISO 2022 IR 87` (Japanese)."""
    data = odd_base(mint, instance)
    group = "character sets"
    alphabetic = mint.draw()
    if charset == "ISO_IR 148":
        data.SpecificCharacterSet = charset
        words = [mint.turkish(), mint.turkish()]
        mint.note(group, f"PatientName, {charset}", "text", words[0])
        mint.note(group, f"InstitutionName, {charset}", "text", words[1])
        data.PatientName, data.InstitutionName = words[0], words[1]
        return data
    data.SpecificCharacterSet = ["", charset] if charset.startswith("ISO 2022") else charset
    ideographic, phonetic = mint.kanji(), mint.kanji()
    data.PatientName = f"{alphabetic}={ideographic}={phonetic}"
    comments = mint.kanji()
    data.ImageComments = comments
    for place, value in (("alphabetic", alphabetic), ("ideographic", ideographic), ("phonetic", phonetic)):
        mint.note(group, f"PatientName, {place}, {charset}", "text", value)
    mint.note(group, f"ImageComments, {charset}", "text", comments)
    return data


def odd_image(mint: Mint, instance: int) -> Any:
    """Fields that hold what their VR forbids, and bytes that hold what nobody expects."""
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    data, group = odd_base(mint, instance), "odd places"
    for keyword, tag, vr in (("PatientWeight", 0x00101030, "DS"), ("WindowCenter", 0x00281050, "DS"),
                             ("AcquisitionNumber", 0x00200012, "IS"), ("PatientAge", 0x00101010, "AS"),
                             ("StudyTime", 0x00080030, "TM"), ("PatientBirthDate", 0x00100030, "DA")):  # fmt: skip
        set_raw(data, tag, vr, mint.plant(group, f"text in {keyword} ({vr})").encode() + b" ")
    for keyword in ("ScanOptions", "Laterality", "PatientSex"):
        set_path(data, keyword, mint.plant(group, f"code {keyword} (CS)"))
    data.StudyDescription = "MR\0" + mint.plant(group, "behind a zero byte in StudyDescription")
    inner = Dataset()
    inner.PatientName = mint.plant(group, "sequence as UN, open end")
    set_raw(data, 0x00400275, "UN", _implicit_item(inner), open_end=True)
    inner.PatientName = mint.plant(group, "sequence as UN, known length")
    set_raw(data, 0x00081140, "UN", _implicit_item(inner))
    deep = Dataset()
    deep.add_new(0x00150010, "LO", "MADE UP")
    deep.add_new(0x00151002, "LO", mint.plant(group, "private sequence in a private sequence"))
    outer = Dataset()
    outer.add_new(0x00150010, "LO", "MADE UP")
    outer.add_new(0x00151001, "SQ", Sequence([deep]))
    data.add_new(0x00150010, "LO", "MADE UP")
    data.add_new(0x00151000, "SQ", Sequence([outer]))
    packed = mint.plant(group, "gzip in private bytes").encode()
    data.add_new(0x00151003, "OB", gzip.compress(packed * 4, mtime=0) + b"\0" * 8)
    coded = mint.plant(group, "base64 in text").encode()
    data.add_new(0x00151004, "UT", base64.b64encode(b"id:" + coded).decode())
    wide = mint.plant(group, "UTF-16 in private bytes")
    data.add_new(0x00151005, "OB", wide.encode("utf-16-le"))
    swapped = padded(mint.plant(group, "words of the other byte order"))
    data.add_new(
        0x00151006, "OW", bytes(b for i in range(0, len(swapped) - 1, 2) for b in swapped[i : i + 2][::-1])
    )
    set_raw(
        data, 0x00091001, "LO", mint.plant(group, "odd group without creator (0009,1001)").encode() + b" "
    )
    data.add_new(0x00081190, "UR", "https://pacs/" + mint.plant(group, "address RetrieveURL"))
    escaped = mint.turkish()
    mint.note(group, "JSON escapes in text", "text", escaped)
    data.add_new(0x00151007, "UT", '{"name": "' + escaped.encode("ascii", "backslashreplace").decode() + '"}')
    return data


def deflated_image(mint: Mint, instance: int) -> Any:
    """An image in the deflated transfer syntax."""
    data = odd_base(mint, instance)
    data.PatientName = mint.plant("packed bytes", "PatientName, deflated")
    data.PatientComments = mint.plant("packed bytes", "PatientComments, deflated")
    data.file_meta.TransferSyntaxUID = DEFLATED
    return data


def framed_image(mint: Mint, instance: int) -> Any:
    """RLE pixels, and a fragment more than there are frames."""
    from pydicom.encaps import encapsulate
    from pydicom.pixels.encoders import RLELosslessEncoder

    data = odd_base(mint, instance)
    raw = data.PixelData
    runs = next(RLELosslessEncoder.iter_encode(raw, rows=64, columns=64, samples_per_pixel=1, bits_allocated=16,
                bits_stored=16, pixel_representation=1, number_of_frames=1,
                photometric_interpretation="MONOCHROME2"))  # fmt: skip
    spare = padded(mint.plant("odd places", "fragment behind the last frame"))
    data["PixelData"].value = encapsulate([runs, spare], has_bot=False)
    data["PixelData"].is_undefined_length = True
    data.file_meta.TransferSyntaxUID = RLE
    return data


def tiff_preamble(mint: Mint) -> bytes:
    """A preamble that makes the file a TIFF as well, with an ImageDescription of its own."""
    text = mint.plant("odd places", "TIFF description in the preamble").encode() + b"\0"
    entry = (270).to_bytes(2, "little") + (2).to_bytes(2, "little")
    entry += len(text).to_bytes(4, "little") + (60).to_bytes(4, "little")
    start = b"II*\0" + (8).to_bytes(4, "little") + (1).to_bytes(2, "little") + entry + bytes(4)
    return (start.ljust(60, b"\0") + text).ljust(128, b"\0")


def media_directory(mint: Mint) -> bytes:
    """A DICOMDIR with one patient, one study and one image."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.filewriter import dcmwrite
    from pydicom.sequence import Sequence

    group = "media directory"
    records = []
    for kind, fields in (("PATIENT", ("PatientName", "PatientID", "PatientComments")),
                         ("STUDY", ("StudyDescription", "AccessionNumber")),
                         ("IMAGE", ("ReferencedFileID",))):  # fmt: skip
        item = Dataset()
        item.OffsetOfTheNextDirectoryRecord = 0
        item.RecordInUseFlag = 0xFFFF
        item.OffsetOfReferencedLowerLevelDirectoryEntity = 0
        item.DirectoryRecordType = kind
        for keyword in fields:
            setattr(item, keyword, mint.plant(group, f"{kind}: {keyword}"))
        records.append(item)
    data = Dataset()
    data.FileSetID = mint.plant(group, "FileSetID")
    data.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    data.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    data.FileSetConsistencyFlag = 0
    data.DirectoryRecordSequence = Sequence(records)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    meta.MediaStorageSOPInstanceUID = mint.draw("uid")
    meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    data.file_meta = meta
    out = io.BytesIO()
    dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


def _implicit_item(inner: Any) -> bytes:
    """One item in implicit VR little endian, as PS3.5 6.2.2 asks of a sequence encoded as UN."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    body = DicomBytesIO()
    body.is_little_endian, body.is_implicit_VR = True, True
    write_dataset(body, inner)
    raw: bytes = body.getvalue()
    return b"\xfe\xff\x00\xe0" + len(raw).to_bytes(4, "little") + raw
