"""Jobs: which images there are to protect, which of them belong together, and in which order.

    session ──best image first──> T1w   FLAIR   T2w   bold        one kind of scanner: the first that is
                                   └──────┴───────┴──> carried    located shows the others where to look

A session is one piece of work: its images share a head in one place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from medveil import __version__
from medveil.carry.told import told
from medveil.core.cohort import Record
from medveil.core.errors import InputRefused
from medveil.core.release import Step, settings
from medveil.io.bids import Inventory
from medveil.io.folder import sha256
from medveil.io.given import NO_FILES, GivenFiles
from medveil.io.header import read_facts
from medveil.io.names import BidsName, bids_name

if TYPE_CHECKING:
    from medveil.io.dicom.series import Series

# Where a head is found most surely comes first: contrast within the brain, all of the head in view. Whatever
# is not listed comes last.
BEST_FIRST = ("T1w", "UNIT1", "FLAIR", "T2w", "T2starw", "PDw", "CT", "pet", "asl", "bold", "dwi")
SCANNER_COORDINATES = 1  # NIfTI's code for them
X_RAYS = ("CT", "pet")  # they share a gantry, and its coordinates


@dataclass(frozen=True, repr=False)
class Job:
    """One image to protect.

    Args:
        record: the image.
        place: where its release will have it.
        source: its file; of DICOM, that of its first slice.
        given: what is known beside it.
        series: of DICOM, the files it is made of.
    """

    record: Record
    place: PurePosixPath
    source: Path
    given: GivenFiles = NO_FILES
    series: Series | None = None

    @property
    def scanner(self) -> str:
        """Whose coordinates it is in: of a kind of machine, and of DICOM of one frame of reference."""
        kind = "x-rays" if self.record.contrast in X_RAYS else "magnet"
        return f"{kind} {self.series.frame_of_reference}" if self.series else kind

    @property
    def in_scanner_coordinates(self) -> bool:
        """Whether its affine speaks of the scanner: code 1 of NIfTI; DICOM's does wherever a frame is named.

        Code 2 (aligned to something) may be another image's frame, or anything: images with it are located alone.
        """
        if self.series:
            return bool(self.series.frame_of_reference)
        try:
            facts = read_facts(self.source)
        except InputRefused:
            return False
        return (facts.sform_code or facts.qform_code) == SCANNER_COORDINATES

    @property
    def content(self) -> str:
        """SHA-256 of the source, or a word that stands for one that cannot be read."""
        try:
            if self.series is None:
                return sha256(self.source)
            return hashlib.sha256("".join(map(sha256, self.series.paths)).encode()).hexdigest()
        except OSError:
            return "unreadable"

    def __repr__(self) -> str:
        return f"Job({self.record!r})"


def jobs_of(
    inventory: Inventory, places: Sequence[PurePosixPath], given: Mapping[PurePosixPath, GivenFiles]
) -> list[Job]:
    """All images of an inventory, in its order."""
    return [
        Job(
            record,
            place,
            inventory.root / (record.place or ""),
            given.get(record.place or place, NO_FILES),
            inventory.series.get(record.place or place),
        )
        for record, place in zip(inventory.cohort, places, strict=True)
    ]


def sessions(jobs: Sequence[Job]) -> list[tuple[Job, ...]]:
    """Jobs of one session together, the best image first: by contrast, then the finer voxels."""
    groups: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        groups.setdefault(_session(job), []).append(job)
    return [tuple(sorted(g, key=_rank)) if len(g) > 1 else (g[0],) for g in groups.values()]


def _session(job: Job) -> tuple[str, str]:
    """Subject and session as BIDS names them; of DICOM, subject and study.

    In a plain folder every image stays alone: its files may be those of many people, and one person's head must
    not show where another one's is.
    """
    record = job.record
    if job.series:
        return record.subject, job.series.study
    if record.place is None or isinstance(bids_name(record.place), BidsName):
        return record.subject, record.session
    return record.subject, str(record.place)


def _rank(job: Job) -> tuple[int, float, str]:
    contrast = job.record.contrast
    first = BEST_FIRST.index(contrast) if contrast in BEST_FIRST else len(BEST_FIRST)
    finest = -len(job.series.places) if job.series else _voxel_mm3(job.source)
    return first, finest, str(job.place)


def _voxel_mm3(path: Path) -> float:
    try:
        return float(abs(np.linalg.det(read_facts(path).affine[:3, :3])))
    except InputRefused:
        return float("inf")  # it will be refused by name when its turn comes


def signature(
    steps: Sequence[Step], source_sha256: str, given: GivenFiles, anchor: str, naming: str = ""
) -> str:
    """Hash of all that decides the bytes of a protected image.

    Args:
        steps: with their settings, and the content of files among these.
        source_sha256: of the image's file.
        given: what is known beside it.
        anchor: the signature of the image that shows where to look; empty if there is none.
        naming: `Naming.digest`.
    """
    said = [
        __version__,
        source_sha256,
        given.digest(),
        anchor,
        naming,
        *([s.name, settings(told(s))] for s in steps),
    ]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
