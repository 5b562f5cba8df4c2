"""Means: what an attacker is assumed to hold of the candidates, read from folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from medveil.attack.base import Known, PairAttack
from medveil.attack.link.table import comparable
from medveil.carry.talk import Talk
from medveil.core.cohort import Cohort
from medveil.core.errors import InputRefused
from medveil.io import pictures
from medveil.io.bids import Inventory
from medveil.io.folders import inspect_folder
from medveil.io.traces import with_traces


@dataclass(frozen=True)
class Folders:
    """Where the attacker's material lies."""

    photographs: Path | None = None
    scans: Path | None = None
    others: Path | None = None
    others_photographs: Path | None = None

    @property
    def given(self) -> tuple[Path, ...]:
        """Those there are."""
        every = (self.photographs, self.scans, self.others, self.others_photographs)
        return tuple(p for p in every if p is not None)


@dataclass(frozen=True, repr=False)
class Means:
    """What an attacker may hold; anything may be missing.

    Args:
        photographs: of people whose names the attacker knows.
        scans: other head scans of such people; the participants table beside them is what is known of each,
            for photographs too.
        others: scans and photographs of other people, to learn from.
    """

    photographs: Cohort | None = None
    scans: Cohort | None = None
    others: Cohort | None = None

    @staticmethod
    def read(folders: Folders, subjects: Collection[str], talk: Talk) -> Means:
        """From folders whose labels are those of the images, `subjects`; says how far the two fit together.

        Raises:
            InputRefused: a folder is not there, cannot be read, or holds nothing of its kind.
        """
        faces = None
        if folders.photographs:
            faces = _readable(pictures.open_photographs(folders.photographs, subjects), talk)
            talk.say(str(pictures.coverage(faces, subjects, folders.photographs)))
        heads = None
        if folders.scans:
            inventory = _inventory(folders.scans, "--scans")
            heads = with_traces(inventory.cohort, inventory)
        if faces is not None and heads is not None:
            faces = replace(faces, participants=heads.participants)
        return Means(faces, heads, _others(folders.others, folders.others_photographs))

    def gallery(self, needs: Known) -> Cohort | None:
        """The candidates as an attack of that need sees them; None if the attacker has nothing of the kind."""
        if needs == "photographs":
            return self.photographs
        if needs == "scans":
            return self.scans
        return self.scans if self.scans is not None and self.scans.participants else None

    def lacks(self, attack: PairAttack, probes: Cohort) -> str:
        """Why an attack on these images cannot be run with what there is; empty where it can."""
        gallery = self.gallery(attack.needs)
        if gallery is None:
            return HINTS[attack.needs]
        if attack.needs == "table" and not comparable(probes.participants, gallery.participants):
            return NOTHING_IN_COMMON
        return NOBODY_ELSE if attack.learns and self.others is None else ""

    def __bool__(self) -> bool:
        return self.photographs is not None or self.scans is not None

    def __repr__(self) -> str:
        return f"Means(photographs={self.photographs!r}, scans={self.scans!r}, others={self.others!r})"


def _inventory(folder: Path, option: str) -> Inventory:
    """What is in a folder of scans; a refusal says which option it was given by."""
    try:
        return inspect_folder(folder)
    except InputRefused as refused:
        raise InputRefused(f"{option}: {refused.message}", hint=refused.hint) from None


def _readable(photographs: Cohort, talk: Talk) -> Cohort:
    """Those that can be opened, tried before hours of work; the others are counted aloud by reason.

    Raises:
        InputRefused: not one of them can.
    """
    kept, reasons = [], Counter[str]()
    for record in photographs:
        try:
            record.open()
        except InputRefused as refused:
            reasons[refused.message] += 1
            last = refused
        else:
            kept.append(record)
    for reason, count in reasons.most_common():
        talk.say(f"warning: {count} of {len(photographs)} photographs left out: {reason}")
    if not kept:
        raise last
    return replace(photographs, records=tuple(kept))


def _others(scans: Path | None, photographs: Path | None) -> Cohort | None:
    """Scans and photographs of other people as one cohort, under the labels that both sides share."""
    if scans is None and photographs is None:
        return None
    heads = _inventory(scans, "--others").cohort if scans else Cohort(())
    faces = pictures.open_photographs(photographs, heads.subjects) if photographs else Cohort(())
    return Cohort((*heads, *faces), heads.participants)


HINTS: dict[Known, str] = {
    "photographs": "no photographs were given (--photos)",
    "scans": "no other scans of these people were given (--scans)",
    "table": "no participants table of these people was given (--scans with a participants.tsv)",
}
NOTHING_IN_COMMON = "the table of the release and that of the candidates (--scans) tell no fact in common"
NOBODY_ELSE = "no other people to learn from were given (--others)"
"""Why an attack could not be run."""
