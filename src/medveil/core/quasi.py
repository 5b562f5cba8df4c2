"""Quasi: which columns of a table an outsider may know of a person, told from the column's name.

    age_at_scan ──words──> age, at, scan ──kind──> age: quasi-identifier, known to whoever knows the person

A quasi-identifier is what an outsider may know about somebody; a sensitive column is what they want to learn. Names of columns
are all there is to go by, so this is a guess: it says why, and everybody may overrule it. A name that no rule
knows is not judged, and that is said too: nothing is quietly taken for harmless.

Sources: 45 CFR 164.514(b)(2)(i) (HIPAA Safe Harbor); the columns that Kapkic & Sagiroglu 2023, Table 2, list
for published MRI sets (age, sex, handedness, education, BMI, socio-economic status, religion).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medveil.core.errors import UsageError

Role = Literal["identifier", "quasi-identifier", "sensitive", "not judged"]


@dataclass(frozen=True)
class Kind:
    """A kind of column.

    Args:
        name: what it is, in words.
        role: what it means for privacy.
        reason: why, half a sentence.
        words: alternatives; all words of one of them, separated by blanks, must be in the column's name.
        firm: True if one person's values in two tables cannot disagree by more than `tolerance`.
        tolerance: by how much two true values of one person may differ, in the column's unit, numbers only.
    """

    name: str
    role: Role
    reason: str
    words: tuple[str, ...]
    firm: bool = False
    tolerance: float = 0.0


@dataclass(frozen=True)
class Column:
    """What one column was taken for.

    Args:
        label: what may be shown of its name: the name itself if it is made of known words only, else its place
            (`column 7`), since names of columns are free text.
        kind: name of its kind, or empty.
        role: what it was taken for; `reason`: why.
    """

    label: str
    kind: str
    role: Role
    reason: str


_KNOWN = "known to whoever knows the person"
_QUASI: Role = "quasi-identifier"
_WANTED = "what an outsider may want to learn"
_DIRECT = "names the person, or a file that does"

# The first kind that fits decides, so a date of birth is no date of a visit, and an age at onset is an age.
KINDS = (
    Kind("birth date", _QUASI, _KNOWN, ("birth", "dob", "birthdate", "birthday", "born", "yob"), firm=True),
    Kind("date", _QUASI, "known to whoever knows when the person was there",
         ("date", "acq time", "scan time", "acquisition time", "datetime", "timestamp", "scan year")),
    Kind("age", _QUASI, _KNOWN, ("age", "ages"), firm=True, tolerance=1.0),
    Kind("sex", _QUASI, _KNOWN, ("sex", "gender"), firm=True),
    Kind("handedness", _QUASI, _KNOWN, ("handedness", "hand", "handed", "handiness", "ehi"), firm=True),
    Kind("ethnicity", _QUASI, _KNOWN, ("ethnicity", "ethnic", "race", "ancestry", "nationality")),
    Kind("religion", _QUASI, _KNOWN, ("religion", "faith")),
    Kind("language", _QUASI, _KNOWN, ("language", "tongue")),
    Kind("height", _QUASI, _KNOWN, ("height", "stature"), firm=True, tolerance=3.0),
    Kind("weight", _QUASI, _KNOWN, ("weight",), tolerance=5.0),
    Kind("body mass index", _QUASI, _KNOWN, ("bmi", "body mass"), tolerance=2.0),
    Kind("education", _QUASI, _KNOWN, ("education", "educ", "edu", "schooling", "degree")),
    Kind("occupation", _QUASI, _KNOWN, ("occupation", "profession", "job", "employment")),
    Kind("income", _QUASI, _KNOWN, ("income", "ses", "socioeconomic", "salary")),
    Kind("marital status", _QUASI, _KNOWN, ("marital", "married")),
    Kind("children", _QUASI, _KNOWN, ("children", "parity")),
    Kind("place", _QUASI, _KNOWN, ("zip", "postcode", "postal", "zipcode", "city", "town", "country", "region",
                                   "province", "county", "address", "residence")),
    Kind("site", _QUASI, "known to whoever knows where the person was seen",
         ("site", "center", "centre", "hospital", "institution", "clinic", "scanner", "cohort")),
    Kind("name", "identifier", _DIRECT, ("surname", "firstname", "lastname", "first name", "last name",
                                         "patient name", "subject name", "full name", "initials")),
    Kind("contact", "identifier", _DIRECT, ("email", "mail", "phone", "telephone", "mobile", "fax", "url")),
    Kind("record number", "identifier", _DIRECT,
         ("mrn", "ssn", "accession", "record", "insurance", "passport", "tckn", "nhs", "patient id")),
    Kind("participant", "identifier", "the label that ties the row to its images",
         ("participant id", "participant", "subject id", "subject", "sub id")),
    Kind("diagnosis", "sensitive", _WANTED, ("diagnosis", "diagnostic", "dx", "disease", "disorder", "condition",
                                             "pathology", "tumor", "tumour", "lesion", "icd", "comorbidity")),
    Kind("group", "sensitive", _WANTED, ("group", "patient", "arm", "control", "status")),
    Kind("score", "sensitive", _WANTED, ("score", "mmse", "moca", "cdr", "updrs", "panss", "hamd", "bdi", "edss",
                                         "nihss", "iq", "wais", "phq", "gad", "adas", "severity")),
    Kind("treatment", "sensitive", _WANTED, ("medication", "treatment", "drug", "therapy", "surgery", "dose")),
    Kind("habit", "sensitive", _WANTED, ("smoking", "smoker", "alcohol", "cannabis", "substance")),
    Kind("gene", "sensitive", _WANTED, ("apoe", "genotype", "gene", "mutation", "allele")),
    Kind("outcome", "sensitive", _WANTED, ("outcome", "survival", "death", "deceased", "os", "pfs", "grade")),
    Kind("name", "identifier", _DIRECT, ("name",)),
)  # fmt: skip
_SMALL = frozenset(
    [
        "at",
        "of",
        "in",
        "the",
        "on",
        "to",
        "and",
        "years",
        "year",
        "months",
        "days",
        "kg",
        "cm",
        "mm",
        "m",
        "scan",
        "visit",
        "session",
        "baseline",
        "mri",
        "test",
        "id",
        "code",
        "type",
        "number",
        "level",
        "total",
        "participant",
        "subject",
        "sub",
        "first",
        "last",
    ]
)
_VOCABULARY = _SMALL | {word for kind in KINDS for phrase in kind.words for word in phrase.split()}


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name, in lower case.

    >>> words_of("ageAtScan"), words_of("MMSE_total-2")
    (('age', 'at', 'scan'), ('mmse', 'total', '2'))
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return tuple(re.findall(r"[^\W\d_]+|\d+", parted.lower()))


def kind_of(name: str) -> Kind | None:
    """The kind a column's name speaks of, or None.

    >>> kind_of("age_at_onset").name, kind_of("DateOfBirth").name, kind_of("page")
    ('age', 'birth date', None)
    """
    words = set(words_of(name))
    for kind in KINDS:
        if any(set(phrase.split()) <= words for phrase in kind.words):
            return kind
    return None


def label_of(name: str, place: int) -> str:
    """What may be shown of a column's name; `place` counts from 1.

    >>> label_of("age_at_scan", 2), label_of("seen by Dr Doe", 3)
    ('age_at_scan', 'column 3')
    """
    words = words_of(name)
    known = words and all(word in _VOCABULARY or (word.isdigit() and len(word) < 3) for word in words)
    return name if known else f"column {place}"


def columns_of(rows: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """Names of all columns, in order of first appearance."""
    return tuple(dict.fromkeys(name for row in rows for name in row))


def judged(
    names: Sequence[str], *, quasi: Sequence[str] | None = None, sensitive: Sequence[str] | None = None
) -> dict[str, Column]:
    """What each column is taken for, and why: by its name, or as the caller says.

    Args:
        names: columns of the table, in order.
        quasi, sensitive: columns that the caller names; None to guess. What is named under one heading is taken
            from under the other.

    Raises:
        UsageError: a named column is not in the table, or stands under both headings.
    """
    chosen = {_QUASI: quasi, "sensitive": sensitive}
    for heading, wanted in chosen.items():
        lost = sum(name not in names for name in wanted or ())
        if lost:
            raise UsageError(
                f"table: {lost} of the columns named as {heading} are not in it",
                hint="columns are " + ", ".join(label_of(n, i) for i, n in enumerate(names, start=1)),
            )
    if set(quasi or ()) & set(sensitive or ()):
        raise UsageError("table: a column is named both as quasi-identifier and as sensitive")
    out = {}
    for place, name in enumerate(names, start=1):
        kind = kind_of(name)
        role, reason = (kind.role, kind.reason) if kind else ("not judged", "no rule knows this name")
        if quasi is not None and role == _QUASI:
            role, reason = "not judged", "not among the quasi-identifiers that were named"
        if sensitive is not None and role == "sensitive":
            role, reason = "not judged", "not among the sensitive columns that were named"
        if name in (quasi or ()):
            role, reason = _QUASI, "named as such"
        if name in (sensitive or ()):
            role, reason = "sensitive", "named as such"
        out[name] = Column(label_of(name, place), kind.name if kind else "", role, reason)
    return out
