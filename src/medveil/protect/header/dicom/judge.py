"""One element that is no sequence: kept as it is, replaced, or None. Nothing here knows where it stands.

named by the table (and an option)     ->  keep, clean, empty, dummy or new UID
text that no table names               ->  only if allowed.FACTS holds it and its shape fits
codes, numbers, times                  ->  only if they are what they say they are
the rest                               ->  goes
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from medveil.protect.header.ages import cap_age
from medveil.protect.header.dates import keep_tm, shift_da, shift_dt
from medveil.protect.header.dicom import allowed, elements, terms, values
from medveil.protect.header.dicom.rules import Action

# Files of a series hold the same codes; the last few thousand are remembered.
_is_short_term = lru_cache(4096)(terms.is_term)

CHARACTER_SET = 0x00080005
IMAGE_TYPE = 0x00080008
NAME, PATIENT_ID, TIMEZONE = 0x00100010, 0x00100020, 0x00080201
RISK_FLAGS = (0x00280301, 0x00280302)  # burned-in annotation, recognizable visual features: a YES stays


class Names(Protocol):
    """What the engine needs of `header.pseudonyms.Pseudonyms`."""

    def subject(self, original: str, issuer: str = "") -> str:
        """The pseudonym of a person."""
        ...

    def uid(self, uid: str) -> str:
        """The new UID; registered ones stay."""
        ...

    def date_shift_days(self, original: str, issuer: str = "") -> int:
        """By how many days the dates of the person move."""
        ...


class Verdict(NamedTuple):
    """What becomes of an element: `element` is None if it goes; `how` is kept, replaced or dropped, and why."""

    element: Any
    how: str
    reason: str


@dataclass(frozen=True)
class Judge:
    """Judges elements of one person's file.

    Args:
        names: draws new UIDs.
        subject: the person's pseudonym.
        days: by which dates move; 0 keeps them.
        times: whether times of day stay where dates do.
        identifiers: what may not be part of any text that stays (the person's own name and numbers), or None.
        numbers: whole values that no number may equal (a numeric patient ID, an accession number).
    """

    names: Names
    subject: str
    days: int
    times: bool
    identifiers: re.Pattern[str] | None
    numbers: frozenset[str]

    def named(self, element: Any, tag: int, vr: str, action: Action, basic: Action) -> Verdict:
        """An element that the table names. `basic` is what is done if cleaning leaves nothing."""
        if tag in (NAME, PATIENT_ID):
            return self._new(element, vr, self.subject, "pseudonym")
        if action == "K":
            return self._retained(element, tag, vr)
        if action == "C":
            cleaned = self._cleaned(element, tag, vr)
            if cleaned is not None:
                return cleaned
            action = basic
        if action == "U" and vr == "UI":
            return self.uid(element)
        if action == "X":
            return Verdict(None, "dropped", "named by the table")
        if values.is_empty(element):
            return Verdict(element, "kept", "empty")
        if action == "Z":
            return self._new(
                element, vr, b"" if vr in values.BINARY else "" if vr in values.STRINGS else None, "emptied"
            )
        if vr == "UI":
            return self.uid(element)
        return self._new(element, vr, values.dummy(vr), "dummy value")

    def unnamed(self, element: Any, tag: int, vr: str) -> Verdict:
        """An element that the table does not name."""
        if vr in values.NUMBERS or " or " in vr:
            return _kept_if(
                values.is_number(element, vr[:2], elements.most(tag)),
                element,
                "number",
                "binary number that is none",
            )
        if vr in values.NUMERALS:
            fine = values.is_numeral(element, vr) and not self._is_own_number(element)
            return _kept_if(fine, element, "number", "text in a number")
        if vr == "CS":
            return self._code(element, tag)
        if vr == "UI":
            return self.uid(element)
        fact = allowed.FACTS.get(tag)
        if fact is not None and fact.shape == "binary":
            return Verdict(element, "kept", "allowed fact")
        if fact is not None and vr in values.TEXT:
            texts = values.strings(element)
            fine = all(allowed.fits(fact, text) and not self._is_own(text) for text in texts)
            return _kept_if(fine, element, "allowed fact", "allowed fact of another shape")
        return Verdict(None, "dropped", "not allowed")

    def private(self, element: Any, vr: str, fits: Callable[[str], bool]) -> Verdict:
        """A safe private element, by the VR that the list gives it."""
        if vr in values.NUMBERS:
            return _kept_if(
                values.is_number(element, vr), element, "safe private", "binary number that is none"
            )
        if vr in values.NUMERALS:
            fine = values.is_numeral(element, vr) and not self._is_own_number(element)
        elif vr == "CS":
            fine = all(map(_is_term, values.strings(element)))
        else:
            fine = all(fits(text) and not self._is_own(text) for text in values.strings(element))
        return _kept_if(fine, element, "safe private", "safe private of another shape")

    def uid(self, element: Any) -> Verdict:
        """New UIDs for the element's; the standard's own stay."""
        old = "\\".join(values.strings(element))
        new = self.names.uid(old)
        if new == old and len(old) <= 64:
            return Verdict(element, "kept", "registered UID" if old else "empty")
        return self._new(element, "UI", new.split("\\"), "new UID")

    def _retained(self, element: Any, tag: int, vr: str) -> Verdict:
        if vr == "AS":
            ages = [cap_age(text) for text in values.strings(element)]
            if None in ages:
                return Verdict(None, "dropped", "age that is none")
            return self._new(element, vr, ages, "age, grouped from 90 years on")
        if vr == "TM" and not self.times:
            return Verdict(None, "dropped", "time of day")
        if vr in values.DATES:
            return self._dated(element, vr, 0) or Verdict(None, "dropped", "date that is none")
        if vr in values.TEXT or vr == "UI":
            return Verdict(element, "kept", "kept by an option")
        if vr in values.BINARY:
            return Verdict(None, "dropped", "binary that nobody can read")
        return self.unnamed(element, tag, vr)

    def _cleaned(self, element: Any, tag: int, vr: str) -> Verdict | None:
        if vr == "TM" and not self.times:
            return None
        if vr in values.DATES:
            return self._dated(element, vr, self.days) or Verdict(None, "dropped", "date that is none")
        if tag == TIMEZONE:
            fine = all(re.fullmatch(r"[+-]\d{4}", text) for text in values.strings(element))
            return _kept_if(fine, element, "time zone", "time zone that is none")
        if vr == "CS":
            return self._code(element, tag)
        if vr in ("LO", "SH", "LT", "ST", "UT", "UC"):
            # The vocabulary holds no names, but a person may be called like a word of it: theirs go.
            words = " ".join(terms.known_words(text) for text in values.strings(element)).split()
            text = " ".join(w for w in words if not self._is_own(w))
            limit = {"SH": 16, "LO": 64}.get(vr, 1024)
            return self._new(element, vr, text[:limit].strip(), "known words") if text else None
        return None

    def _dated(self, element: Any, vr: str, days: int) -> Verdict | None:
        old = "\\".join(values.strings(element))
        new = keep_tm(old) if vr == "TM" else shift_da(old, days) if vr == "DA" else shift_dt(old, days)
        if new is None:
            return None
        if vr == "DT" and not self.times:
            new = "\\".join(part[:8] for part in new.split("\\"))
        if vr == "TM" or days == 0:
            return self._new(element, vr, new.split("\\"), "time" if vr == "TM" else "kept by an option")
        return self._new(element, vr, new.split("\\"), "shifted date")

    def _code(self, element: Any, tag: int) -> Verdict:
        codes = values.strings(element)
        if tag == CHARACTER_SET:
            from pydicom.charset import python_encoding

            return _kept_if(all(c in python_encoding for c in codes), element, "character set", "unknown set")
        if tag in RISK_FLAGS:
            return _kept_if(codes == ["YES"], element, "risk flag", "mark of somebody else")
        if all(map(_is_term, codes)):
            return Verdict(element, "kept", "defined term")
        if tag == IMAGE_TYPE:
            known = [code if _is_term(code) else "OTHER" for code in codes]
            return self._new(element, "CS", known, "unknown terms became OTHER")
        return Verdict(None, "dropped", "code that is no defined term")

    def _new(self, element: Any, vr: str, value: Any, reason: str) -> Verdict:
        from pydicom.dataelem import DataElement

        several = value if isinstance(value, list) else [value]
        if isinstance(element.value, bytes) and hasattr(element, "_replace") and isinstance(several[0], str):
            # Stays undecoded, as the rest of the file: nothing has to be encoded when it is written.
            data = "\\".join(several).encode("ascii", errors="replace")
            data += (b"\0" if vr == "UI" else b" ") * (len(data) % 2)
            return Verdict(type(element)(element.tag, vr, len(data), data, *element[4:]), "replaced", reason)
        return Verdict(
            DataElement(element.tag, vr, several[0] if len(several) == 1 else several), "replaced", reason
        )

    def _is_own(self, text: str) -> bool:
        return self.identifiers is not None and self.identifiers.search(text) is not None

    def _is_own_number(self, element: Any) -> bool:
        return bool(self.numbers) and not self.numbers.isdisjoint(values.strings(element))


def _is_term(code: str) -> bool:
    return len(code) <= 16 and _is_short_term(code)  # codes come without padding


def _kept_if(fine: bool, element: Any, reason: str, otherwise: str) -> Verdict:
    return Verdict(element, "kept", reason) if fine else Verdict(None, "dropped", otherwise)
