"""One session: its images in turn, the first that is located showing the others where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from medveil.carry.applying import Folders
from medveil.carry.jobs import Job, signature
from medveil.carry.naming import Naming
from medveil.carry.one_image import protect_image
from medveil.core.release import Carried, Entry, Step


@dataclass(frozen=True, repr=False)
class Done:
    """What became of one image, and of what it was made.

    Args:
        entry: its fate.
        signature: hash of all that decided it; see `jobs.signature`.
        source_sha256: of the file it came from; never leaves.
    """

    entry: Entry
    signature: str
    source_sha256: str

    def __repr__(self) -> str:
        return f"Done({self.entry!r})"


@dataclass(frozen=True, repr=False)
class _Anchor:
    """An image whose head was found, for the others of its session."""

    job: Job
    affine_to_mni: tuple[tuple[float, ...], ...]
    signature: str

    def carried(self) -> Carried:
        """The image itself and where its head is; reads the file."""
        return Carried(self.job.record.open(), np.array(self.affine_to_mni, dtype=np.float64))


def protect_session(
    jobs: Sequence[Job],
    steps: tuple[Step, ...],
    folders: Folders,
    known: Mapping[PurePosixPath, Done],
    naming: Naming,
) -> list[Done]:
    """Protect the images of one session, in the order they come.

    An image that was located, and whose affine speaks of the scanner, is shown to all later ones of the same
    kind of scanner (a head lies elsewhere in a CT than in an MR, whatever the session is called). If the
    first is refused, the next one takes its place.

    Args:
        known: what an earlier run had finished; taken over where it is what this run would make again.
    """
    anchors: dict[str, _Anchor] = {}
    out = []
    for job in jobs:
        placed = job.in_scanner_coordinates
        anchor = anchors.get(job.scanner) if placed else None
        content = job.content
        signed = signature(steps, content, job.given, anchor.signature if anchor else "", naming.digest)
        done = known.get(job.place)
        if done is None or done.signature != signed:
            carried = anchor.carried if anchor else None
            done = Done(protect_image(job, steps, folders, carried, naming), signed, content)
        out.append(done)
        located = done.entry.affine_to_mni
        if placed and located is not None and job.scanner not in anchors:
            anchors[job.scanner] = _Anchor(job, located, signed)
    return out
