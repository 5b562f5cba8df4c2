"""Ten kinds of actions a DICOM de-identifier should take, judged as the MIDI-B challenge does, with its holes closed.

    tag_retained  text_notnull  text_retained  pixels_retained         what research needs is still there
    text_removed  date_shifted  uid_changed    pixels_hidden           what names people is gone
    uid_consistent  patid_consistent                                   what belongs together still does

Three holes of the published scorer are closed. 1: an action on an output that is missing fails, whatever the
action. 2: a shifted date is a date, another one than before, and moved by the same number of days as the other
dates of its subject, by a shift and not to a dummy. 3: hidden pixels are judged by numbers instead of by hand: inside the box the output may not
follow the source.

Source: action types and the idea of answers per instance, MIDI-B challenge (MICCAI 2024); rules are our own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.io.dicom_facts import Facts

Kind = Literal[
    "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted", "uid_changed",
    "pixels_hidden", "pixels_retained", "uid_consistent", "patid_consistent",
]  # fmt: skip
KINDS: tuple[Kind, ...] = (
    "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted", "uid_changed",
    "pixels_hidden", "pixels_retained", "uid_consistent", "patid_consistent",
)  # fmt: skip
MISSING = "the output is missing"
GONE = "the date is gone"
DUMMY = "the date became a dummy"
# No shift moves a person's dates further; tools that put 1 January of the year 1 everywhere do.
FARTHEST_DAYS = 73_050
UID_GONE = "the UID is gone"
LINK_GONE = "the value is gone, so nothing links what belongs together"
_SAFE_KINDS = ("text_removed", "date_shifted", "uid_changed", "uid_consistent", "patid_consistent")
# Correlation of a box before and after from which somebody could read what stood there.
FOLLOWS = 0.2
_UID = re.compile(r"[0-2](\.(0|[1-9][0-9]*))+")


@dataclass(frozen=True)
class Action:
    """What should have been done to one element (or box) of one image.

    Args:
        kind: one of ten.
        keyword: of the element, as in `Facts.values`; '' for pixels.
        text: of text_retained and text_removed: the text; '' means the whole value before.
        box: of pixels_hidden: first row, row behind the last, first column, column behind the last.
    """

    kind: Kind
    keyword: str = ""
    text: str = ""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError("action: its kind is none of the ten")
        if not self.kind.startswith("pixels") and not self.keyword:
            raise UsageError(f"{self.kind}: names no element")


@dataclass(frozen=True, repr=False)
class Case:
    """One image: what it was, what came out (None: nothing did), and what should have been done."""

    subject: str
    before: Facts
    after: Facts | None
    actions: tuple[Action, ...]

    def __repr__(self) -> str:
        return f"Case({len(self.actions)} actions)"


@dataclass(frozen=True)
class Judged:
    """One action with its verdict; `reason` says in words why it failed, and never shows a value."""

    case: int
    action: Action
    passed: bool
    reason: str = ""

    @property
    def unsafe(self) -> bool:
        """Whether the failure gives something away, or falsifies: more than an element that was dropped."""
        dropped = self.reason in (MISSING, GONE, DUMMY, UID_GONE, LINK_GONE)
        return not self.passed and not dropped and self.action.kind in _SAFE_KINDS


def judge(cases: Sequence[Case]) -> list[Judged]:
    """Every action of every case, in order."""
    shifts = _shifts(cases)
    ids = {kind: _one_to_one(cases, kind) for kind in ("uid_consistent", "patid_consistent")}
    out = []
    for number, case in enumerate(cases):
        for action in case.actions:
            if case.after is None:
                reason = MISSING
            elif action.kind == "date_shifted":
                reason = _date(case.before, case.after, action.keyword, shifts.get(case.subject))
            elif action.kind in ids:
                reason = _consistent(case.before, case.after, action.keyword, ids[action.kind])
            else:
                reason = _alone(case.before, case.after, action)
            out.append(Judged(number, action, not reason, reason))
    return out


def score(cases: Sequence[Case], seeds: Seeds, *, rounds: int = 1000) -> Estimate:
    """Share of the actions that passed, with a 95 % interval from redrawn subjects.

    Returns:
        Estimate `actions_passed`; n is the number of subjects; no interval for fewer than two of them.
    """
    per: dict[str, list[int]] = {case.subject: [0, 0] for case in cases}
    for judged in judge(cases):
        counts = per[cases[judged.case].subject]
        counts[0] += judged.passed
        counts[1] += 1
    table = np.array(list(per.values()), float).reshape(-1, 2)
    if not table[:, 1].sum():
        return Estimate("actions_passed", None, n=len(per), better="higher", note="no action was asked for")
    low = high = None
    if len(table) > 1:
        rng = seeds.stream("measure/leak/midi")
        sums = table[rng.integers(0, len(table), (rounds, len(table)))].sum(axis=1)
        shares = sums[sums[:, 1] > 0]
        low, high = (float(q) for q in np.quantile(shares[:, 0] / shares[:, 1], (0.025, 0.975)))
    value = float(table[:, 0].sum() / table[:, 1].sum())
    note = "passed actions of all; percentiles over redrawn subjects"
    return Estimate("actions_passed", value, low, high, n=len(per), better="higher", note=note)


def _alone(before: Facts, after: Facts, action: Action) -> str:
    """Why an action fails that needs no other image to be judged; '' if it passes."""
    was, now = before.values.get(action.keyword, ""), after.values.get(action.keyword)
    text = (action.text or was).strip()
    if action.kind == "tag_retained":
        return "" if now is not None else "the element is gone"
    if action.kind == "text_notnull":
        return "" if now and now.strip() else "the element is gone or empty"
    if action.kind == "text_retained":
        return "" if now is not None and text in now else "the text is gone"
    if action.kind == "text_removed":
        return "the text is still there" if text and text.casefold() in (now or "").casefold() else ""
    if action.kind == "uid_changed":
        if not now:
            return UID_GONE
        if not _UID.fullmatch(now) or len(now) > 64:
            return "what stands there is no UID"
        return "the UID is the same" if now == was else ""
    if action.kind == "pixels_retained":
        if not before.digest or not after.digest:
            return "the pixels could not be read"
        return "" if before.digest == after.digest else "pixels have changed"
    return _hidden(before, after, action.box)


def _hidden(before: Facts, after: Facts, box: tuple[int, int, int, int]) -> str:
    top, bottom, left, right = box
    if before.pixels is None or after.pixels is None:
        return "the pixels could not be read"
    if before.pixels.shape != after.pixels.shape:
        return "the pixels have another shape"
    was, now = (p[..., top:bottom, left:right].astype(float).ravel() for p in (before.pixels, after.pixels))
    if not was.size:
        return "the box lies outside the image"
    if np.ptp(now) == 0:
        return ""
    if np.ptp(was) == 0:
        return "the box held nothing to hide, and holds something now"
    return "the box still follows what it held" if abs(np.corrcoef(was, now)[0, 1]) > FOLLOWS else ""


def day_of(value: str | None) -> date | None:
    """The day that the first eight digits of a DICOM date or date-time give, or None."""
    try:
        return datetime.strptime((value or "")[:8], "%Y%m%d").date()
    except ValueError:
        return None


def _shifts(cases: Sequence[Case]) -> dict[str, int]:
    """Of each subject, the shift in days of more than half of its dates; subjects without one are left out."""
    seen: dict[str, Counter[int]] = {}
    for case in cases:
        for action in case.actions:
            if action.kind == "date_shifted" and case.after is not None:
                was, now = (day_of(f.values.get(action.keyword)) for f in (case.before, case.after))
                if was and now and abs((now - was).days) <= FARTHEST_DAYS:
                    seen.setdefault(case.subject, Counter())[(now - was).days] += 1
    most = {subject: counts.most_common(1)[0] for subject, counts in seen.items()}
    return {s: days for s, (days, times) in most.items() if 2 * times > seen[s].total()}


def _date(before: Facts, after: Facts, keyword: str, shift: int | None) -> str:
    was, now = day_of(before.values.get(keyword)), day_of(after.values.get(keyword))
    if was is None:
        return "the source holds no date"
    if now is None:
        return "what stands there is no date" if after.values.get(keyword) else GONE
    if now == was:
        return "the date is the same"
    if abs((now - was).days) > FARTHEST_DAYS:
        return DUMMY
    return "" if (now - was).days == shift else "the date moved by other days than the rest of its subject"


def _one_to_one(cases: Sequence[Case], kind: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """What every value became, over all images; and what every new value was."""
    became: dict[str, set[str]] = {}
    was: dict[str, set[str]] = {}
    for case in cases:
        for action in case.actions:
            if action.kind == kind and case.after is not None:
                old, new = (f.values.get(action.keyword, "").strip() for f in (case.before, case.after))
                if old and new:
                    became.setdefault(old, set()).add(new)
                    was.setdefault(new, set()).add(old)
    return became, was


def _consistent(
    before: Facts, after: Facts, keyword: str, seen: tuple[dict[str, set[str]], dict[str, set[str]]]
) -> str:
    old, new = (f.values.get(keyword, "").strip() for f in (before, after))
    if not new:
        return LINK_GONE
    if len(seen[0].get(old, {new})) > 1:
        return "the same value became different ones"
    return "different values became the same" if len(seen[1].get(new, {old})) > 1 else ""
