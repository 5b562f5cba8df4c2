"""Applying: the steps on one image in memory, the mask that is kept of it, and how much it changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Mask, Outcome, Step
from medveil.io import nifti
from medveil.io.header import HeaderFacts
from medveil.io.names import stem
from medveil.measure.fidelity.error import psnr
from medveil.protect.verify import changed_voxels

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


def image_measures(source: Image, written: Image) -> dict[str, float]:
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


def rows_of(affine: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in affine)


def _either(a: Mask | None, b: Mask | None) -> Mask | None:
    return b if a is None else a if b is None else a | b
