"""One file: read, protected, written, read again and compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from medveil.carry.applying import Folders, apply, image_measures, mask_place, rows_of, write_mask
from medveil.carry.jobs import Job
from medveil.core.errors import VerificationFailed
from medveil.core.release import Carried, Entry, Step
from medveil.io import formats
from medveil.io.folder import sha256
from medveil.protect.verify import verify_image


def protect_file(
    job: Job,
    steps: Sequence[Step],
    folders: Folders,
    carried: Callable[[], Carried] | None,
    entry: Entry,
) -> Entry:
    """Protect the image of one file; `entry` with what became of it.

    Raises:
        MedveilError: whatever is wrong with it; then what it left behind is to be removed.
    """
    target = folders.release / job.place
    source = formats.read(job.source)
    facts = formats.facts(job.source, source)
    given = replace(job.given.read(source), carried=carried() if carried else None)
    outcome = apply(steps, source, given)
    formats.write(outcome.image, target, like=job.source)

    written = formats.read(target)
    proofs = verify_image(source, written, outcome.altered, outcome.protected)
    proofs.pop("something was altered", None)  # a slab without a face has nothing to alter
    proofs |= {name: bool(held) for name, held in outcome.proofs.items()}
    proofs["header as declared"] = not formats.check(target, job.source)
    failed = [name for name, held in proofs.items() if not held]
    if failed:
        kept = " (the given keep is not altered)" if "keep" in job.given.files else ""
        raise VerificationFailed("a proof failed: " + ", ".join(failed) + kept)
    write_mask(outcome, facts, folders.inside / mask_place(job.place))
    return replace(
        entry,
        state="protected",
        measured={k: float(v) for k, v in outcome.measured.items()} | image_measures(source, written),
        proofs=proofs,
        remarks=(*formats.remarks(job.source, facts), *job.given.remarks, *outcome.remarks),
        sha256=sha256(target),
        affine_to_mni=None if outcome.affine_to_mni is None else rows_of(outcome.affine_to_mni),
    )
