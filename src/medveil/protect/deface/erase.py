"""Erase: the parts of a face by name, replaced by air, with the brain left as it was.

    image ──locate──> MNI mm ──parts──> altered = parts - (brain + margin) ──> stored numbers patched

The image is never resampled: the stored numbers outside `altered` are the input's, bit by bit. What is
erased reaches from behind the face out to the edge of the image, so the faint background before a face
goes as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.release import Outcome
from medveil.protect.deface.grid import Matrix
from medveil.protect.deface.locate import MODALITIES, Location, Modality, locate, looks_like_hounsfield
from medveil.protect.deface.parts import FACE, in_parts, near_brain
from medveil.protect.deface.stock import take_stock

IN_VIEW_SHARE = 0.1  # of a part: with less of it in view there is nothing of it to remove
FACE_IS_GONE_SHARE = (
    0.5  # of the face's volume that is tissue: intact faces have 0.75 or more, a removed one had 0.23
)


@dataclass(frozen=True)
class Erase:
    """Deface by erasing named parts.

    Args:
        parts: which of eyes, nose, cheeks, mouth, chin, ears.
        forehead: also the shell before the forehead, for strong protection.
        deep: also nasal cavity and throat, from which a face can be guessed again.
        margin_mm: kept around the brain of the template, in millimetres of the patient.
        modality: `auto`, or what the image is: mr, ct, pet.
    """

    name: ClassVar[str] = "deface.erase"
    summary: ClassVar[str] = "find the head and erase the parts of its face, with the brain untouched"

    parts: tuple[str, ...] = tuple(FACE)
    forehead: bool = False
    deep: bool = False
    margin_mm: float = 5.0
    modality: Modality = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        for part in self.parts:
            if part not in FACE:
                raise UsageError(f"deface.erase: no part {part}", hint="known are " + ", ".join(FACE))
        if not self._volumes:
            raise UsageError("deface.erase: no part is chosen", hint="known are " + ", ".join(FACE))
        if not 0.0 <= self.margin_mm <= 30.0:
            raise UsageError("deface.erase: margin_mm must lie between 0 and 30")
        if self.modality not in MODALITIES:
            raise UsageError(
                f"deface.erase: no modality {self.modality}", hint="known are " + ", ".join(MODALITIES)
            )

    @property
    def _volumes(self) -> tuple[str, ...]:
        more = ("forehead",) * self.forehead + ("nasal_cavity", "throat") * self.deep
        return tuple(dict.fromkeys(self.parts)) + more

    def describe(self) -> str:
        what = ", ".join(self._volumes).replace("_", " ")
        return (
            f"find the head, erase {what} and the air before them, and change nothing within "
            f"{self.margin_mm:g} mm of the brain"
        )

    def apply(self, image: Image) -> Outcome:
        """Erase the parts from one image.

        Raises:
            Refusal: the head was not found with confidence; see `locate`.
        """
        found = locate(image, modality=self.modality)
        shape = image.data.shape[:3]
        affine_to_mni: Matrix = np.linalg.inv(found.affine).astype(np.float64)
        to_mni: Matrix = (affine_to_mni @ image.affine).astype(np.float64)
        protected = near_brain(shape, to_mni, self.margin_mm, mm_per_mni(found.affine))
        altered = np.zeros(shape, dtype=bool)
        for volume in in_parts(self._volumes, shape, to_mni).values():
            altered |= volume
        altered &= ~protected

        data = image.data.copy()
        data[altered] = image.store(air_value(image, found))
        measured = {f"confidence_{k}": v for k, v in found.confidence.items()}
        measured |= {f"view_{k}": v for k, v in found.field_of_view.items()}
        measured |= take_stock(image, altered, protected, found, self._volumes)
        return Outcome(
            image.with_data(data),
            altered=altered,
            protected=protected,
            measured=measured,
            remarks=remarks(measured, self._volumes),
            affine_to_mni=affine_to_mni,
        )


def mm_per_mni(affine: Matrix) -> float:
    """Mean scale of an affine: millimetres of the patient in one of the template."""
    return float(np.cbrt(np.linalg.det(affine[:3, :3])))


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


def remarks(measured: dict[str, float], volumes: tuple[str, ...]) -> tuple[str, ...]:
    """What a person should read about one image."""
    out = []
    removed = measured["removed_ml"]
    if removed < 1.0:
        return ("no face tissue in the field of view: nothing removed",)
    hidden = [v.replace("_", " ") for v in volumes if measured[f"in_view_{v}"] < IN_VIEW_SHARE]
    if hidden:
        out.append("outside the field of view: " + ", ".join(hidden))
    if measured["face_tissue"] < FACE_IS_GONE_SHARE:
        out.append(f"the face appears to be removed already: {removed:.0f} ml of tissue erased")
    return tuple(out)
