"""Who a file is about: the identifier that names the person, and the words that may stay nowhere.

A text that is allowed to stay (a model, a coil) is still checked for the person's own name and numbers: somebody may
have typed them there. Files without a PatientID are told apart by their study, so that no two people share a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from medveil.protect.header.dicom.quarantine import Quarantine

_NAMES = ("PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName", "ReferringPhysicianName",
          "OperatorsName", "PerformingPhysicianName")  # fmt: skip
_WHOLE = (
    "PatientID",
    "AccessionNumber",
    "OtherPatientIDs",
    "PatientBirthDate",
    "InstitutionName",
    "StationName",
)
SHORTEST = 4  # signs; shorter parts of names are parts of too many other words


@dataclass(frozen=True)
class Person:
    """The identifier the pseudonym is drawn from, its issuer, and what may not stay.

    Args:
        original, issuer: as `Pseudonyms.subject` takes them.
        by_study: the file had no PatientID, so the study's UID stands for the person.
        identifiers: pattern of the person's names and numbers, or None.
        numbers: those that are whole numbers of five digits and more.
    """

    original: str
    issuer: str
    by_study: bool
    identifiers: re.Pattern[str] | None
    numbers: frozenset[str]

    def __repr__(self) -> str:
        return "Person(...)"


def person(dataset: Any) -> Person:
    """Reads the few elements that say who it is; the rest stays undecoded.

    Raises:
        Quarantine: neither a PatientID nor a study UID.
    """
    original = _one(dataset, "PatientID")
    study = _one(dataset, "StudyInstanceUID")
    if not original and not study:
        raise Quarantine("no patient and no study named", 0x00100020)
    words: set[str] = set()
    for keyword in _NAMES:
        for part in re.split(r"[\^=\\\s,.]+", _one(dataset, keyword)):
            words.add(part)
    words |= {_one(dataset, keyword) for keyword in _WHOLE}
    words = {w for w in words if len(w) >= SHORTEST}
    found = re.compile("|".join(map(re.escape, sorted(words))), re.IGNORECASE) if words else None
    numbers = frozenset(w for w in words if re.fullmatch(r"\d{5,}", w))
    return Person(original or study, _one(dataset, "IssuerOfPatientID"), not original, found, numbers)


def _one(dataset: Any, keyword: str) -> str:
    try:
        value = dataset.get(keyword)
    except Exception as error:
        raise Quarantine("an identifier that can't be read") from error
    if value is None:
        return ""
    several = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    return "\\".join(str(v) for v in several).strip(" \0")
