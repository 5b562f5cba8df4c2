"""Pseudonyms: one key gives everybody and everything a new name, the same wherever it appears.

    key 1, in the hospital                                  key 2, at the release
    PatientID 4711  ──subject──> sub-K3F...  (stage 1)  ──subject──> sub-Q7B...  (stage 2)
    UID 1.2.826...  ──uid──────> 2.25.3019...           ──uid──────> 2.25.8841...
    dates           ──minus d1─> ...                    ──minus d2─> ...

A DICOM header, a BIDS sidecar, scans.tsv and participants.tsv that speak of one person get the same name and the
same shift of dates, in any order, in any process, without a table to look up. Nobody makes a name without the
key, so nobody can try all record numbers; who destroys the key cuts the link. Two stages need both keys to link:
key 2 knows nothing but names of stage 1, and refuses to name anything else.

What means one person (PS3.5 6.2: spaces around an LO carry no meaning, case does): padding by spaces, tabs and NULs
is ignored, Unicode is composed (NFC), `sub-` of BIDS is notation and no part of a label. `abc` and `ABC`, and 7 and 007,
are different people: two people under one name would mix their data, one under two names does not.

Source: HMAC-SHA256 (RFC 2104) with separated purposes (`core.secrets`); UIDs from UUIDs: PS3.5 annex B.2 and ITU-T X.667;
UUID version 8: RFC 9562; base32: RFC 4648.
"""

from __future__ import annotations

import base64
import re
import unicodedata

from medveil.core.errors import Refusal, UsageError
from medveil.core.secrets import Key

PREFIX = "sub-"
TOKEN_SIGNS = (
    16  # 80 bits: among a million people, two share a token with a chance of 4e-13; SH and CS hold 16
)
BIDS_MARK_DAYS = 43_834  # 120 years in whole weeks: every date up to 2045 falls into 1925 or before

_PADDING = " \t\r\n\f\v\0\u00a0\u3000\ufeff"
_SUBJECT = re.compile(rf"{PREFIX}[A-Z2-7]{{{TOKEN_SIGNS}}}")
# The UIDs that DICOM has registered have small numbers; a serial number or a date below its root is an abuse.
_REGISTERED = re.compile(r"1\.2\.840\.10008(?:\.(?:0|[1-9][0-9]{0,3})){0,9}")


