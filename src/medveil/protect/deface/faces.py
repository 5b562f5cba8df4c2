"""Faces: another face to put in the place of somebody's own, and where it goes.

A face is a signed distance (where its skin runs, to a fraction of a voxel) and a label per voxel (what lies
under it). Grey levels are no part of it: they come from the image it is pasted into, see `matching`.

    nobody's: a head of the simulator          ──┐
    everybody's: the mean of a cohort, a file  ──┴──> Face ──place──> (4, 4) patient mm to face mm

Every head gets the same face in the same size. Were it fitted as the brain is, along three axes, its
proportions would be those of the patient's brain, which go along with those of the face. Size follows in
steps of a fifth, so a small child gets no adult's face and two adults get the same.

Frame: face mm is any RAS+ frame in true millimetres; `from_mni` says how MNI lies in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.locate.grid import Matrix, Volume
from medveil.simulate.anatomy import tissues_of
from medveil.simulate.brain import brain_affine
from medveil.simulate.head import build_head
from medveil.simulate.person import (
    BRAIN_LATENTS,
    BRAIN_SCALE,
    NAMES,
    PARAMETERS,
    Person,
    draw_person,
)
from medveil.simulate.tissues import CONTRASTS, SKIN_MM, Tissue

Labels = npt.NDArray[np.uint8]

MEAN_AGE_YEARS = 45.0
FAT_MM = 3.0  # under the skin of a synthetic face
STRANGER = 1_000_000  # index of a random face: simulated cohorts are smaller, so nobody in them wears it
SCALE_STEP = 0.2
ANCHOR_MNI = np.array([0.0, 45.0, -28.0])  # where patient and face are made to meet: between the orbits
BLURRED_MM = 2.0  # under the skin of a cohort mean: there its grey levels are mixed with air
FROM_MNI = np.diag([*BRAIN_SCALE, 1.0])  # of a cohort mean: a mean brain has this size in MNI mm
BUILD_HINT = "build it with medveil mean-face DIR --to FACE.nii.gz"
GREY_CLASSES = 12  # of a cohort mean: its grey levels, each of which is given a level as a tissue is


@dataclass(frozen=True, eq=False, repr=False)
class Face:
    """Another face.

    Args:
        outward_mm: (I, J, K) distance to its skin, negative under it.
        labels: (I, J, K) what lies where; beyond the skin, what lies under it goes on.
        affine: (4, 4) voxel to face mm.
        from_mni: (4, 4) MNI mm to face mm.
        levels: (C, L) usual grey level of each label above air, one row for each contrast known.
        hounsfield: (L,) the same in Hounsfield units above air; None if not known.
        coats: label and lower edge, in mm under the skin, of the coats of every place, outermost first;
            thinner than a voxel, so they are not among `labels`.
    """

    outward_mm: Volume
    labels: Labels
    affine: Matrix
    from_mni: Matrix
    levels: Volume
    hounsfield: Volume | None
    coats: tuple[tuple[int, float], ...] = ()

    def __repr__(self) -> str:
        return f"Face(shape={self.labels.shape}, {self.levels.shape[1]} labels)"


def mean_person() -> Person:
    """Nobody: every measure at its mean, between the sexes, symmetric."""
    return Person(
        index=0,
        sex=0.0,
        age_years=MEAN_AGE_YEARS,
        shape=MappingProxyType({name: max(p.mean, p.floor) for name, p in PARAMETERS.items()}),
        z=np.zeros(len(NAMES)),
        asymmetry=np.zeros(12),
        brain=np.zeros(BRAIN_LATENTS),
        brain_scale=BRAIN_SCALE,
    )


@lru_cache(maxsize=2)
def synthetic(face: int, mm: float) -> Face:
    """A face of the simulator: 0 is the mean person, any other number a random one."""
    person = draw_person(Seeds(face), STRANGER) if face else mean_person()
    head = build_head(person, mm)
    labels = tissues_of(head, fat_mm=FAT_MM).labels
    labels[
        (head.phi >= 0) | (labels == Tissue.SKIN) | (labels == Tissue.FAT) & (head.phi > -SKIN_MM - FAT_MM)
    ] = Tissue.MUSCLE
    tables = np.array([CONTRASTS[c] for c in ("T1w", "T2w", "FLAIR", "PDw", "pet")], dtype=np.float32)
    units = np.array(CONTRASTS["CT"], dtype=np.float32)
    air = int(Tissue.AIR)
    out = Face(
        head.phi,
        labels,
        head.affine,
        brain_affine(person),
        tables - tables[:, [air]],
        units - units[air],
        ((int(Tissue.SKIN), SKIN_MM), (int(Tissue.FAT), SKIN_MM + FAT_MM)),
    )
    for array in (out.outward_mm, out.labels, out.levels):
        array.flags.writeable = False
    return out


def read_face(path: Path) -> Face:
    """A cohort's mean face from the file that `build_face_template` fills.

    Raises:
        InputRefused: the file is not there, or holds something else.
    """
    from medveil.io import nifti

    try:
        return face_of(nifti.read(path))
    except InputRefused as error:
        said = error.message.removeprefix("image: ")
        raise InputRefused(f"template: {said}", hint=error.hint or BUILD_HINT) from None


def face_of(template: Image) -> Face:
    """A cohort's mean face from (I, J, K, 2): mm outward of the skin, and grey level with air at 0.

    Raises:
        InputRefused: the image holds something else.
    """
    values = template.values()
    if values.ndim != 4 or values.shape[3] != 2 or not (values[..., 0] < 0).any():
        raise InputRefused(
            "expected a volume of distances to the skin and one of grey levels", hint=BUILD_HINT
        )
    outward, grey = values[..., 0], np.maximum(values[..., 1], 0)
    edges = np.quantile(grey[outward < 0], np.linspace(0, 1, GREY_CLASSES + 1))
    labels = np.clip(np.searchsorted(edges[1:-1], grey), 0, GREY_CLASSES - 1).astype(np.uint8)
    shades = np.array([grey[(outward < 0) & (labels == n)].mean() for n in range(GREY_CLASSES)])
    return Face(
        outward,
        _goes_on(labels, outward),
        FROM_MNI @ template.affine,
        FROM_MNI,
        shades[None].astype(np.float32),
        None,
    )


def _goes_on(labels: Labels, outward_mm: Volume) -> Labels:
    """Labels in which what lies just under the skin goes on beyond it: who blends it with air knows how far."""
    from scipy import ndimage as ndi

    firm = outward_mm < -BLURRED_MM
    nearest = ndi.distance_transform_edt(~firm, return_distances=False, return_indices=True)
    return np.asarray(np.where(firm, labels, labels[tuple(nearest)]), dtype=np.uint8)


def placed(face: Face, affine: Matrix) -> Matrix:
    """(4, 4) patient RAS+ mm to face mm: turned as the brain is, in the face's own size.

    Args:
        affine: (4, 4) MNI mm to patient mm.
    """
    left, _, right = np.linalg.svd(affine[:3, :3])
    turn = left @ right
    size = np.cbrt(np.linalg.det(affine[:3, :3]) / np.linalg.det(face.from_mni[:3, :3]))
    scale = max(SCALE_STEP, round(float(size) / SCALE_STEP) * SCALE_STEP)
    here, there = (m[:3, :3] @ ANCHOR_MNI + m[:3, 3] for m in (affine, face.from_mni))
    out = np.eye(4)
    out[:3, :3] = turn.T / scale
    out[:3, 3] = there - out[:3, :3] @ here
    return out


def upright(face: Face) -> Volume:
    """(3, I, J, K) the direction in which the distance grows, per face mm; near the skin its normal."""
    spacing = np.linalg.norm(face.affine[:3, :3], axis=0)
    slopes = [np.gradient(face.outward_mm, mm, axis=axis) for axis, mm in enumerate(spacing)]
    return np.asarray(np.stack(slopes), dtype=np.float32)
