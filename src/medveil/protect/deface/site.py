"""Site: a head that was found, as a method of defacing sees it.

    image + Location + what is given ──> to_mni, protected, air

Every method works on the same site, so what they share (the brain is never touched, the air is the image's
own) is decided once, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from medveil.core.image import Image
from medveil.core.release import Given, Mask
from medveil.protect.deface.grid import Matrix
from medveil.protect.deface.locate import Location, looks_like_hounsfield
from medveil.protect.deface.parts import in_parts, near_brain


@dataclass(frozen=True, eq=False, repr=False)
class Site:
    """A located head.

    Args:
        image: as it came in.
        found: where its head is.
        margin_mm: kept around the brain, in millimetres of the patient.
        given: what is known beside the image.
    """

    image: Image
    found: Location
    margin_mm: float
    given: Given

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
    def protected(self) -> Mask:
        """(I, J, K) where nothing may change: the brain with its margin, and what is to be kept."""
        out = near_brain(self.shape, self.to_mni, self.margin_mm, self.mm_per_mni)
        return out if self.given.keep is None else out | self.given.keep

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