class Pseudonyms:
    """New names for people, UIDs and texts, and a shift of dates for each person.

    Args:
        key: from which all is drawn; it is never printed or pickled, and so a Pseudonyms is not either.
        stage: 1 on originals, 2 on what stage 1 has made. The stages of one key share no token.
        max_days: dates move back by 1 to `max_days` days.
        whole_weeks: move by whole weeks, so that days of the week stay.
        bids_mark: move by another 120 years, as BIDS recommends so that shifted dates can be told from true ones
            (years up to 1925). In one stage only, or dates move twice as far.

    Raises:
        UsageError: another stage, or a range of days that holds no shift or more than a century.
    """

    __slots__ = ("_key", "bids_mark", "max_days", "stage", "whole_weeks")

    def __init__(
        self,
        key: Key,
        *,
        stage: int = 1,
        max_days: int = 730,
        whole_weeks: bool = False,
        bids_mark: bool = False,
    ) -> None:
        if stage not in (1, 2):
            raise UsageError("pseudonyms: the stage is 1 (on originals) or 2 (on names of stage 1)")
        if not (7 if whole_weeks else 1) <= max_days <= 36_525:
            raise UsageError("pseudonyms: max_days is 1 (7 for whole weeks) to 36525")
        self._key = key
        self.stage = stage
        self.max_days = max_days
        self.whole_weeks = whole_weeks
        self.bids_mark = bids_mark

    def subject(self, original: str, issuer: str = "") -> str:
        """The name of a person: `sub-` and 16 signs of A-Z and 2-7. It is their PatientID, PatientName and BIDS label.

        Args:
            original: PatientID or BIDS label; in stage 2 the name that stage 1 gave.
            issuer: of the PatientID; stage 2 ignores it, a name of stage 1 holds it already. Only for collections from several issuers: files of BIDS know none, so a person would
                have one name here and another there.

        Raises:
            Refusal: nothing but padding (all people without an identifier would become one), or, in stage 2,
                not a name of stage 1.
        """
        known = _same(original).removeprefix(PREFIX)
        if not known:
            raise Refusal(
                "no identifier of a person",
                "a name and a shift of dates need one",
                hint="give another identifier that is one person's, such as the study's UID",
            )
        if self.stage == 2 and not _SUBJECT.fullmatch(PREFIX + known):
            raise Refusal("not a name of stage 1", hint="stage 2 works on what stage 1 has released")
        return PREFIX + self._token("subject", known, _same(issuer) if self.stage == 1 else "")

    def uid(self, uid: str) -> str:
        r"""A UID for a UID, the same wherever it appears: 2.25. and a UUID of version 8 as a number (122 drawn bits).

        UIDs that DICOM has registered (SOP classes, transfer syntaxes, well-known frames of reference) stay. Empty stays
        empty. A malformed UID gets a new one too. Several values between backslashes are mapped one by one.
        """
        return "\\".join(self._uid(_same(part)) for part in uid.split("\\"))

    def text(self, purpose: str, value: str) -> str:
        """16 signs for a text, such as an accession number; two purposes share none. Empty stays empty.

        Args:
            purpose: what the text is, such as `accession`.
            value: the text; padding around it and how Unicode composes it do not matter, case does.
        """
        known = _same(value)
        return self._token("text", purpose, known) if known else ""

    def person_name(self, value: str) -> str:
        r"""16 signs for the name of somebody other than the patient (whose PatientName is `subject`), by DICOM's rules for PN.

        The first group that is not empty counts (alphabetic, ideographic, phonetic, between `=`), since the others
        write the same name; case, trailing `^` and runs of spaces do not; accents do. Several names between
        backslashes are mapped one by one. Two people of one name share a token. Empty stays empty.
        """
        return "\\".join(self._name(part) for part in value.split("\\"))

    def date_shift_days(self, original: str, issuer: str = "") -> int:
        """How many days all dates of a person move; below zero. Pass what `subject` is passed.

        Raises:
            Refusal: as `subject`.
        """
        unit = 7 if self.whole_weeks else 1
        drawn = self._key.number(
            self._purpose("dates"), self.max_days // unit, self.subject(original, issuer)
        )
        return -unit * (drawn + 1) - (BIDS_MARK_DAYS if self.bids_mark else 0)

    @property
    def key_label(self) -> str:
        """Tells keys apart and says nothing else; a report may print it."""
        return self._key.label

    def __repr__(self) -> str:
        return f"Pseudonyms(stage={self.stage}, key={self.key_label})"

    def _purpose(self, purpose: str) -> str:
        return f"pseudonyms/stage-{self.stage}/{purpose}"

    def _token(self, purpose: str, *values: str) -> str:
        return base64.b32encode(self._key.token(self._purpose(purpose), *values)).decode()[:TOKEN_SIGNS]

    def _uid(self, uid: str) -> str:
        if not uid or _REGISTERED.fullmatch(uid):
            return uid
        number = int.from_bytes(self._key.token(self._purpose("uid"), uid)[:16], "big")
        number = number & ~(0xF << 76) | 0x8 << 76  # version 8: drawn in a way of one's own
        number = number & ~(0x3 << 62) | 0x2 << 62  # the variant of RFC 9562
        return f"2.25.{number}"

    def _name(self, value: str) -> str:
        for group in value.split("="):
            parts = [" ".join(_same(part).split()) for part in group.split("^")]
            known = "^".join(parts).rstrip("^")
            if known:
                return self._token("name", unicodedata.normalize("NFC", known.casefold()))
        return ""


def _same(value: str) -> str:
    """What is left of an identifier when everything that carries no meaning is gone; always encodable."""
    known = unicodedata.normalize("NFC", value).strip(_PADDING)
    try:
        known.encode("utf-8", errors="surrogateescape")
    except UnicodeEncodeError:  # half of a surrogate pair, from a damaged JSON file
        known = "\0" + known.encode("utf-8", errors="surrogatepass").decode("latin-1")
    return known
