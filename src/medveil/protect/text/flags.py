"""Flags: what the header says about text in the pixels, before any pixel is looked at.

A rule of a few lines, as CTP's BurnedInPixelsFilter has it: the declared attribute, captures of screens,
secondary captures, modalities whose consoles write into the picture, colour where none belongs. DICOM PS3.3
C.8.6.1 (Conversion Type), C.7.6.1 (Image Type, Burned In Annotation). A flag is a reason to look harder,
and its absence is no reason to look less: most files say nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Risk = Literal["announced", "likely", "no sign"]

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # and .1 to .4, its multi-frame kinds
_WRITING_MODALITIES = frozenset({"US", "XA", "RF", "OT", "IVUS", "ES", "GM", "XC", "ECG", "EPS", "SC", "SR"})
_CAPTURES = frozenset({"WSD", "SI", "DV", "DI", "DF", "SYN", "DRW"})
_WORDS = ("SCREEN SAVE", "SCREENSAVE", "SECONDARY CAPTURE", "REPORT", "DOSE", "CAPTURE")
_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 81, 91, 93, 203))  # JPEG, near-lossless, 2000
_GREY_MODALITIES = frozenset({"MR", "CT", "PT", "CR", "DX", "MG"})


@dataclass(frozen=True)
class HeaderFacts:
    """The few attributes that bear on burned-in text; empty where the header has none.

    Args:
        modality: (0008,0060). image_type: (0008,0008). sop_class: (0008,0016), a UID.
        burned_in: (0028,0301), YES or NO. photometric: (0028,0004). conversion_type: (0008,0064).
        lossy: whether the pixels went through a lossy code, (0028,2110) or the transfer syntax.
        geometry: whether the image has a place in the patient, (0020,0032) or its functional group.
    """

    modality: str = ""
    image_type: tuple[str, ...] = ()
    sop_class: str = ""
    burned_in: str = ""
    photometric: str = ""
    conversion_type: str = ""
    lossy: bool = False
    geometry: bool | None = None

    def __repr__(self) -> str:
        return "HeaderFacts(...)"  # a header may hold anything, also where a code belongs


def facts_of(dataset: Any) -> HeaderFacts:
    """The facts of a pydicom dataset; what cannot be read counts as not said."""

    def text(keyword: str) -> str:
        try:
            value = dataset.get(keyword)
        except Exception:  # noqa: BLE001 - a broken element says nothing
            return ""
        return "" if value is None else str(value)

    meta = getattr(dataset, "file_meta", None)
    syntax = str(meta.get("TransferSyntaxUID", "")) if meta is not None else ""
    placed = "ImagePositionPatient" in dataset or "PerFrameFunctionalGroupsSequence" in dataset
    return HeaderFacts(
        modality=text("Modality"),
        image_type=tuple(text("ImageType").strip("[]").replace("'", "").split(", ")),
        sop_class=text("SOPClassUID"),
        burned_in=text("BurnedInAnnotation"),
        photometric=text("PhotometricInterpretation"),
        conversion_type=text("ConversionType"),
        lossy=text("LossyImageCompression") == "01" or syntax in _LOSSY,
        geometry=placed,
    )


def flags(facts: HeaderFacts) -> tuple[str, ...]:
    """Signs of text, as short stable phrases that hold no value of the header."""
    modality = facts.modality.strip().upper()
    words = tuple(v.strip().upper() for v in facts.image_type)
    found = {
        "burned-in annotation declared": facts.burned_in.strip().upper() == "YES",
        "secondary capture": _is_secondary(facts.sop_class),
        "captured by conversion": facts.conversion_type.strip().upper() in _CAPTURES,
        "image type of a screen or report": any(w in v for v in words for w in _WORDS),
        "modality whose consoles write into pixels": modality in _WRITING_MODALITIES,
        "colour in a grey modality": modality in _GREY_MODALITIES and _is_colour(facts.photometric),
        "secondary image": "SECONDARY" in words[1:2],
        "no geometry": facts.geometry is False and modality in _GREY_MODALITIES,
    }
    return tuple(name for name, true in found.items() if true)


def risk(facts: HeaderFacts) -> Risk:
    """`announced` if the header declares it, `likely` with any other sign, `no sign` otherwise.

    (0028,0301) = NO takes nothing away: scanners write it by habit.
    """
    found = flags(facts)
    if "burned-in annotation declared" in found:
        return "announced"
    return "likely" if found else "no sign"


def _is_secondary(uid: str) -> bool:
    uid = uid.strip("\0 ")
    return uid == SECONDARY_CAPTURE or uid.startswith(SECONDARY_CAPTURE + ".")


def _is_colour(photometric: str) -> bool:
    return photometric.strip().upper().startswith(("RGB", "YBR", "PALETTE"))
