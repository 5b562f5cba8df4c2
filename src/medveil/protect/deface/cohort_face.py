"""Cohort face: the mean face of your own people, for `deface.replace` to paste.

    images ──locate──> MNI mm ──> distance to the skin, grey levels ──mean over people──> one image of two volumes

The mean of signed distances has one skin; a mean of grey levels alone would have the blur of all of them. A
mean of few is a face of somebody: fewer than ten people are refused, and one image per person is meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy import ndimage as ndi

from medveil.core.errors import Refusal, UsageError
from medveil.core.image import Image
from medveil.locate.grid import Matrix, Volume, grid_affine, head_mask, isotropic, volume_of
from medveil.locate.head import locate
from medveil.protect.deface.faces import FROM_MNI
from medveil.protect.deface.layers import inset_mm, signed_distance

LEAST_PEOPLE = 10
LO_MNI, HI_MNI = np.array([-112.0, -90.0, -190.0]), np.array([112.0, 132.0, 80.0])
FAR_MM = 60.0  # beyond it a distance says nothing, and one cut field of view would spoil the mean


def build_face_template(
    images: Iterable[Image], *, mm: float = 2.0, refused: Callable[[Refusal], None] | None = None
) -> Image:
    """The mean face of a cohort, in MNI mm.

    Args:
        images: one of each person, all of one contrast; read one at a time, so a generator will do.
        mm: edge of a voxel, 1 to 3 MNI mm.
        refused: told of every head that was not found, which is then left out; without it that is an error.

    Returns:
        (I, J, K, 2) float32: mean distance outward of the skin in true mm, and mean grey level with air at 0
        and the median of each head at 1. Write it with `io.nifti.write`, name the file in `template`.

    Raises:
        UsageError: fewer than ten images, or a voxel size that is no use.
        Refusal: a head was not found; see `locate`.
    """
    if not 1.0 <= mm <= 3.0:
        raise UsageError("face template: mm must lie between 1 and 3")
    shape = tuple(int(n) for n in np.ceil((HI_MNI - LO_MNI) / mm))
    outward, grey, seen = (np.zeros(shape, dtype=np.float32) for _ in range(3))
    people = 0
    for image in images:
        try:
            affine = locate(image).affine
        except Refusal as refusal:
            if refused is None:
                raise
            refused(refusal)
            continue
        people += 1
        theirs, levels, inside = _in_mni(image, affine, mm, shape)
        outward += np.where(inside, theirs, 0)
        grey += np.where(inside, levels, 0)
        seen += inside
    check_people(people)
    # Where only few people were seen, the mean would be theirs.
    enough = seen >= LEAST_PEOPLE
    outward = np.where(enough, outward / np.maximum(seen, 1), FAR_MM)
    grey = np.where(enough, grey / np.maximum(seen, 1), 0)
    return Image(np.stack([outward, grey], axis=-1).astype(np.float32), grid_affine(LO_MNI, mm))


def check_people(people: int) -> None:
    """Refuse a mean of few.

    Raises:
        UsageError: fewer than ten.
    """
    if people < LEAST_PEOPLE:
        raise UsageError(
            f"face template: made of {people} people, expected {LEAST_PEOPLE} or more",
            hint="the mean of few is a face of somebody; deface.replace has a synthetic one",
        )


def _in_mni(image: Image, affine: Matrix, mm: float, shape: tuple[int, ...]) -> tuple[Volume, Volume, Volume]:
    """One head on the grid of the template: distance outward in true mm, grey level, 1 where it was seen."""
    values, to_patient = volume_of(image)
    even = isotropic(values, to_patient, min(mm, max(image.spacing_mm)))
    from_lattice = np.linalg.inv(grid_affine(even.origin, even.mm)) @ affine @ grid_affine(LO_MNI, mm)
    air = float(np.percentile(even.values, 1))

    def resampled(volume: Volume, beyond: float) -> Volume:
        out = ndi.affine_transform(
            volume, from_lattice[:3, :3], from_lattice[:3, 3], output_shape=shape, order=1, cval=beyond
        )
        return np.asarray(out, dtype=np.float32)

    head = head_mask(even.values, even.mm)
    far = ndi.gaussian_filter(signed_distance(head) * np.float32(even.mm), 0.7)
    far = np.clip(far + inset_mm(even.values, far, even.seen), -FAR_MM, FAR_MM)
    levels = np.maximum(even.values - air, 0) / max(float(np.median(even.values[head])) - air, 1e-6)
    inside = resampled(even.seen.astype(np.float32), 0.0) > 0.5
    size = np.float32(np.cbrt(np.linalg.det(FROM_MNI[:3, :3]) / np.linalg.det(affine[:3, :3])))
    return resampled(far, FAR_MM) * size, resampled(levels, 0.0), inside.astype(np.float32)
