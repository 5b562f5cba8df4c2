"""Cohort: who is in a study, and how to open their images when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from medveil.core.image import Image

PHOTO = "photo"
"""Contrast of a record that is a photograph."""


@dataclass(frozen=True, repr=False)
class Record:
    """One image of one subject, opened only when asked for.

    Args:
        subject: label of the subject inside this cohort.
        name: label of the image, unique within the subject (`ses-1_run-2_T1w`).
        open: returns the image; may raise InputRefused.
        session: label of the session, or empty.
        contrast: suffix as BIDS writes it (T1w, T2w, FLAIR, PDw, CT, pet, photo), or empty.
        place: path below the cohort's root that a release keeps; None for images with no file.
        traces: returns facts beside the picture (header fields, sidecar values, names, hashes) by name, as
            `io.traces` reads them; may raise InputRefused. None where nobody gathered any.
    """

    subject: str
    name: str
    open: Callable[[], Image]
    session: str = ""
    contrast: str = ""
    place: PurePosixPath | None = None
    traces: Callable[[], Mapping[str, str]] | None = None

    def __repr__(self) -> str:
        return f"Record(contrast={self.contrast or 'unknown'})"


@dataclass(frozen=True, repr=False)
class Cohort:
    """Records in a fixed order, with what a participants table says of each subject.

    Args:
        records: the images.
        participants: subject label to its row (age, sex, ...); may be empty.
        simulated: True if these people do not exist. Reports say so.
    """

    records: tuple[Record, ...]
    participants: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    simulated: bool = False

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subject labels in order of first appearance."""
        return tuple(dict.fromkeys(r.subject for r in self.records))

    def of(self, *subjects: str) -> Cohort:
        """The part of the cohort that belongs to these subjects."""
        keep = set(subjects)
        return Cohort(
            tuple(r for r in self.records if r.subject in keep),
            {s: row for s, row in self.participants.items() if s in keep},
            self.simulated,
        )

    def split(self, first: int) -> tuple[Cohort, Cohort]:
        """The first so many subjects, and the others: never the same person on both sides."""
        who = self.subjects
        return self.of(*who[:first]), self.of(*who[first:])

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def __repr__(self) -> str:
        return f"Cohort({len(self.subjects)} subjects, {len(self)} images)"
