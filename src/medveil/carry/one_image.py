"""One image: read, protected, written, read again and compared, or refused by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from medveil.carry.jobs import Job
from medveil.core.errors import MedveilError, OutputFailed, VerificationFailed
from medveil.core.image import Image
from medveil.core.release import NOTHING, Carried, Entry, Given, Mask, Outcome, Step
from medveil.io import header, nifti
from medveil.io.folder import sha256
from medveil.io.header import HeaderFacts
from medveil.io.names import stem
from medveil.measure.fidelity.error import psnr
from medveil.protect.verify import changed_voxels, verify_image

MASKS = PurePosixPath("masks")
ALTERED, PROTECTED = 1, 2  # in a label mask; 0 is what was neither


@dataclass(frozen=True, repr=False)
class Folders:
    """Where protected images go, and where their masks go: the second never leaves."""

    release: Path
    inside: Path

    def __repr__(self) -> str:
        return "Folders()"


def mask_place(place: PurePosixPath) -> PurePosixPath:
    """Where the mask of a released image lies in the internal folder."""
    return MASKS / place.with_name(stem(place) + "_mask.nii.gz")


def protect_image(
    job: Job, steps: Sequence[Step], folders: Folders, carried: Callable[[], Carried] | None
) -> Entry:
    """Protect one image. Never raises for one bad image: fails closed, and the entry says why.

    Args:
        carried: gives a located image of the same session, if there is one.

    Raises:
        OutputFailed: the release cannot be written at all.
    """
    entry = Entry(
        subject=job.place.parts[0] if len(job.place.parts) > 1 else job.place.name.split("_")[0],
        name=stem(PurePosixPath(job.place.name)),
        state="refused",
        place=job.place,
        contrast=job.record.contrast,
    )
    try:
        return _protect(job, steps, folders, carried, entry)
    except OutputFailed:
        raise
    except MedveilError as error:
        reason = error.message
    except MemoryError:
        reason = "not enough memory for this image"
    except Exception as error:  # noqa: BLE001 - one odd file must not end the run; its text may hold values
        reason = f"a bug in medveil ({type(error).__name__}); the image was left out"
    (folders.release / job.place).unlink(missing_ok=True)
    (folders.inside / mask_place(job.place)).unlink(missing_ok=True)
    return replace(entry, reason=reason)


def _protect(
    job: Job,
    steps: Sequence[Step],
    folders: Folders,
    carried: Callable[[], Carried] | None,
    entry: Entry,
) -> Entry:
    target = folders.release / job.place
    source = nifti.read(job.source)
    facts = header.read_facts(job.source)
    given = replace(job.given.read(source), carried=carried() if carried else None)
    outcome = apply(steps, source, given)
    nifti.write(outcome.image, target, facts=facts)

    written = nifti.read(target)
    proofs = verify_image(source, written, outcome.altered, outcome.protected)
    proofs.pop("something was altered", None)  # a slab without a face has nothing to alter
    proofs |= {name: bool(held) for name, held in outcome.proofs.items()}
    proofs["header as declared"] = not header.check_header(target, job.source)
    failed = [name for name, held in proofs.items() if not held]
    if failed:
        kept = " (the given keep is not altered)" if "keep" in job.given.files else ""
        raise VerificationFailed("a proof failed: " + ", ".join(failed) + kept)
    write_mask(outcome, facts, folders.inside / mask_place(job.place))
    return replace(
        entry,
        state="protected",
        measured={k: float(v) for k, v in outcome.measured.items()} | _kept(source, written),
        proofs=proofs,
        remarks=(*facts.remarks, *job.given.remarks, *outcome.remarks),
        sha256=sha256(target),
        affine_to_mni=None if outcome.affine_to_mni is None else _rows(outcome.affine_to_mni),
    )


def apply(steps: Sequence[Step], image: Image, given: Given = NOTHING) -> Outcome:
    """All steps in order, as one outcome: masks united, measurements together.

    Once a step has located the head, the next ones are told: a head without a face is harder to find.
    """
    total = Outcome(image)
    for step in steps:
        known = given if total.affine_to_mni is None else replace(given, affine_to_mni=total.affine_to_mni)
        now = step.apply(total.image, known)
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


def write_mask(outcome: Outcome, facts: HeaderFacts, path: Path) -> None:
    """Write which voxels were altered (1) and which were protected (2), on the image's grid (I, J, K)."""
    labels = np.zeros(facts.shape[:3], dtype=np.uint8)
    if outcome.protected is not None:
        labels[outcome.protected] = PROTECTED
    if outcome.altered is not None:
        labels[outcome.altered] = ALTERED
    said = replace(facts, dtype="uint8", shape=facts.shape[:3], slope=1.0, intercept=0.0, tr=0.0)
    nifti.write(Image(labels, outcome.image.affine, kind="labels"), path, facts=said)


def read_protected(path: Path) -> Mask:
    """(I, J, K) the protected region out of a mask that `write_mask` wrote."""
    return np.asarray(nifti.read(path).data == PROTECTED, dtype=bool)


def _kept(source: Image, written: Image) -> dict[str, float]:
    """How many voxels differ from the source and what they became, and how near the whole image still is."""
    changed = changed_voxels(source, written)
    if changed is None:
        return {}
    out = {
        "changed_voxels": float(changed.sum()),
        "changed_share": float(changed.mean()),
        "changed_to_values": float(np.unique(written.data[changed]).size),
    }
    before = source.values()
    span = float(np.percentile(before, 99.9) - before.min())
    ratio = psnr(before, written.values(), data_range=span) if span > 0 else None
    return out if ratio is None else {**out, "psnr_db": ratio}


def _rows(affine: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in affine)


def _either(a: Mask | None, b: Mask | None) -> Mask | None:
    return b if a is None else a if b is None else a | b
