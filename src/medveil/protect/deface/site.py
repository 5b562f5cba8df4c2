"""Site: a head that was found, as a method of defacing sees it.

    image + Location + what is given ──> to_mni, protected, air

Every method works on the same site, so what they share (the brain is never touched, the air is the image's
own) is decided once, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from medveil.core.errors import InputRefused
from medveil.core.image import Image
from medveil.core.release import Carried, Given, Mask
from medveil.locate.grid import Matrix
from medveil.locate.head import Location, looks_like_hounsfield
from medveil.protect.deface.front import Front, front_of
from medveil.protect.deface.outline import Outline, outline
from medveil.protect.deface.parts import in_parts, near_brain

OUTSHINES, SHRUNK_MM = 1.0, 2.5
"""Where fluid is brighter than the brain in it, as in T2*w, brains are fitted some 5 % too small: so much more is kept."""
MOST_BARE = 0.3
"""Share of the crown that may be the brain's own surface in an image that shows a scalp."""


@dataclass(frozen=True, eq=False, repr=False)
class Site:
    """A located head.

    Args:
        image: as it came in.
        found: where its head is.
        margin_mm: kept around the brain, in millimetres of the patient.
        given: what is known beside the image. A brain among it takes the place of the template's.
        margin_ends_at_skin: whether the margin of the template's brain stops before the skin of the face, which
            is read for it; else it depends on the place alone.
    """

    image: Image
    found: Location
    margin_mm: float
    given: Given
    margin_ends_at_skin: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """(I, J, K) of the grid."""
        return self.image.data.shape[:3]

    @cached_property
    def affine_to_mni(self) -> Matrix:
        """(4, 4) the image's RAS+ mm to MNI mm."""
        return np.asarray(np.linalg.inv(self.found.affine), dtype=np.float64)

    @cached_property
    def to_mni(self) -> Matrix:
        """(4, 4) voxel index to MNI mm."""
        return self.affine_to_mni @ self.image.affine

    @cached_property
    def brain(self) -> Mask:
        """(I, J, K) the brain with its margin: the one that was given, else the template's.

        Raises:
            InputRefused: the given brain is not on this image's grid, or is empty.
        """
        if self.given.brain is None:
            ends = self.margin_ends_at_skin and self.shows_skin
            skin = self.front.skin(self.shape, self.to_mni) if ends else None
            shrunk = self.margin_mm > 0 and self.found.confidence.get("fluid", 0.0) > OUTSHINES
            margin_mm = self.margin_mm + (SHRUNK_MM if shrunk else 0.0)
            return near_brain(self.shape, self.to_mni, margin_mm, self.mm_per_mni, skin)
        brain = _on_grid("brain", self.given.brain, self.shape)
        if not brain.any():
            raise InputRefused("brain: the given mask is empty", hint="give none to use the template's brain")
        return grown(brain, self.margin_mm, self.image.spacing_mm)

    @property
    def shows_skin(self) -> bool:
        """Whether what borders on air in front is skin: neither the brain itself nor where a face was cut off."""
        return self.found.state == "whole" and self.skin_lines.bare < MOST_BARE and self.front.is_a_face

    @cached_property
    def outline(self) -> Outline:
        """The head on an even grid."""
        return self._lines_of(self.image, self.affine_to_mni)

    @cached_property
    def skin_lines(self) -> Outline:
        """The head that shows the skin: of an image that shows none, the one its place was carried over from."""
        lender = self._lender
        return self.outline if lender is None else self._lines_of(lender.image, lender.affine_to_mni)

    @cached_property
    def to_skin_lines(self) -> Matrix:
        """(4, 4) voxel index of the image to the RAS+ mm of `skin_lines`."""
        if self._lender is None:
            return self.image.affine
        return np.asarray(np.linalg.inv(self._lender.affine_to_mni) @ self.to_mni, dtype=np.float64)

    @cached_property
    def front(self) -> Front:
        """The face as it is met from before."""
        return front_of(self.skin_lines)

    @cached_property
    def _lender(self) -> Carried | None:
        """The image of the session that this one's place was carried over from, if it shows more of a scalp."""
        known = self.given.carried if self.found.way == "carried" else None
        if known is None or self._lines_of(known.image, known.affine_to_mni).bare >= self.outline.bare:
            return None
        return known

    def _lines_of(self, image: Image, affine_to_mni: Matrix) -> Outline:
        hounsfield = looks_like_hounsfield(image.values())
        return outline(image, affine_to_mni, self.mm_per_mni, hounsfield=hounsfield)

    @cached_property
    def protected(self) -> Mask:
        """(I, J, K) where nothing may change: the brain with its margin, and what is to be kept."""
        if self.given.keep is None:
            return self.brain
        return np.asarray(self.brain | _on_grid("keep", self.given.keep, self.shape), dtype=bool)

    @property
    def mm_per_mni(self) -> float:
        """Mean scale of the affine: millimetres of the patient in one of the template."""
        return float(np.cbrt(np.linalg.det(self.found.affine[:3, :3])))

    @cached_property
    def air(self) -> float:
        """The real value of this image's air."""
        return air_value(self.image, self.found)

    def parts(self, names: tuple[str, ...]) -> Mask:
        """(I, J, K) the union of the named volumes, less what is protected."""
        out = np.zeros(self.shape, dtype=bool)
        for volume in in_parts(names, self.shape, self.to_mni).values():
            out |= volume
        return out & ~self.protected

    def __repr__(self) -> str:
        return f"Site({self.image!r})"


def grown(mask: Mask, by_mm: float, spacing_mm: tuple[float, float, float]) -> Mask:
    """A mask and all voxels whose centre lies within `by_mm` of the centre of one of its voxels.

    Args:
        mask: (I, J, K), not empty; its axes are taken as perpendicular.
        by_mm: 0 gives the mask itself.
    """
    from scipy import ndimage as ndi

    reach = [int(by_mm / s) + 1 for s in spacing_mm]
    at = [np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(max(0, int(a[0]) - r), int(a[-1]) + r + 1) for a, r in zip(at, reach, strict=True))
    out = np.zeros(mask.shape, dtype=bool)
    # A rounding error less would lose the voxels that lie at exactly that distance.
    out[box] = ndi.distance_transform_edt(~mask[box], sampling=spacing_mm) <= by_mm + 1e-6
    return out


def _on_grid(name: str, mask: Mask, shape: tuple[int, ...]) -> Mask:
    if mask.shape != shape:
        raise InputRefused(
            f"{name}: the mask has shape {mask.shape}, expected the image's {shape}",
            hint="resample it to the grid of the image",
        )
    return mask.astype(bool, copy=False)


def air_value(image: Image, found: Location) -> float:
    """The real value of this image's air."""
    values = image.values()
    if found.modality == "ct" and looks_like_hounsfield(values):
        air = values[(values > -1100) & (values < -850)]
        return float(np.round(np.median(air)))
    low = float(values.min())
    if found.modality == "ct":  # without units: the most frequent of the darkest quarter
        edges = np.linspace(low, low + 0.25 * (float(values.max()) - low), 65)
        counts, _ = np.histogram(values, edges)
        return float(edges[counts.argmax()])
    # Magnitude images end at their background. Where values go below zero (PET), zero is the air.
    return low if low >= 0 else 0.0
