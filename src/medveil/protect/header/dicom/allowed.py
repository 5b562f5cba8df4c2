"""What may stay although no table names it: facts of the acquisition, each with its reason and its shape.

PS3.15's table lists only a third of the attributes that hold text, so a cleaner that drops what the table lists
leaks the rest. Here it is the other way round: text, unknown binary and dates that no rule names go; the elements
below stay, if their value has the shape they must have. `lines()` prints the list: it is what a release gives away
on purpose.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Shape = Literal["maker", "model", "version", "label", "code", "meaning", "binary"]

# ASCII without the sign that separates the parts of a person's name; a longer text is a sentence.
_SHAPES: dict[str, re.Pattern[str]] = {
    "maker": re.compile(r"[A-Za-z0-9 ._,&()/\-]{0,64}"),
    "model": re.compile(r"[A-Za-z0-9 ._+()/\-]{0,40}"),
    "version": re.compile(r"[A-Za-z0-9 ._+:*,()\[\]/\-]{0,64}"),
    "label": re.compile(r"[A-Za-z0-9 ._+:;*#()/\-]{0,32}"),
    "code": re.compile(r"[A-Za-z0-9._\-]{0,16}"),
    "meaning": re.compile(r"[A-Za-z0-9 ,.()/&%'\-]{0,64}"),
}
_MAKERS = re.compile(
    r"siemens|healthineers|general electric|\bge\b|gems|philips|toshiba|canon|hitachi|fujifilm|uih|united imaging|"
    r"bruker|varian|agilent|hyperfine|esaote|mediso|shimadzu|hologic|neusoft|cps|adac|marconi|picker|elscint|"
    r"medical systems|aloka|acuson|atl|sonosite|kodak|agfa|konica|samsung|medison|carestream|lumisys",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Fact:
    """One element that may stay: its keyword, the shape its value must have, and why it is needed."""

    keyword: str
    shape: Shape
    reason: str


_MAKER = "differences between makers must be modelled by whoever pools scans"
_METHOD = "how the image was made; needed to repeat or to pool it"
_CODE = "a code of a published scheme"
FACTS: dict[int, Fact] = {
    0x00080070: Fact("Manufacturer", "maker", _MAKER),
    0x00081090: Fact("ManufacturerModelName", "model", _MAKER),
    0x00181020: Fact(
        "SoftwareVersions", "version", "reconstruction changes with it; conversion depends on it"
    ),
    0x00180024: Fact("SequenceName", "label", _METHOD),
    0x00189005: Fact("PulseSequenceName", "label", _METHOD),
    0x00180085: Fact("ImagedNucleus", "code", _METHOD),
    0x00181250: Fact("ReceiveCoilName", "label", _METHOD),
    0x00181251: Fact("TransmitCoilName", "label", _METHOD),
    0x00189047: Fact("MultiCoilElementName", "label", _METHOD),
    0x00181160: Fact("FilterType", "label", _METHOD),
    0x00181210: Fact("ConvolutionKernel", "label", _METHOD),
    0x00189320: Fact("ImageFilter", "label", _METHOD),
    0x00281054: Fact("RescaleType", "code", "the unit of the stored values"),
    0x00541101: Fact("AttenuationCorrectionMethod", "label", _METHOD),
    0x00541103: Fact("ReconstructionMethod", "label", _METHOD),
    0x00541105: Fact("ScatterCorrectionMethod", "label", _METHOD),
    0x00080100: Fact("CodeValue", "code", _CODE),
    0x00080102: Fact("CodingSchemeDesignator", "code", _CODE),
    0x00080103: Fact("CodingSchemeVersion", "code", _CODE),
    0x00080104: Fact("CodeMeaning", "meaning", _CODE + " says what it means"),
    0x00281201: Fact("RedPaletteColorLookupTableData", "binary", "needed to show the image"),
    0x00281202: Fact("GreenPaletteColorLookupTableData", "binary", "needed to show the image"),
    0x00281203: Fact("BluePaletteColorLookupTableData", "binary", "needed to show the image"),
    0x00281221: Fact("SegmentedRedPaletteColorLookupTableData", "binary", "needed to show the image"),
    0x00281222: Fact("SegmentedGreenPaletteColorLookupTableData", "binary", "needed to show the image"),
    0x00281223: Fact("SegmentedBluePaletteColorLookupTableData", "binary", "needed to show the image"),
    0x00283006: Fact("LUTData", "binary", "needed to show the image"),
    0x7FE00008: Fact("FloatPixelData", "binary", "the image"),
    0x7FE00009: Fact("DoubleFloatPixelData", "binary", "the image"),
    0x7FE00010: Fact("PixelData", "binary", "the image"),
}


@dataclass(frozen=True)
class Telling:
    """A number that goes unless an option keeps it: its keyword, the option, and whom it singles out."""

    keyword: str
    option: Literal["device", "characteristics"]
    reason: str


_MAGNET = "exact to the hertz, it tells one magnet from another"
_BODY = "the scanner computes it for the body that lies in it"
TELLING: dict[int, Telling] = {
    0x00180084: Telling("ImagingFrequency", "device", _MAGNET),
    0x00189098: Telling("TransmitterFrequency", "device", _MAGNET),
    0x00181316: Telling("SAR", "characteristics", _BODY),
    0x00189181: Telling("SpecificAbsorptionRateValue", "characteristics", _BODY),
    0x00181318: Telling("dBdt", "characteristics", _BODY),
    0x00189182: Telling("GradientOutput", "characteristics", _BODY),
    0x00181320: Telling("B1rms", "characteristics", _BODY),
}


def fits(fact: Fact, value: str) -> bool:
    """Whether one value of a text element has its shape; a maker must also be a known one.

    >>> fits(FACTS[0x00080070], "SIEMENS"), fits(FACTS[0x00080070], "Jane Doe"), fits(FACTS[0x00181210], "A^B")
    (True, False, False)
    """
    value = value.strip(" \0")
    if _SHAPES[fact.shape].fullmatch(value) is None:
        return False
    return not value or fact.shape != "maker" or _MAKERS.search(value) is not None


def lines() -> list[str]:
    """The list in words: one line an element, for a report or a terminal."""
    listed = [f"({t >> 16:04X},{t & 0xFFFF:04X}) {f.keyword}: {f.reason}" for t, f in sorted(FACTS.items())]
    withheld = [
        f"but not ({tag >> 16:04X},{tag & 0xFFFF:04X}) {t.keyword}, unless option {t.option}: {t.reason}"
        for tag, t in sorted(TELLING.items())
    ]
    return [
        *listed,
        "numbers (binary or as text): facts of the acquisition, if they are numbers and no rule names them",
        *withheld,
        "times of day, where dates are shifted or kept (option times): the intervals within a visit",
        "code strings: if each of their words is a defined term (terms.WORDS)",
    ]
