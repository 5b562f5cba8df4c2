"""Which kinds of object are taken at all: images are, documents are refused, what is unknown is refused too.

A structured report, a presentation state or an encapsulated PDF is made of text about a person; a screen capture
often has it burned in. Cleaning their headers would prove nothing, so they go to quarantine unless an option
asks for them; encapsulated documents always do.

Source: the registry of SOP classes, PS3.6 table A-1 (as pydicom ships it).
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from medveil.protect.header.dicom.rules import Options

Kind = Literal["image", "secondary capture", "report", "document", "directory", "other", "unknown"]

_REPORTS = ("SR Storage", "Presentation State", "Key Object", "Report", "Procedure Log", "Structured Display")
_OBJECTS = (
    "Image Storage",
    "Segmentation Storage",
    "Parametric Map Storage",
    "Spectroscopy Storage",
    "RT Dose Storage",
)


@cache
def kind(sop_class: str) -> Kind:
    """The kind of a SOP class.

    >>> kind("1.2.840.10008.5.1.4.1.1.4"), kind("1.2.840.10008.5.1.4.1.1.104.1"), kind("1.2.3")
    ('image', 'document', 'unknown')
    """
    from pydicom.uid import UID_dictionary

    if sop_class not in UID_dictionary:
        return "unknown"
    name = UID_dictionary[sop_class][0]
    if "Media Storage Directory" in name:
        return "directory"
    if "Encapsulated" in name:
        return "document"
    if any(word in name for word in _REPORTS) or sop_class.startswith("1.2.840.10008.5.1.4.1.1.88."):
        return "report"
    if "Secondary Capture" in name:
        return "secondary capture"
    # `Surface Segmentation Storage` and raster segmentations carry geometry, no text of their own.
    if any(part in name for part in _OBJECTS):
        return "image"
    return "other"


def refusal(sop_class: str, options: Options) -> str:
    """Why an object of this class is not taken, as a short phrase; empty if it is."""
    what = kind(sop_class)
    if what == "image":
        return ""
    if what == "secondary capture":
        return "" if options.secondary_capture else "screen capture"
    if what == "report":
        return "" if options.structured_reports else "report or presentation state"
    return {
        "document": "encapsulated document",
        "directory": "directory of files",
        "unknown": "unknown kind of object",
        "other": "kind of object that is no image",
    }[what]
