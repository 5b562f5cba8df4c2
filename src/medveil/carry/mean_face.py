"""The mean face of a folder of people, for `deface.replace` to paste."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from medveil.carry.talk import Talk
from medveil.core.errors import Refusal, UsageError
from medveil.core.image import Image
from medveil.io import nifti
from medveil.io.folders import inspect_folder
from medveil.protect.deface.cohort_face import build_face_template, check_people


def write_mean_face(folder: Path, to: Path, *, contrast: str, force: bool, talk: Talk) -> int:
    """Build the mean face of a folder, one image of each subject, and write it.

    Returns:
        How many people it was made of.

    Raises:
        UsageError: the file exists, is no NIfTI name, or there are fewer than ten people, or are left.
    """
    if os.path.lexists(to) and not force:
        raise UsageError("output: exists already", hint="name a new file, or replace it with --force")
    if not to.name.endswith((".nii", ".nii.gz")):
        raise UsageError("output: expected a name that ends in .nii.gz")
    cohort = inspect_folder(folder).cohort
    first = {r.subject: r for r in reversed(cohort.records) if r.contrast in ("", contrast)}
    check_people(len(first))  # better refused now than after an hour
    reasons: Counter[str] = Counter()
    with talk.stage("laying heads over each other") as progress:

        def images() -> Iterator[Image]:
            for done, record in enumerate(first.values(), start=1):
                yield record.open()
                progress(done, len(first))

        def refused(refusal: Refusal) -> None:
            reasons[refusal.reason] += 1

        face = build_face_template(images(), refused=refused)
    for reason, count in reasons.most_common():
        talk.say(f"left out: {count} ({reason})")
    nifti.write(face, to)
    return len(first) - reasons.total()
