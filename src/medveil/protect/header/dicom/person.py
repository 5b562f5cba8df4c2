"""Who a file is about: the identifier that names the person, and the words that may stay nowhere.

A text that is allowed to stay (a model, a coil) is still checked for the person's own name and numbers: somebody may
have typed them there. Files without a PatientID are told apart by their study, so that no two people share a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from medveil.protect.header.dicom import elements
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
_PARTS = re.compile(r"[\^=\\\s,.]+")
_NUMBER = re.compile(r"\d{5,}")
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
    try:
        original, study, issuer = (
            elements.text(dataset, k) for k in ("PatientID", "StudyInstanceUID", "IssuerOfPatientID")
        )
        names = [elements.text(dataset, keyword) for keyword in _NAMES]
        words = {elements.text(dataset, keyword) for keyword in _WHOLE}
    except Exception as error:
        raise Quarantine("an identifier that can't be read") from error
    if not original and not study:
        raise Quarantine("no patient and no study named", 0x00100020)
    for name in filter(None, names):
        words.update(_PARTS.split(name))
    words = {w for w in words if len(w) >= SHORTEST}
    numbers = frozenset(w for w in words if _NUMBER.fullmatch(w))
    found = re.compile("|".join(map(re.escape, sorted(words))), re.IGNORECASE) if words else None
    return Person(original or study, issuer, not original, found, numbers)
