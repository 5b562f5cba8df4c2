"""Aligned: a brain laid on the template, cut out, and made to look as if one scanner had taken it.

    image ──place──> affine ──settle──> affine ──> values on the lattice ──harmonise──> Aligned

The mask is the template's brain, moved by one affine: defaced, stripped and whole heads are cut out alike,
which no segmentation of the image itself could promise. Stripped, affinely aligned, harmonised: after Sharma
et al. 2026 (arXiv 2602.10043), by means that take a second a scan and never refuse one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.attack.link.harmonise import harmonised
from medveil.attack.link.lattice import Lattice, lattice
from medveil.attack.link.place import place
from medveil.attack.link.settle import settled
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.locate.grid import Matrix, Vector, Volume, block_mean, volume_of

SPACINGS_MM = (2.0, 6.0)
FEWEST_SEEN = 0.02  # of the brain's voxels; with less in view there is nothing to harmonise


@dataclass(frozen=True, eq=False, repr=False)
class Aligned:
    """A brain on the template.

    Args:
        values: (V,) float32, about 0..1, the harmonised shade of each voxel of the lattice; NaN out of view.
        affine: (4, 4) MNI mm to the image's RAS+ mm.
        located: whether the brain was found with confidence, see `place`.
        empty: the image shows nothing there: every value is the same, or hardly any is in view. Then all
            values are 0.
    """

    values: Volume
    affine: Matrix
    located: bool
    empty: bool

    @property
    def size(self) -> Vector:
        """(3,) length in the image of one millimetre of the template along R, A and S."""
        return np.asarray(np.linalg.norm(self.affine[:3, :3], axis=0))

    def __repr__(self) -> str:
        return f"Aligned({len(self.values)} voxels, located={self.located})"


@dataclass(frozen=True)
class AlignedBrain:
    """Align the brain in a scan of any contrast; a series is averaged.

    Args:
        spacing_mm: edge of the voxels on which brains are compared, in the template's millimetres.
    """

    spacing_mm: float = 3.0

    def __post_init__(self) -> None:
        if not SPACINGS_MM[0] <= self.spacing_mm <= SPACINGS_MM[1]:
            raise UsageError(f"spacing_mm: must lie between {SPACINGS_MM[0]:g} and {SPACINGS_MM[1]:g}")

    def __call__(self, image: Image) -> Aligned:
        values, affine = _volume(image)
        found = place(image, values, affine)
        grid = lattice(self.spacing_mm)
        shown = _Shown(values, affine, found.affine, grid)
        if _is_empty(shown.at(found.affine)):
            return _nothing(found.affine, found.located, grid)
        at = settled(shown.harmonised_at, found.affine, grid.mm) if found.located else found.affine
        if _is_empty(shown.at(at)):
            return _nothing(at, found.located, grid)
        return Aligned(shown.harmonised_at(at), at, found.located, empty=False)


def _volume(image: Image) -> tuple[Volume, Matrix]:
    """As `volume_of`, but what is no intensity image (labels, a picture) is looked at all the same."""
    if image.kind == "intensity":
        return volume_of(image)
    data = image.values()
    return volume_of(Image(data if data.ndim > 2 else data[..., None], image.affine))


def _nothing(affine: Matrix, located: bool, grid: Lattice) -> Aligned:
    return Aligned(np.zeros_like(grid.tissue), affine, located, empty=True)


def _is_empty(shown: Volume) -> bool:
    seen = shown[np.isfinite(shown)]
    return bool(len(seen) < FEWEST_SEEN * len(shown) or not np.ptp(seen) > 0)


class _Shown:
    """An image as the lattice sees it under any affine near to a first one.

    It is reduced once to voxels about as large as the lattice's, so that nothing finer folds into it.
    """

    def __init__(self, values: Volume, affine: Matrix, to_image: Matrix, grid: Lattice) -> None:
        length = grid.mm * np.cbrt(abs(np.linalg.det(to_image[:3, :3])))
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        a, b, c = (max(1, round(float(length / s))) for s in spacing)
        self.factors, self.limits, self.grid = np.array([a, b, c]), np.array(values.shape), grid
        self.small = block_mean(values, (a, b, c))
        self.affine = affine @ np.diag([a, b, c, 1.0])
        # The centre of a block of f voxels lies (f - 1) / 2 voxels behind the centre of its first voxel.
        self.affine[:3, 3] = affine[:3, :3] @ ((self.factors - 1) / 2) + affine[:3, 3]
        self.voxels = np.argwhere(grid.brain)

    def at(self, to_image: Matrix) -> Volume:
        """(V,) linear values under an affine, MNI mm to RAS+ mm; NaN out of view."""
        from scipy import ndimage as ndi

        index = np.linalg.inv(self.affine) @ to_image @ self.grid.affine
        at = self.voxels @ index[:3, :3].T + index[:3, 3]
        out: Volume = ndi.map_coordinates(self.small, at.T, order=1, mode="nearest").astype(np.float32)
        own = at * self.factors + (self.factors - 1) / 2  # in voxels of the image itself
        out[~np.all((own >= -0.5) & (own <= self.limits - 0.5), axis=1)] = np.nan
        return out

    def harmonised_at(self, to_image: Matrix) -> Volume:
        shown = self.at(to_image)
        return np.zeros_like(shown) if _is_empty(shown) else harmonised(shown, self.grid)
