"""Identifiers: what a DICOM source itself says about its people, to be searched for in what was made of it.

    PN ──> names        UI ──> UIDs (but DICOM's own)        DA, DT ──> days
    LO, SH, ST, LT, UT of elements that number or place people ──> ids and texts

Nothing is taken out of free text: a comment is searched whole. Read it once a series, not once a file: it decodes
every element.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from medveil.core.errors import InputRefused
from medveil.io.residual import Identifier, Kind, searchable

IDS = frozenset(
    {
        "PatientID", "OtherPatientIDs", "IssuerOfPatientID", "AccessionNumber", "StudyID", "AdmissionID",
        "MedicalRecordLocator", "PatientTelephoneNumbers", "DeviceSerialNumber", "StationName", "PerformedStationName",
        "RequestedProcedureID", "ScheduledProcedureStepID", "PerformedProcedureStepID",
        "PlacerOrderNumberImagingServiceRequest", "FillerOrderNumberImagingServiceRequest",
    }
)  # fmt: skip
TEXTS = frozenset(
    {
        "PatientAddress", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "PatientComments",
        "ImageComments", "AdditionalPatientHistory", "StudyComments", "ReferringPhysicianAddress", "Occupation",
    }
)  # fmt: skip
_DEEPEST = 16


def dicom_identifiers(path: Path) -> list[Identifier]:
    """Everything in a DICOM file worth searching for; each once, in the order met.

    Raises:
        InputRefused: not a DICOM file, or one that can't be parsed.
    """
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            data = dcmread(path, stop_before_pixels=True)
        except Exception:  # noqa: BLE001 - whatever a broken file does to the parser, values stay out of the error
            raise _unreadable() from None
    return identifiers_of(data)


def identifiers_of(data: Any, *, without: Collection[str] = ()) -> list[Identifier]:
    """The same of a pydicom dataset that is read already.

    Args:
        without: keywords of elements that may stay as they are.

    Raises:
        InputRefused: an element cannot be decoded.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = list(_walk(data, 0, frozenset(without)))
        except Exception:  # noqa: BLE001 - as above
            raise _unreadable() from None
    return [i for i in dict.fromkeys(found) if searchable(i)]


def _walk(data: Any, depth: int, without: frozenset[str]) -> Iterator[Identifier]:
    for element in data:
        if element.keyword in without:
            continue
        if element.VR == "SQ":
            if depth < _DEEPEST:
                for item in element.value or ():
                    yield from _walk(item, depth + 1, without)
            continue
        kind = _kind(element)
        if kind and element.value:
            many = element.value if element.VM > 1 else [element.value]
            yield from (Identifier(kind, str(v)) for v in many)


def _kind(element: Any) -> Kind | None:
    if element.VR == "PN":
        return "name"
    if element.VR in ("DA", "DT"):
        return "date"
    if element.VR == "UI":
        return "uid"
    if element.keyword in IDS:
        return "id"
    return "text" if element.keyword in TEXTS else None


def _unreadable() -> InputRefused:
    return InputRefused("source: a DICOM file could not be parsed, so nothing can be searched for")
