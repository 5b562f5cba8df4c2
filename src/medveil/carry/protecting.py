"""Protect a folder: its sessions over all processes, each image's fate listed, and finished ones taken over.

inventory ──jobs──> sessions ──one_session──> one_image ──> entry    the release, and masks inside
                      └──────────── notes <──────────────────┘       for a run that is taken up again
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from medveil.carry.applying import Folders, mask_place, read_protected
from medveil.carry.jobs import Job, jobs_of, sessions
from medveil.carry.naming import OWN_NAMES, Naming, places_of
from medveil.carry.one_session import Done, protect_session
from medveil.carry.talk import Talk
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import Refusal, VerificationFailed
from medveil.core.image import Image
from medveil.core.release import Entry, Mask, Step
from medveil.io import formats
from medveil.io.aside import write_aside
from medveil.io.bids import Inventory
from medveil.io.dicom.volume import read_series
from medveil.io.folder import Staging
from medveil.io.given import GivenFiles, find_given
from medveil.protect.header.participants import clean_participants

NOTES = PurePosixPath(
    ".entries"
)  # what was found about each finished image, for a run that is taken up again


@dataclass(frozen=True, repr=False)
class Protected:
    """What became of a folder.

    Args:
        entries: one an image, in the order of the source; labels are those of the release.
        cohort: the images that may leave; labels are those of the source, so that they can be paired.
        originals: place in the release to record in the source, of every image.
        contents: place in the release to SHA-256 of the source, of every image; never leaves.
    """

    entries: tuple[Entry, ...]
    cohort: Cohort
    originals: Mapping[PurePosixPath, Record]
    contents: Mapping[PurePosixPath, str]

    @property
    def refused(self) -> tuple[Entry, ...]:
        return tuple(e for e in self.entries if e.state != "protected")

    @property
    def places(self) -> tuple[PurePosixPath, ...]:
        """Where the files of the images that may leave lie in the release."""
        return tuple(place for e in self.entries if e.state == "protected" for place in e.places)

    @property
    def masks(self) -> tuple[PurePosixPath, ...]:
        """Where their masks lie in the internal folder."""
        return tuple(mask_place(p) for p in self._images)

    @property
    def kept(self) -> tuple[PurePosixPath, ...]:
        """Those places, and where the notes about them lie until the release is finished."""
        return (*self.places, *(_note_place(p) for p in self._images))

    def regions(self, inside: Path) -> dict[PurePosixPath, Callable[[], Mask]]:
        """What was protected in each image that may leave, read from its mask when it is asked for."""
        return {p: partial(read_protected, inside / mask_place(p)) for p in self._images}

    @property
    def _images(self) -> tuple[PurePosixPath, ...]:
        return tuple(_must(e.place) for e in self.entries if e.state == "protected")

    def with_measured(self, numbers: Mapping[PurePosixPath, Mapping[str, float]]) -> Protected:
        """The same with more numbers about some images, by their place in the release."""
        return replace(
            self,
            entries=tuple(
                replace(e, measured={**e.measured, **numbers.get(_must(e.place), {})}) for e in self.entries
            ),
        )

    def __repr__(self) -> str:
        return f"Protected({len(self._images)} images, {len(self.refused)} refused)"


def protect_folder(
    inventory: Inventory,
    steps: Sequence[Step],
    staging: Staging,
    inside: Staging,
    *,
    naming: Naming = OWN_NAMES,
    given: Path | None,
    jobs: int,
    talk: Talk,
) -> Protected:
    """Protect every image of an inventory into a staging folder, and its mask into the internal one.

    Images that an earlier, interrupted run had finished with the same settings from the same bytes are
    taken over. An image that is refused, or fails its proofs, leaves nothing behind and is listed.

    Raises:
        Refusal: not one image could be protected.
        OutputFailed: the release cannot be written at all.
    """
    from joblib import Parallel, delayed

    work = jobs_of(inventory, places_of(inventory, naming), _given(given, inventory, talk))
    if naming.key:  # in the order of the source, lists and times of files would say who is who
        work.sort(key=lambda job: str(job.place))
    masked = any(isinstance(step, Step) for step in steps)  # headers alone leave no voxel to mask
    known = _taken_over(work, staging, inside, masked)
    folders = Folders(staging.folder, inside.folder)
    done: dict[PurePosixPath, Done] = {}
    with talk.stage("protecting and verifying") as progress:
        results = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
            delayed(protect_session)(
                group,
                tuple(steps),
                folders,
                {j.place: known[j.place] for j in group if j.place in known},
                naming,
            )
            for group in sessions(work)
        )
        for session in results:
            for one in session:
                place = _must(one.entry.place)
                done[place] = one
                if one.entry.state == "protected" and known.get(place) != one:
                    _note(one, staging, inside, masked)
            progress(len(done), len(work))
    entries = tuple(done[job.place].entry for job in work)
    released = {
        job.record.subject: done[job.place].entry.subject
        for job in work
        if done[job.place].entry.state == "protected"
    }
    if all(e.state != "protected" for e in entries):
        raise Refusal("no image could be protected", _reasons(entries))
    return Protected(
        entries=entries,
        cohort=Cohort(
            tuple(
                replace(job.record, open=_opener(done[job.place].entry, staging.folder), place=job.place)
                for job in work
                if done[job.place].entry.state == "protected"
            ),
            _table(inventory.cohort, released),
            inventory.cohort.simulated,
        ),
        originals={job.place: job.record for job in work},
        contents={job.place: done[job.place].source_sha256 for job in work},
    )


def _opener(entry: Entry, folder: Path) -> Callable[[], Image]:
    if entry.files:
        return partial(read_series, [folder / place for place in entry.places])
    return partial(formats.read, folder / _must(entry.place))


def _table(cohort: Cohort, released: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What the release tells of its people: the allowed columns of those who are in it, under their new labels."""
    kept = {
        subject: clean_participants([{**row, "participant_id": released[subject]}])
        for subject, row in cohort.participants.items()
        if subject in released
    }
    return {subject: rows[0] for subject, rows in kept.items() if rows}


