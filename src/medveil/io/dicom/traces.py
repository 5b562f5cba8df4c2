"""Traces of a DICOM series: every element of its first file that says something, by kind; see `medveil.io.traces`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from medveil.core.errors import InputRefused

_KINDS = {"UI": "identifier", "DA": "date", "DT": "date", "TM": "date", "PN": "identifier"}
_TEXTS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT", "UN"})
_NO_TRACE = frozenset({"SOPClassUID", "PatientID", "PatientName"})  # labels are how a cohort says who is who
_LONGEST = 1024


def dicom_traces(path: Path) -> dict[str, str]:
    """Elements at the top of a file as traces; sequences, bulk data and the person's own label are none.

    Raises:
        InputRefused: it cannot be parsed.
    """
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            data = dcmread(path, stop_before_pixels=True)
            return dict(found for element in data if (found := _trace(element)))
        except Exception as error:  # noqa: BLE001 - whatever a broken file does to the parser
            raise InputRefused(f"image: a DICOM file could not be parsed ({type(error).__name__})") from None


def _trace(element: Any) -> tuple[str, str] | None:
    if element.VR == "SQ" or element.keyword in _NO_TRACE or element.value in (None, "", b""):
        return None
    value = element.value.hex() if isinstance(element.value, bytes) else str(element.value)
    name = element.keyword or f"{element.tag.group:04X}{element.tag.element:04X}"
    return (f"{_kind(element)}.{name}", value) if len(value) <= _LONGEST else None


def _kind(element: Any) -> str:
    if "Serial" in element.keyword or element.keyword == "StationName":
        return "serial"
    return _KINDS.get(element.VR, "text" if element.VR in _TEXTS else "acquisition")
