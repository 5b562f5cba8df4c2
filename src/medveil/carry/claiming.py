"""Claims: which images of a folder are said to show no face, by whatever says so.

    names of files and folders  ─┐
    keys of sidecars            ─┼─> place of an image -> who says so
    README, dataset description ─┘

A claim is no more than words. `spotting` looks whether they are true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from medveil.carry.companions import DESCRIPTION, facts_of
from medveil.io.bids import Inventory

BY_NAME, BY_SIDECAR, BY_PAPERS = "file or folder name", "sidecar", "README or dataset description"

_NAMED = {
    "deface", "defaced", "defacing", "pydeface", "mideface", "quickshear", "reface", "refaced", "refacing",
    "anon", "anonymized", "anonymised", "deid", "deidentified",
}  # fmt: skip
_NOT = {"not", "non", "no", "un", "pre", "before", "undone", "without"}
_SAID = re.compile(
    r"\b(?:py|mi|mri[_-]?|fsl[_-]?|afni[_-]?)?(?:deface|defacing|reface|refacing)", re.IGNORECASE
)
_DENIED = re.compile(r"(?:\b(?:not|no|non|never|without|cannot)\b|n't\b)[^.!?]{0,60}$", re.IGNORECASE)
# DICOM PS3.16 CID 7050: code 113102 is the Clean Recognizable Visual Features Option.
_CODED = re.compile(r"\b113102\b|clean recogni[sz]able visual features", re.IGNORECASE)
_FALSE: tuple[Any, ...] = (False, None, 0, "", [], {})
_NO = ("no", "n", "false", "0", "none")
_LONGEST_README = 1_000_000  # characters


def claims(inventory: Inventory) -> dict[PurePosixPath, str]:
    """Place of each image that is said to be defaced, and what says so: the first of name, sidecar, papers."""
    papers = inventory.layout != "file" and _papers_say(inventory.root)
    whole = _name_says(inventory.root.resolve().name)
    out = {}
    for record in inventory.cohort:
        place = record.place
        if place is None:
            continue
        if whole or any(_name_says(part) for part in place.parts):
            out[place] = BY_NAME
        elif place in inventory.sidecars and sidecar_says(facts_of(inventory.sidecars[place])):
            out[place] = BY_SIDECAR
        elif papers:
            out[place] = BY_PAPERS
    return out


def _name_says(name: str) -> bool:
    """Whether a word of a name says it, and the word before it does not deny it.

    >>> [_name_says(n) for n in ("sub-01_desc-defaced_T1w.nii.gz", "T1_not-defaced.nii", "preface")]
    [True, False, False]
    """
    words = ["", *re.split(r"[^a-z0-9]+", name.lower())]
    return any(w in _NAMED and before not in _NOT for before, w in pairwise(words))


def sidecar_says(facts: Mapping[str, Any]) -> bool:
    """Whether a key of a sidecar says that the face was removed.

    >>> sidecar_says({"Defaced": True}), sidecar_says({"Defaced": "no"})
    (True, False)
    """
    for key, value in facts.items():
        name, text = key.lower(), json.dumps(value, ensure_ascii=False, default=str)
        if name.startswith("deidentif") and (text_says(text) or _CODED.search(text)):
            return True
        if name == "recognizablevisualfeatures" and str(value).lower() in _NO:
            return True
        if ("defac" in name or "reface" in name) and value not in _FALSE and str(value).lower() not in _NO:
            return True
    return False


def text_says(text: str) -> bool:
    """Whether a text speaks of defacing without denying it in the same sentence.

    >>> text_says("All scans were defaced with pydeface."), text_says("Scans have not been defaced.")
    (True, False)
    """
    return any(not _DENIED.search(text[max(0, m.start() - 80) : m.start()]) for m in _SAID.finditer(text))


def _papers_say(root: Path) -> bool:
    if text_says(json.dumps(facts_of([root / DESCRIPTION]), ensure_ascii=False)):
        return True
    return any(text_says(_text(path)) for path in sorted(root.glob("README*")) if path.is_file())


def _text(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST_README)
    except OSError:
        return ""  # it cannot be read, so it says nothing
