"""Place: where the brain lies in a scan, found fast, and never refused.

    image ──4 mm, flattened──> four nods, each climbs ──the best──> affine fit inside the brain ──clear?──> affine
                                                                                       └──no──> medveil.locate
                                                                     nothing found: the image as it lies ──┘

Defacing tools must prove where the face is, and pay seconds for the proof. An attacker only loses one probe if
a place is wrong, so one fit does; the full search is paid for where that fit is not clear. What is compared is
the inside of the brain alone: a whole head, a defaced one and a bare brain land in the same place.

Mutual information after Mattes et al., IEEE TMI 22 (2003); affine alignment before linkage after Sharma et al. 2026.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.core.errors import MedveilError, Refusal
from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.locate.confidence import peak_ratio
from medveil.locate.grid import Matrix, Volume, blurred
from medveil.locate.head import locate, looks_like_hounsfield
from medveil.locate.register import CENTRE, Picture, Stage, matrix_of, one_thread
from medveil.locate.sight import Sight
from medveil.locate.starts import turned
from medveil.locate.template import Template, core, rimmed, template
from medveil.locate.ways import COARSE_MM, FINE_MM, SOFT_SCALE, Soft, expected_centre, patient_pictures

NODS_DEG = (-30.0, -10.0, 10.0, 30.0)
CLEAR = 1.8  # information at the fit over that of the best of 12 displaced ones; wrong fits have some 1.2
SIZES = (0.6, 1.25)  # of a brain against the template, along each axis
MOST_SKEW = 1.6  # the longest over the shortest of them


@dataclass(frozen=True, eq=False, repr=False)
class Place:
    """Where the template's brain lies in an image.

    Args:
        affine: (4, 4) MNI mm to the image's RAS+ mm.
        located: whether that is believed; if not, it is the unbelieved fit, or without one the image as it lies,
            its middle for the brain's.
    """

    affine: Matrix
    located: bool

    def __repr__(self) -> str:
        return f"Place(located={self.located})"


def place(image: Image, values: Volume, affine: Matrix) -> Place:
    """Find the brain.

    Args:
        image: whatever can be opened.
        values, affine: the same as `volume_of` gives it: (I, J, K) near RAS, voxel to RAS+ mm.
    """
    quick = None
    if not looks_like_hounsfield(values):
        try:
            soft = Soft(values, affine, "mr")
            quick = _fitted(soft)
            if _is_clear(quick, soft):
                return Place(quick, True)
        except Refusal:  # no body of the size of a head
            pass
    try:
        return Place(locate(image).affine, True)
    except MedveilError:
        return Place(_as_it_lies(values.shape, affine) if quick is None else quick, False)


def _fitted(soft: Soft) -> Matrix:
    """The best of four climbs, and from there the affine under which the brain's own contrast agrees best."""
    _, fine = patient_pictures(soft.flat, soft.grid, masked=True)
    smooth = Picture(blurred(fine.values), fine.origin, fine.mm, fine.where)
    wide, near = template(COARSE_MM), template(FINE_MM)
    sight = Sight(_side(wide, *rimmed(wide)), smooth, CENTRE, wide.brain)
    centre = expected_centre(soft.grid, soft.head)
    climbs = [sight.climbed(sight.placed(SOFT_SCALE * turned((nod, 0.0, 0.0)), centre)) for nod in NODS_DEG]
    start = max(climbs, key=lambda c: c[0])[1]
    return _stretched((_side(near, *core(near)), fine), start)


def _stretched(pictures: tuple[Picture, Picture], start: Matrix) -> Matrix:
    """One run with all twelve parameters free: what it leaves is done by `settle`, in a tenth of the time."""
    import SimpleITK as sitk

    transform = sitk.AffineTransform(3)
    transform.SetCenter(CENTRE.tolist())
    transform.SetMatrix(start[:3, :3].ravel().tolist())
    transform.SetTranslation((start[:3, :3] @ CENTRE + start[:3, 3] - CENTRE).tolist())
    with one_thread():
        _, moved = Stage(pictures, iterations=50, step_mm=2.0, smallest_mm=0.1).run(transform)
    return matrix_of(moved)


def _is_clear(affine: Matrix, soft: Soft) -> bool:
    """Whether the fit has the size of a brain and shows far more of one than displaced fits do."""
    sizes = np.linalg.svd(affine[:3, :3], compute_uv=False)
    fits = SIZES[0] < sizes[-1] and sizes[0] < SIZES[1] and sizes[0] < MOST_SKEW * sizes[-1]
    return bool(fits and peak_ratio(affine, soft.judged)[1] >= CLEAR)


def _as_it_lies(shape: tuple[int, ...], affine: Matrix) -> Matrix:
    """The middle of the image for the middle of the brain, its axes for those of MNI."""
    out = np.eye(4)
    out[:3, 3] = affine[:3, :3] @ ((np.array(shape) - 1) / 2) + affine[:3, 3] - CENTRE
    return out


def _side(t: Template, values: Volume, where: Mask) -> Picture:
    return Picture(values, t.origin, t.mm, where)
