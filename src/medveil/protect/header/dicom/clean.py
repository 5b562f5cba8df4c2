"""The engine: walks a dataset once, into every sequence, and builds a new one of what may stay.

    for each element (undecoded):
        structure that never stays?  group lengths, overlays, curves, signatures, icons ...   -> drop
        private?                     on the safe list, by creator                             -> judge, or drop
        sequence?                    named to go -> drop; else each item in the same way
        pixel data                   cut to its frames
        anything else                judge.py

An element costs a look at its tag and VR; only what is replaced is decoded. What can't be parsed goes; a file
that can't be judged as a whole goes to quarantine.

Source: DICOM PS3.15 Annex E; PS3.5 sections 7.8 (private blocks) and 6.2.2 (UN).
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NamedTuple

from medveil.core.errors import Refusal
from medveil.protect.header.dicom import allowed, elements, private, rules, values
from medveil.protect.header.dicom.classes import refusal
from medveil.protect.header.dicom.judge import CHARACTER_SET, NAME, PATIENT_ID, Judge, Names, Verdict
from medveil.protect.header.dicom.person import person
from medveil.protect.header.dicom.pixels import PIXELS, checked
from medveil.protect.header.dicom.quarantine import Quarantine
from medveil.protect.header.dicom.report import Cleaned, Path, Tally
from medveil.protect.header.dicom.rules import Options

DEEPEST = 16  # sequences within sequences
NEVER = frozenset(
    {
        0x00120062, 0x00120063, 0x00120064, 0x00280303,  # marks: written anew, from what was done here
        0x00880200,  # icon: a small copy of the image with all that is burned in
        0x00420011, 0x00189810,  # encapsulated document
        0x4FFE0001,  # MAC parameters
    }
)  # fmt: skip
_NEVER_GROUPS = {0x0000: "command", 0x0002: "file meta", 0x0004: "directory", 0x0400: "signature or encrypted",
                 0xFFFA: "signature", 0xFFFC: "padding"}  # fmt: skip

_PRIVATE = Verdict(None, "dropped", "private")
_LENGTH = Verdict(None, "dropped", "group length")
_LOCAL = Verdict(None, "dropped", "code of no published scheme")
# What goes for one of these reasons goes whatever its value is, unless an option cleans or keeps it.
_ALWAYS = frozenset({"named by the table", "not allowed"})


def clean(dataset: Any, pseudonyms: Names, options: Options | None = None) -> Cleaned:
    """A new dataset with nothing left but what has a reason to stay.

    Args:
        dataset: a pydicom Dataset (best undecoded, as `pydicom.dcmread` gives it); its content stays as it is.
        pseudonyms: of one key, the same for all files of a release.
        options: of the profile.

    Raises:
        Quarantine: the file can't be cleaned without guessing, or is of a kind that is not taken.
    """
    from pydicom import config

    with warnings.catch_warnings(), config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            return _clean(dataset, pseudonyms, options or Options())
        except Quarantine:
            raise
        except Refusal as error:
            raise Quarantine(error.reason) from None
        except Exception as error:  # noqa: BLE001 - whatever pydicom stumbles over must not let a file through
            raise Quarantine(f"could not be parsed ({type(error).__name__})") from None


def _clean(dataset: Any, pseudonyms: Names, options: Options) -> Cleaned:
    sop_class = elements.text(dataset, "SOPClassUID")
    if not sop_class:
        stored = str(getattr(dataset, "file_meta", {}).get("MediaStorageSOPClassUID", "") or "")
        named = stored and refusal(stored, options)  # a DICOMDIR says what it is there only
        raise Quarantine(named or "no kind of object named", 0x00080016)
    if reason := refusal(sop_class, options):
        raise Quarantine(reason, 0x00080016)
    syntax = transfer_syntax(dataset)
    who = person(dataset)
    issuer = who.issuer if options.issuers else ""
    days = pseudonyms.date_shift_days(who.original, issuer) if options.modified_dates else 0
    subject = pseudonyms.subject(who.original, issuer)
    judge = Judge(pseudonyms, subject, days, options.times, who.identifiers, who.numbers)
    walk = _Walk(judge, options, syntax, Tally())
    if who.by_study:
        walk.tally.warnings["no patient ID: the study stands for the person"] += 1
    new = walk.dataset(dataset, ())
    return Cleaned(new, subject, syntax, walk.tally, tuple(sorted(walk.tally.warnings)))


def transfer_syntax(dataset: Any) -> str:
    """The transfer syntax a dataset is in: its file meta's, or that of its encoding as read.

    Raises:
        Quarantine: none is known, or it is not one of the standard's.
    """
    meta = getattr(dataset, "file_meta", None)
    named = elements.text(meta, "TransferSyntaxUID") if meta is not None else ""
    if named:
        if not _is_transfer_syntax(named):
            raise Quarantine("unknown transfer syntax", 0x00020010)
        return named
    implicit, little = dataset.original_encoding
    if implicit is None or little is None or (implicit and not little):
        raise Quarantine("no transfer syntax", 0x00020010)
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"


@cache
def _encodings(names: tuple[str, ...]) -> list[str]:
    from pydicom.charset import convert_encodings

    return list(convert_encodings(list(names)))


@cache
def _is_transfer_syntax(uid: str) -> bool:
    from pydicom.uid import UID

    return UID(uid).is_transfer_syntax and not UID(uid).is_private


class _Plan(NamedTuple):
    """What is done with an element, as far as its tag and VR say.

    Args:
        vr: by which it is judged.
        action, basic: of the table; None if it does not name the element.
    """

    vr: str
    action: rules.Action | None
    basic: rules.Action | None


class _Walk:
    """One file being walked: what is judged, and the counts."""

    def __init__(self, judge: Judge, options: Options, syntax: str, tally: Tally) -> None:
        self.judge = judge
        self.options = options
        self.syntax = syntax
        self.tally = tally
        self.plans = _plans(options)

    def dataset(self, old: Any, path: Path) -> Any:
        """The new dataset of an old one (the file's, or an item's)."""
        from pydicom.charset import default_encoding
        from pydicom.dataelem import RawDataElement
        from pydicom.dataset import Dataset

        if len(path) > DEEPEST:
            raise Quarantine("sequences nested too deep", path[-1])
        kept: dict[Any, Any] = {}
        creators = elements.creators(old)
        local = elements.has_local_code(old)
        tally = self.tally
        counts = {
            "kept": tally.kept.setdefault(path, {}),
            "dropped": tally.dropped.setdefault(path, {}),
            "replaced": tally.replaced.setdefault(path, {}),
        }
        for tag, element in list(old.items()):
            number = int(tag)
            if local and number in elements.CODE:
                verdict = _LOCAL
            elif number & 0x10000 and (
                not creators or (creators.get(_block(number), ""), number & 0xFFFF00FF) not in private.SAFE
            ):
                verdict = _PRIVATE  # most elements of most files
            else:
                verdict = self._verdict(old, element, number, path, creators)
            new_element, how, reason = verdict
            mine, key = counts[how], (number, reason)
            mine[key] = mine.get(key, 0) + 1
            if new_element is not None:
                kept[tag] = new_element
        kept.update(elements.needed(kept, creators))
        if not path:
            self._name(kept)
        new = Dataset(kept)
        # Elements that stay raw are written as they are, if they are all in the encoding that is claimed.
        raw = {(e.is_implicit_VR, e.is_little_endian) for e in kept.values() if isinstance(e, RawDataElement)}
        if len(raw) == 1:
            charset = kept.get(elements.tag(CHARACTER_SET))
            encoding = _encodings(tuple(values.strings(charset))) if charset is not None else default_encoding
            new.set_original_encoding(*raw.pop(), encoding)
        return new

    def _name(self, kept: dict[Any, Any]) -> None:
        """Name and ID of the person, where the file had none: what is released must say whose it is."""
        from pydicom.dataelem import DataElement

        for number, vr in ((NAME, "PN"), (PATIENT_ID, "LO")):
            if elements.tag(number) not in kept:
                kept[elements.tag(number)] = DataElement(elements.tag(number), vr, self.judge.subject)
                self.tally.replaced[()][number, "pseudonym"] = 1

    def _verdict(self, old: Any, element: Any, tag: int, path: Path, creators: dict[int, str]) -> Verdict:
        if tag & 0x10000:
            return self._private(element, tag, path, creators)
        written = element.VR
        plan = self.plans.get((tag, written))
        if plan is None:
            plan = self.plans[tag, written] = _planned(tag, written, self.options)
        if isinstance(plan, Verdict):
            return plan
        vr, action, basic = plan
        if element.value is None and hasattr(element, "length") and element.length:
            element = old[tag]  # deferred reading: fetch it now
        if vr == "SQ" or elements.is_sequence(element):
            return self._sequence(element, tag, vr, path, action)
        element = elements.named(element, vr)
        if tag in PIXELS:
            return self._pixels(old, element, vr, path)
        if action is None or basic is None:
            verdict = self.judge.unnamed(element, tag, vr)
        else:
            verdict = self.judge.named(element, tag, vr, action, basic)
        if verdict.reason in _ALWAYS and action not in ("C", "K"):
            self.plans[tag, written] = verdict
        return verdict

    def _sequence(self, element: Any, tag: int, known: str, path: Path, action: str | None) -> Verdict:
        from pydicom.dataelem import DataElement
        from pydicom.sequence import Sequence

        if known != "SQ":
            return Verdict(None, "dropped", "other representation than the standard's")
        if action == "X":
            return Verdict(None, "dropped", "named by the table")
        if action in ("Z", "D"):
            return Verdict(DataElement(element.tag, "SQ", Sequence([])), "replaced", "emptied")
        items = elements.items(element)
        if items is None:
            self.tally.warnings["a sequence that could not be parsed was dropped"] += 1
            return Verdict(None, "dropped", "could not be parsed")
        new = [self.dataset(item, (*path, tag)) for item in items]
        return Verdict(DataElement(element.tag, "SQ", Sequence(new)), "kept", "sequence, its items cleaned")

    def _private(self, element: Any, tag: int, path: Path, creators: dict[int, str]) -> Verdict:
        from pydicom.dataelem import DataElement
        from pydicom.sequence import Sequence

        creator = creators.get(_block(tag))
        safe = private.SAFE.get((creator or "", tag & 0xFFFF00FF)) if tag & 0xFF00 else None
        if safe is None or not self.options.safe_private or tag & 0xFFFF < 0x1000:
            return _PRIVATE
        if safe.vr == "SQ":
            items = elements.items(element)
            if items is None:
                return Verdict(None, "dropped", "could not be parsed")
            new = [self.dataset(item, (*path, tag)) for item in items]
            return Verdict(DataElement(element.tag, "SQ", Sequence(new)), "kept", "safe private")
        texts = values.TEXT | {"CS"}
        same = element.VR in (None, "UN", safe.vr) or {element.VR, safe.vr} <= texts
        if elements.is_sequence(element) or not same:
            return Verdict(None, "dropped", "safe private of another representation")
        if element.VR in (None, "UN") and hasattr(element, "_replace"):
            element = element._replace(VR=safe.vr)
        return self.judge.private(element, safe.vr, safe.fits)

    def _pixels(self, old: Any, element: Any, vr: str, path: Path) -> Verdict:
        from pydicom.dataelem import DataElement
        from pydicom.uid import UID

        if path:
            return Verdict(None, "dropped", "pixels in an item")
        value, changed = checked(old, element, self.syntax)
        if not changed:
            return Verdict(element, "kept", "allowed fact")
        vr = element.VR if element.VR in ("OB", "OW", "OF", "OD") else "OW" if " or " in vr else vr
        new = DataElement(element.tag, vr, value)
        new.is_undefined_length = UID(self.syntax).is_encapsulated
        return Verdict(new, "replaced", "pixels cut to their frames")


def _planned(tag: int, written: str | None, options: Options) -> _Plan | Verdict:
    group = tag >> 16
    if tag & 0xFFFF == 0:
        return _LENGTH
    if group in _NEVER_GROUPS or tag in NEVER:
        return Verdict(None, "dropped", _NEVER_GROUPS.get(group, "never stays"))
    if 0x5000 <= group <= 0x501E or 0x6000 <= group <= 0x601E:
        return Verdict(None, "dropped", "overlay or curve")
    known = elements.vr(tag)
    if known is None:
        return Verdict(None, "dropped", "unknown tag")
    telling = allowed.TELLING.get(tag)
    if telling is not None and not getattr(options, telling.option):
        return Verdict(None, "dropped", "singles out a scanner or a body")
    vr = "SQ" if known == "SQ" else elements.judged(written, known)
    if vr is None:
        return Verdict(None, "dropped", "other representation than the standard's")
    row = rules.table().get(tag)
    return _Plan(vr, None, None) if row is None else _Plan(vr, row.action(options), rules.basic_action(row))


def _block(tag: int) -> int:
    """Of a private element: the element that reserves its block."""
    return tag & 0xFFFF0000 | (tag & 0xFF00) >> 8


@cache
def _plans(_: Options) -> dict[tuple[int, str | None], _Plan | Verdict]:
    """Tag and VR to the plan, or to the verdict on what goes whatever its value is; made while files are walked."""
    return {}
