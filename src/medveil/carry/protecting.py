"""Protect a folder: every image read, protected, written, read again and compared, or refused by name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from medveil import __version__
from medveil.carry.talk import Talk
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import MedveilError, OutputFailed, Refusal, VerificationFailed
from medveil.core.image import Image
from medveil.core.release import Entry, Mask, Outcome, Step, settings
from medveil.io import header, nifti
from medveil.io.aside import write_aside
from medveil.io.bids import Inventory, release_places
from medveil.io.folder import Staging, sha256
from medveil.measure.fidelity.error import psnr
from medveil.protect.verify import changed_voxels, verify_image

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
    """

    entries: tuple[Entry, ...]
    cohort: Cohort
    originals: Mapping[PurePosixPath, Record]

    @property
    def refused(self) -> tuple[Entry, ...]:
        return tuple(e for e in self.entries if e.state != "protected")

    @property
    def places(self) -> tuple[PurePosixPath, ...]:
        """Where the images that may leave lie in the release."""
        return tuple(_must(e.place) for e in self.entries if e.state == "protected")

    @property
    def kept(self) -> tuple[PurePosixPath, ...]:
        """Those places, and where the notes about them lie until the release is finished."""
        return (*self.places, *(_note_place(p) for p in self.places))


@dataclass(frozen=True, repr=False)
class Job:
    """One image to protect: its record, and the place its release will have."""

    record: Record
    place: PurePosixPath
    source: Path


def protect_folder(
    inventory: Inventory, steps: Sequence[Step], staging: Staging, *, jobs: int, talk: Talk
) -> Protected:
    """Protect every image of an inventory into a staging folder.

    Images that an earlier, interrupted run had finished with the same settings from the same bytes are
    taken over. An image that is refused, or fails its proofs, leaves nothing behind and is listed.

    Raises:
        Refusal: not one image could be protected.
        OutputFailed: the release cannot be written at all.
    """
    from joblib import Parallel, delayed

    work = [
        Job(record, place, inventory.root / (record.place or ""))
        for record, place in zip(inventory.cohort, release_places(inventory.cohort), strict=True)
    ]
    signed = {job.place: _signature(steps, job) for job in work}
    done = _taken_over(signed, staging)
    todo = [job for job in work if job.place not in done]
    with talk.stage("protecting and verifying") as progress:
        progress(len(done), len(work))
        results = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
            delayed(protect_file)(job, tuple(steps), staging.folder) for job in todo
        )
        for place, entry in results:
            done[place] = entry
            if entry.state == "protected":
                _note(entry, signed[place], staging)
            progress(len(done), len(work))
    entries = tuple(done[job.place] for job in work)
    if all(e.state != "protected" for e in entries):
        raise Refusal("no image could be protected", _reasons(entries))
    return Protected(
        entries=entries,
        cohort=Cohort(
            tuple(
                replace(job.record, open=partial(nifti.read, staging.folder / job.place), place=job.place)
                for job in work
                if done[job.place].state == "protected"
            ),
            inventory.cohort.participants,
            inventory.cohort.simulated,
        ),
        originals={job.place: job.record for job in work},
    )


def protect_file(job: Job, steps: tuple[Step, ...], folder: Path) -> tuple[PurePosixPath, Entry]:
    """Read, protect, write, read again, compare. Never raises for one bad image; fails closed."""
    target = folder / job.place
    entry = Entry(
        subject=job.place.parts[0] if len(job.place.parts) > 1 else job.place.name.split("_")[0],
        name=job.place.name.removesuffix(".gz").removesuffix(".nii"),
        state="refused",
        place=job.place,
        contrast=job.record.contrast,
    )
    try:
        return job.place, _protect(job, steps, target, entry)
    except OutputFailed:
        raise
    except MedveilError as error:
        reason = error.message
    except MemoryError:
        reason = "not enough memory for this image"
    except Exception as error:  # noqa: BLE001 - one odd file must not end the run; its text may hold values
        reason = f"a bug in medveil ({type(error).__name__}); the image was left out"
    target.unlink(missing_ok=True)
    return job.place, replace(entry, reason=reason)


def _protect(job: Job, steps: tuple[Step, ...], target: Path, entry: Entry) -> Entry:
    source = nifti.read(job.source)
    outcome = apply(steps, source)
    facts = header.read_facts(job.source)
    nifti.write(outcome.image, target, facts=facts)

    written = nifti.read(target)
    proofs = verify_image(source, written, outcome.altered, outcome.protected)
    proofs.pop("something was altered", None)  # a slab without a face has nothing to alter
    proofs |= outcome.proofs
    proofs["header as declared"] = not header.check_header(target, job.source)
    failed = [name for name, held in proofs.items() if not held]
    if failed:
        raise VerificationFailed("a proof failed: " + ", ".join(failed))
    return replace(
        entry,
        state="protected",
        measured={**outcome.measured, **_kept(source, written)},
        proofs=proofs,
        remarks=(*facts.remarks, *outcome.remarks),
        sha256=sha256(target),
    )


def apply(steps: Sequence[Step], image: Image) -> Outcome:
    """All steps in order, as one outcome: masks united, measurements together."""
    total = Outcome(image)
    for step in steps:
        now = step.apply(total.image)
        total = Outcome(
            image=now.image,
            altered=_either(total.altered, now.altered),
            protected=_either(total.protected, now.protected),
            measured={**total.measured, **now.measured},
            remarks=(*total.remarks, *now.remarks),
            proofs={**total.proofs, **now.proofs},
            affine_to_mni=now.affine_to_mni if now.affine_to_mni is not None else total.affine_to_mni,
        )
    return total


def _kept(source: Image, written: Image) -> dict[str, float]:
    """How many voxels differ from the source, and how near the whole image still is to it."""
    changed = changed_voxels(source, written)
    if changed is None:
        return {}
    out = {"changed_voxels": float(changed.sum()), "changed_share": float(changed.mean())}
    before = source.values()
    span = float(np.percentile(before, 99.9) - before.min())
    ratio = psnr(before, written.values(), data_range=span) if span > 0 else None
    return out if ratio is None else {**out, "psnr_db": ratio}


def _either(a: Mask | None, b: Mask | None) -> Mask | None:
    return b if a is None else a if b is None else a | b


def _signature(steps: Sequence[Step], job: Job) -> str:
    """Hash of all that decides the bytes of a protected image: program, steps, settings, source."""
    try:
        content = sha256(job.source)
    except OSError:
        content = "unreadable"
    said = [__version__, content, *([s.name, settings(s)] for s in steps)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _taken_over(signed: Mapping[PurePosixPath, str], staging: Staging) -> dict[PurePosixPath, Entry]:
    """Entries of images that an interrupted run of the same plan had finished."""
    journal, done = staging.journal(), {}
    for place, signature in signed.items():
        image, note = journal.get(place), journal.get(_note_place(place))
        if image and note and image.settings == note.settings == signature:
            done[place] = _entry(
                json.loads((staging.folder / _note_place(place)).read_text(encoding="utf-8"))
            )
    return done


def _note(entry: Entry, signature: str, staging: Staging) -> None:
    """Keep what was found about an image beside it, then vouch for both in the journal."""
    place = _must(entry.place)
    data = {**asdict(entry), "place": str(place)}
    with write_aside(staging.folder / _note_place(place), "journal") as file:
        file.write(json.dumps(data).encode())
    staging.done(_note_place(place), signature)
    staging.done(place, signature)


def _entry(data: dict[str, Any]) -> Entry:
    return Entry(**{**data, "place": PurePosixPath(data["place"]), "remarks": tuple(data["remarks"])})


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