def _given(folder: Path | None, inventory: Inventory, talk: Talk) -> dict[PurePosixPath, GivenFiles]:
    """What is given for each image; files that are given for none are counted aloud."""
    if folder is None:
        return {}
    found, strangers = find_given(folder, [r.place for r in inventory.cohort if r.place is not None])
    talk.say(f"given: {len(found)} of {len(inventory.cohort)} images have files of their own")
    if strangers:
        talk.say(f"warning: {strangers} given files are named after no image and were not used")
    return found


def _taken_over(
    work: Sequence[Job], staging: Staging, inside: Staging, masked: bool
) -> dict[PurePosixPath, Done]:
    """Images that an interrupted run had finished: the release, the note and the mask all vouched for."""
    journal, masks, done = staging.journal(), inside.journal(), {}
    for job in work:
        note, mask = journal.get(_note_place(job.place)), masks.get(mask_place(job.place))
        if note is None or (masked and (mask is None or mask.settings != note.settings)):
            continue
        text = (staging.folder / _note_place(job.place)).read_text(encoding="utf-8")
        one = _done(json.loads(text))
        files = [journal.get(place) for place in one.entry.places]
        if all(file and file.settings == note.settings for file in files):
            done[job.place] = one
    return done


def _note(done: Done, staging: Staging, inside: Staging, masked: bool) -> None:
    """Keep what was found about an image beside it, then vouch for image, note and mask in the journals."""
    place = _must(done.entry.place)
    data = {**asdict(done), "entry": {**asdict(done.entry), "place": str(place)}}
    with write_aside(staging.folder / _note_place(place), "journal") as file:
        file.write(json.dumps(data).encode())
    if masked:
        inside.done(mask_place(place), done.signature)
    staging.done(_note_place(place), done.signature)
    for written in done.entry.places:
        staging.done(written, done.signature)


def _done(data: dict[str, Any]) -> Done:
    said = data["entry"]
    affine = said["affine_to_mni"]
    entry = Entry(
        **{
            **said,
            "place": PurePosixPath(said["place"]),
            "remarks": tuple(said["remarks"]),
            "files": tuple(said["files"]),
            "affine_to_mni": None if affine is None else tuple(tuple(row) for row in affine),
        }
    )
    return Done(entry, data["signature"], data["source_sha256"])


def _note_place(place: PurePosixPath) -> PurePosixPath:
    return NOTES / place.with_suffix(".json")


def _must(place: PurePosixPath | None) -> PurePosixPath:
    if place is None:
        raise VerificationFailed("a released image has no place")
    return place


def _reasons(entries: Sequence[Entry]) -> str:
    """Reasons with their counts, the commonest first."""
    return "; ".join(
        f"{n} of {len(entries)}: {reason}" for reason, n in Counter(e.reason for e in entries).most_common()
    )
