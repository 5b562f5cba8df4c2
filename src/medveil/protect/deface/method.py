"""Method: what all ways of defacing have in common.

    image ──locate──> Site ──change──> stored numbers patched where altered ──stock──> Outcome

A method only says which voxels change and what they become. It cannot reach the brain, cannot resample the
image, and cannot forget to measure what it did.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.image import Array, Image
from medveil.core.release import NOTHING, Given, Mask, Outcome
from medveil.protect.deface.locate import MODALITIES, Modality, locate
from medveil.protect.deface.parts import FACE
from medveil.protect.deface.site import Site
from medveil.protect.deface.stock import take_stock

IN_VIEW_SHARE = 0.1  # of a part: with less of it in view there is nothing of it to remove
FACE_IS_GONE_SHARE = (
    0.5  # of the face's volume that is tissue: intact faces have 0.75 or more, a removed one had 0.23
)
COVERED_SHARE = 0.995  # of a promised part's skin


@dataclass(frozen=True, eq=False, repr=False)
class Change:
    """Which voxels change, and to what.

    Args:
        altered: (I, J, K); voxels of the protected region among them are left as they are all the same.
        values: real values: one for all, or (I, J, K[, T]) of which those in `altered` count.
    """

    altered: Mask
    values: float | Array


@dataclass(frozen=True, kw_only=True)
class Method(ABC):
    """A way of defacing: settings that all of them have, and `apply`.

    Args:
        margin_mm: kept around the brain of the template, in millimetres of the patient.
        modality: `auto`, or what the image is: mr, ct, pet.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    margin_mm: float = 5.0
    modality: Modality = "auto"

    def __post_init__(self) -> None:
        if not 0.0 <= self.margin_mm <= 30.0:
            raise UsageError(f"{self.name}: margin_mm must lie between 0 and 30")
        if self.modality not in MODALITIES:
            raise UsageError(
                f"{self.name}: no modality {self.modality}", hint="known are " + ", ".join(MODALITIES)
            )

    @property
    @abstractmethod
    def volumes(self) -> tuple[str, ...]:
        """Names of the parts whose skin this method promises to alter; see `parts.PARTS`."""

    @abstractmethod
    def change(self, site: Site) -> Change:
        """What becomes of the image."""

    @abstractmethod
    def describe(self) -> str:
        """What will be done, in words."""

    def apply(self, image: Image, given: Given = NOTHING) -> Outcome:
        """Deface one image.

        Raises:
            Refusal: the head was not found with confidence; see `locate`.
        """
        found = locate(image, modality=self.modality, given=given)
        site = Site(image, found, self.margin_mm, given)
        change = self.change(site)
        altered = change.altered & ~site.protected
        data = image.data.copy()
        data[altered] = _stored(image, change.values, altered)

        measured = {f"confidence_{k}": v for k, v in found.confidence.items()}
        measured |= {f"view_{k}": v for k, v in found.field_of_view.items()}
        measured |= take_stock(image, altered, site.protected, found, self.volumes)
        return Outcome(
            image.with_data(data),
            altered=altered,
            protected=site.protected,
            measured=measured,
            remarks=remarks(measured, self.volumes),
            proofs=proofs(measured, self.volumes),
            affine_to_mni=site.affine_to_mni,
        )


def _stored(image: Image, values: float | Array, altered: Mask) -> Array:
    """Real values of the altered voxels as stored numbers, in the shape that `data[altered]` has."""
    if isinstance(values, float):
        return np.asarray(image.store(values))
    chosen = values[altered]
    if chosen.ndim < image.data.ndim - 2:  # one volume for all of a series
        chosen = chosen[:, None]
    raw = (chosen - image.intercept) / image.slope
    if np.issubdtype(image.data.dtype, np.integer):
        info = np.iinfo(image.data.dtype)
        raw = np.clip(np.rint(raw), info.min, info.max)
    return np.asarray(raw.astype(image.data.dtype))


def check_parts(name: str, parts: tuple[str, ...]) -> None:
    """Refuse a part that does not exist, and none at all."""
    for part in parts:
        if part not in FACE:
            raise UsageError(f"{name}: no part {part}", hint="known are " + ", ".join(FACE))
    if not parts:
        raise UsageError(f"{name}: no part is chosen", hint="known are " + ", ".join(FACE))


def proofs(measured: dict[str, float], volumes: tuple[str, ...]) -> dict[str, bool]:
    """Whether every promised part that is in view is gone, as measured on the result.

    Where a face had been removed before, the surface that is left is no skin, and nothing is to be proved.
    """
    if measured["face_tissue"] < FACE_IS_GONE_SHARE:
        return {}
    seen = [v for v in volumes if measured[f"in_view_{v}"] >= IN_VIEW_SHARE]
    return {"named parts covered": all(measured[f"covered_{v}"] >= COVERED_SHARE for v in seen)}


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
