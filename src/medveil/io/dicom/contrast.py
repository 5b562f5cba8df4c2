"""What a series shows, by the words somebody gave it, or else by how it was acquired.

Words come first, as in names of files (`io/names.py`): protocols are named by people who know what they scan,
while echo and repetition times overlap between contrasts. The rules for MR timings are textbook ranges for
brains at 1.5 and 3 T and are used only where no word says anything; what fits none of them is unknown.
"""

from __future__ import annotations

import re
from typing import Any

_LOCALISER = frozenset({"localizer", "localiser", "loc", "scout", "aahscout", "survey"})
_WORDS: tuple[tuple[str, frozenset[str]], ...] = (  # the first that has a word wins: t2_flair is FLAIR
    ("dwi", frozenset({"dwi", "dti", "diff", "diffusion", "adc", "tracew", "hardi", "noddi"})),
    ("asl", frozenset({"asl", "pasl", "pcasl", "casl"})),
    ("bold", frozenset({"bold", "fmri", "rsfmri", "fcmri"})),
    ("UNIT1", frozenset({"unit1"})),
    ("FLAIR", frozenset({"flair", "tirm", "darkfluid"})),
    ("T2starw", frozenset({"t2star", "t2starw", "t2*", "t2*w", "swi", "swan"})),
    ("T1w", frozenset({"t1", "t1w", "t1wi", "mprage", "memprage", "bravo", "fspgr", "spgr"})),
    ("T2w", frozenset({"t2", "t2w", "t2wi"})),
    ("PDw", frozenset({"pd", "pdw"})),
)
_DECLARED = {  # (0008,9209), PS3.3 C.8.13.3.1.1
    "DIFFUSION": "dwi", "FLUID_ATTENUATED": "FLAIR", "PROTON_DENSITY": "PDw", "T1": "T1w", "T2": "T2w",
    "T2_STAR": "T2starw",
}  # fmt: skip
FACTS = ("AcquisitionContrast", "DiffusionBValue", "EchoTime", "FlipAngle", "InversionTime", "RepetitionTime",
         "ScanningSequence")  # fmt: skip


def contrast_of(modality: str, texts: tuple[str, ...], dataset: Any) -> str:
    """One of medveil's contrasts, or ''.

    Args:
        modality: (0008,0060).
        texts: descriptions, the one to trust most first.
        dataset: pydicom dataset with the elements of `FACTS` it has.

    >>> contrast_of("MR", ("t2_tirm_tra_dark-fluid",), {}), contrast_of("PT", ("brain",), {})
    ('FLAIR', 'pet')
    """
    if modality != "MR":
        return {"CT": "CT", "PT": "pet"}.get(modality, "")
    for text in texts:
        words = {w.removeprefix("2d").removeprefix("3d") for w in re.split(r"[^a-z0-9*]+", text.lower())}
        if words & _LOCALISER:
            return ""
        if {"dark", "fluid"} <= words:
            words.add("darkfluid")
        if {"mp2rage", "uni"} <= words:
            return "UNIT1"
        for contrast, of in _WORDS:
            if words & of and not (contrast == "FLAIR" and "t1" in words):  # T1 FLAIR is an inversion T1
                return contrast
    try:
        return _by_facts(dataset)
    except (TypeError, ValueError):
        return ""


def _by_facts(dataset: Any) -> str:
    declared = _DECLARED.get(str(dataset.get("AcquisitionContrast") or "").strip().upper())
    if declared:
        return declared
    if dataset.get("DiffusionBValue") is not None:
        return "dwi"
    kind = dataset.get("ScanningSequence") or ()
    kinds = {kind} if isinstance(kind, str) else set(kind)
    tr, te, ti, flip = (
        float(dataset.get(k) or 0) for k in ("RepetitionTime", "EchoTime", "InversionTime", "FlipAngle")
    )
    if not tr or not te or "EP" in kinds:
        return ""
    if "IR" in kinds and ti >= 1500 and te >= 60:
        return "FLAIR"
    if "GR" in kinds:
        inverted = "IR" in kinds and 600 <= ti < 1500 and te < 10
        spoiled = tr < 15 and te < 6 and flip >= 8
        return "T1w" if inverted or spoiled else "T2starw" if te >= 15 and "IR" not in kinds else ""
    if kinds == {"SE"}:
        if tr < 1100:
            return "T1w" if te < 30 else ""
        return "T2w" if tr > 1800 and te >= 70 else "PDw" if tr > 1800 and te < 40 else ""
    return ""
