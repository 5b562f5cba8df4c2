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
from medveil.locate.grid import Matrix
from medveil.locate.head import MODALITIES, Location, Modality, locate
from medveil.protect.deface.motion import farthest_mm, movements, over_all
from medveil.protect.deface.parts import FACE
from medveil.protect.deface.site import Site, air_value
from medveil.protect.deface.stock import take_stock
from medveil.protect.deface.wrapped import WRAPPED_LEFT_ML, wrapped_stock, wraps

IN_VIEW_SHARE = 0.1  # of a part: with less of it in view there is nothing of it to remove
FACE_IS_GONE_SHARE = (
    0.5  # of the face's volume that is tissue: intact faces have 0.75 or more, a removed one had 0.23
)
COVERED_SHARE = 0.995  # of a promised part's skin
# Of a part's skin, what may be the brain's own surface: much of it only in an image whose crown shows that the
# scalp is not seen. Simulated EPI had up to 0.44 in a part and nearly always 0.8 or more in the crown; T1w under a thin
# skull has up to 0.65 in the crown, and a brain put 10 mm too far forward then shows in the eyes.
BARE_SHARE, BARE_SHARE_OF_EARS = 0.005, 0.06
BARE_SHARE_WITHOUT_SCALP, NO_SCALP = 0.45, 0.7


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
    margin_ends_at_skin: ClassVar[bool] = True  # see `front`; False where the face must not be read

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

    @property
    def watched(self) -> tuple[str, ...]:
        """Further parts that are measured, though nothing is promised of them."""
        return ()

    @property
    def leaving(self) -> tuple[str, ...]:
        """Names of the parts that are erased where they come in again at another edge; see `wrapped`."""
        return self.volumes

    @abstractmethod
    def change(self, site: Site) -> Change:
        """What becomes of the image."""

    @abstractmethod
    def describe(self) -> str:
        """What will be done, in words."""

    def check(self) -> None:
        """Refuse what cannot work with any image, before the first one is read; see `Step`."""
        return

    def apply(self, image: Image, given: Given = NOTHING) -> Outcome:
        """Deface one image.

        The masks of a series (4-D) cover the head in every volume, wherever it moved; see `motion`.

        Raises:
            Refusal: the head was not found with confidence, see `locate`; `motion not trusted` in a series.
        """
        found = locate(image, modality=self.modality, given=given)
        site = Site(image, found, self.margin_mm, given, self.margin_ends_at_skin)
        change, brain, protected, moved = self.change(site), site.brain, site.protected, {}
        wrapped = wraps(site, self.leaving)
        if image.data.ndim == 4:
            moves = movements(image)
            change = _moved_along(change, moves, site)
            brain, protected = (over_all(m, image.affine, moves) for m in (brain, protected))
            moved = {"motion_max_mm": farthest_mm(moves, image)}
            wrapped = tuple(w.moved(image.affine, moves) for w in wrapped)
        if wrapped:
            change = _widened(change, np.any([change.altered, *(w.altered for w in wrapped)], axis=0), site)
        altered = change.altered & ~protected
        data = image.data.copy()
        data[altered] = _stored(image, change.values, altered)

        measured = {f"confidence_{k}": v for k, v in found.confidence.items()}
        measured |= {f"view_{k}": v for k, v in found.field_of_view.items()} | moved
        measured |= take_stock(site, altered, brain, self.volumes + self.watched)
        if wrapped:
            measured |= wrapped_stock(site, wrapped, altered)
        return Outcome(
            image.with_data(data),
            altered=altered,
            protected=protected,
            measured=measured,
            remarks=(*how_found(found), *remarks(measured, self.volumes), *(w.remark() for w in wrapped)),
            proofs=proofs(measured, self.volumes),
            affine_to_mni=site.affine_to_mni,
        )


def _moved_along(change: Change, moves: tuple[Matrix, ...], site: Site) -> Change:
    """A change wherever the head was during a series; what only motion adds becomes air."""
    return _widened(change, over_all(change.altered, site.image.affine, moves), site)


def _widened(change: Change, everywhere: Mask, site: Site) -> Change:
    """A change of more voxels; what is added becomes the air of the kept ones.

    Args:
        everywhere: (I, J, K), with all that the change alters.
    """
    if isinstance(change.values, float):
        return Change(everywhere, change.values)
    values = change.values.copy()
    kept = site.image.with_data(site.image.data[~everywhere][:, None, None])  # (N, 1, 1, T)
    values[everywhere & ~change.altered] = air_value(kept, site.found)
    return Change(everywhere, values)


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

    Where skin stayed because it lies near to the brain, the brain may have been put on a face: that is allowed
    only in images that show no scalp, where the brain's surface is all there is to see.
    Where a face had been removed before, the surface that is left is no skin, and nothing is to be proved.
    Where a face came in again at another edge, nothing of it may be left; see `wrapped`.
    """
    wrapped = {}
    if "wrapped_left_ml" in measured:
        wrapped = {"nothing wrapped is left": measured["wrapped_left_ml"] <= WRAPPED_LEFT_ML}
    if measured["face_tissue"] < FACE_IS_GONE_SHARE:
        return wrapped
    seen = [v for v in volumes if measured[f"in_view_{v}"] >= IN_VIEW_SHARE]
    covered = all(measured[f"covered_{v}"] >= COVERED_SHARE for v in seen)
    covered = covered and all(measured[f"bare_{v}"] <= _bare(v, measured) for v in seen)
    return {"named parts covered": covered} | wrapped


def _bare(part: str, measured: dict[str, float]) -> float:
    """How much of a part's skin may stay because the brain is near."""
    if measured["bare_crown"] >= NO_SCALP:
        return BARE_SHARE_WITHOUT_SCALP
    return BARE_SHARE_OF_EARS if part == "ears" else BARE_SHARE  # their volume holds scalp as well


def how_found(found: Location) -> tuple[str, ...]:
    """What a person should know about how the head was found; nothing where it was simply searched."""
    out = []
    if found.way == "carried":
        out.append("located with the help of another image of the session")
    if found.state == "skull-stripped":
        out.append("the image shows a brain without skull and skin")
    return tuple(out)


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
