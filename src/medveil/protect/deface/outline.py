"""Outline: a located head on an even grid, and what of it is tissue: the ground on which skin is looked for.

    image ──3 mm, patient axes──> speckled air made dark ──> tissue ──> head, solid
                                                                └── no scalp on the crown? down to faint tissue

Echo-planar images and PET show a scalp that is a tenth as bright as the brain. Taken for air, it would be left
in the release, and the brain's own surface would count as skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.locate.grid import (
    Grid,
    Matrix,
    bright,
    faint,
    grid_affine,
    isotropic,
    solid,
    volume_of,
)
from medveil.locate.speckle import without_speckle
from medveil.protect.deface.parts import mni_slices, near_brain

MM = 3.0
BARE_SHARE, BARE_MM = 0.5, 5.0
"""More of the crown's surface than this within so many mm of the brain: no scalp was seen on it."""


@dataclass(frozen=True, eq=False)
class Outline:
    """A head on an even grid.

    Args:
        grid: the image at 3 mm; its `seen` says what is in view.
        tissue: (I, J, K) True where there is signal; head: its largest piece, with all that lies inside its skin.
        to_mni: (4, 4) voxel index of the grid to MNI mm.
        bare: share of the crown's surface that is the brain's own, so that no scalp is to be seen there.
    """

    grid: Grid
    tissue: Mask
    head: Mask
    to_mni: Matrix
    bare: float

    @property
    def skin(self) -> Mask:
        """The outermost voxels of the head that border on air; not those where the field of view ends."""
        return _skin(self.head, self.grid.seen)


def outline(image: Image, affine_to_mni: Matrix, mm_per_mni: float, *, hounsfield: bool) -> Outline:
    """The head in an image.

    Args:
        affine_to_mni: (4, 4) the image's RAS+ mm to MNI mm.
        mm_per_mni: millimetres of the patient in one of the template.
        hounsfield: values below -1024 are padding.
    """
    values, affine = volume_of(image)
    lifted = np.maximum(values, np.float32(-1024)) if hounsfield else values
    grid = without_speckle(isotropic(lifted, affine, MM), lifted, affine)
    to_mni = affine_to_mni @ grid_affine(grid.origin, MM)
    tissue = bright(grid.values) & grid.seen
    head = solid(tissue, MM) & grid.seen
    near = near_brain(head.shape, to_mni, BARE_MM, mm_per_mni)
    crown = crown_of(head.shape, to_mni)

    def bare() -> float:
        surface = crown & _skin(head, grid.seen)
        return float(near[surface].mean()) if surface.any() else 0.0

    if bare() > BARE_SHARE:
        tissue = (tissue | faint(grid.values)) & grid.seen
        head = solid(tissue, MM) & grid.seen
    return Outline(grid, tissue, head, to_mni, bare())


def crown_of(shape: tuple[int, ...], to_mni: Matrix) -> Mask:
    """Above and behind, where only scalp and bone are between the brain and the air."""
    out = np.zeros(shape, dtype=bool)
    for i, (_, y, z) in enumerate(mni_slices(shape, to_mni)):
        out[i] = (y < 0.0) & (z > 20.0)
    return out


def _skin(head: Mask, seen: Mask) -> Mask:
    from scipy import ndimage as ndi

    return np.asarray(head & ndi.binary_dilation(seen & ~head), dtype=bool)
