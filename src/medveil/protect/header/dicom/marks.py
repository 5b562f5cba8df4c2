"""What was done, written into the file: last, and only what somebody has measured.

    (0012,0062) patient identity removed   YES, after cleaning
    (0012,0063) (0012,0064) method         the profile and options that were used, as text and as codes
    (0028,0303) time information           REMOVED, MODIFIED or UNMODIFIED, from the options
    (0028,0301) burned-in annotation       NO only if the pixels were searched and cleaned     -> code 113101
    (0028,0302) recognizable features      NO only if a face was measured gone                 -> code 113102

None means nobody looked, and then nothing is said; False means that something was found and is still there, and that
is said (YES). A mark that is wrong is worse than none: the reader stops looking.

Source: PS3.15 E.2 and E.3 (what must be written), PS3.16 CID 7050 (codes), PS3.3 C.7.1.1, C.7.6.1.1.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from medveil.core.errors import UsageError
from medveil.protect.header.dicom.rules import Options

BASIC = ("113100", "Basic Application Confidentiality Profile")
PIXELS = ("113101", "Clean Pixel Data Option")
FACES = ("113102", "Clean Recognizable Visual Features Option")
CODES: dict[str, tuple[str, str]] = {
    "graphics": ("113103", "Clean Graphics Option"),
    "structured": ("113104", "Clean Structured Content Option"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "full_dates": ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "modified_dates": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "characteristics": ("113108", "Retain Patient Characteristics Option"),
    "device": ("113109", "Retain Device Identity Option"),
    "uids": ("113110", "Retain UIDs Option"),
    "safe_private": ("113111", "Retain Safe Private Option"),
    "institution": ("113112", "Retain Institution Identity Option"),
}
Dates = Literal["REMOVED", "MODIFIED", "UNMODIFIED"]


def marks(
    dataset: Any, *, options: Options, face_removed: bool | None = None, pixels_cleaned: bool | None = None
) -> None:
    """Writes the marks into a cleaned dataset, in place. Call it last.

    Args:
        dataset: a pydicom Dataset that `clean` made.
        options: those that `clean` was given.
        face_removed: True if no face could be found in the released image by measurement; False if one was left.
        pixels_cleaned: True if the pixels were searched for text, and what was found was blanked; False if
            text was left.

    Raises:
        UsageError: the dataset holds marks already: they are another's, and it was not cleaned here.
    """
    if 0x00120062 in dataset or 0x00120064 in dataset:
        raise UsageError("marks: the dataset holds marks already, expected one that was just cleaned")
    implicit, little = dataset.original_encoding
    if little:
        for element in _raw(options, face_removed, pixels_cleaned, bool(implicit)):
            dataset[element.tag] = element
    else:
        dataset.update(_made(options, face_removed, pixels_cleaned))


@cache
def _raw(
    options: Options, face_removed: bool | None, pixels_cleaned: bool | None, implicit: bool
) -> list[Any]:
    """The marks undecoded, as most of a dataset is; the same in all files of a release."""
    from pydicom.filebase import DicomBytesIO
    from pydicom.filereader import read_dataset
    from pydicom.filewriter import write_dataset

    file = DicomBytesIO()
    file.is_implicit_VR, file.is_little_endian = implicit, True
    write_dataset(file, _made(options, face_removed, pixels_cleaned))
    file.seek(0)
    return list(read_dataset(file, implicit, True).values())


def _made(options: Options, face_removed: bool | None, pixels_cleaned: bool | None) -> Any:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    used = codes(options, face_removed=face_removed, pixels_cleaned=pixels_cleaned)
    items = []
    for value, meaning in used:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", meaning
        items.append(item)
    made = Dataset()
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = ["medveil", *(f"DICOM PS3.15 {value}" for value, _ in used)]
    made.DeidentificationMethodCodeSequence = Sequence(items)
    made.LongitudinalTemporalInformationModified = dates(options)
    if face_removed is not None:
        made.RecognizableVisualFeatures = "NO" if face_removed else "YES"
    if pixels_cleaned is not None:
        made.BurnedInAnnotation = "NO" if pixels_cleaned else "YES"
    return made


def codes(
    options: Options, *, face_removed: bool | None, pixels_cleaned: bool | None
) -> tuple[tuple[str, str], ...]:
    """The codes of CID 7050 that apply, each with its meaning, in the order of their numbers."""
    used = [BASIC]
    if pixels_cleaned:
        used.append(PIXELS)
    if face_removed:
        used.append(FACES)
    used += [code for name, code in CODES.items() if getattr(options, name)]
    return tuple(sorted(used))


def dates(options: Options) -> Dates:
    """What became of dates.

    >>> dates(Options()), dates(Options(modified_dates=False))
    ('MODIFIED', 'REMOVED')
    """
    if options.full_dates:
        return "UNMODIFIED"
    return "MODIFIED" if options.modified_dates else "REMOVED"
