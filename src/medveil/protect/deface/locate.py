"""Locate: where the brain, and with it the face, lies in any image of a head.

    image ──> 4 mm grid ──> head ──> flattened ──> register MNI152 ──> confidence ──> Location or Refusal
                                └──> skull (CT) ──┘

MNI millimetres are the map: whatever is named there (eyes, nose, chin) is found in every head through one
affine. A fit that is not believed is tried again with harder means, within bounds, and then refused by
name: a wrong place would cut a brain or leave a face, and nobody would see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from medveil.core.errors import Refusal, UsageError
from medveil.core.image import Image
from medveil.core.release import NOTHING, Given, Mask
from medveil.protect.deface import register
from medveil.protect.deface.confidence import SKULL, SOFT, judge, refusal, signals
from medveil.protect.deface.grid import (
    Grid,
    Matrix,
    Vector,
    Volume,
    crop_to_head,
    flatten,
    isotropic,
    volume_of,
)
from medveil.protect.deface.register import Picture, Problem, Start, fits
from medveil.protect.deface.skull import find_skull
from medveil.protect.deface.template import Template, bare, cavity, shelled, template

Modality = Literal["auto", "mr", "ct", "pet"]
MODALITIES: tuple[Modality, ...] = ("auto", "mr", "ct", "pet")

FINE_MM, COARSE_MM = 4.0, 8.0
CROWN_CUT_CM2 = 60.0  # a larger section of head at the upper edge of the view: the crown is cut
CROWN_TO_CENTRE_MM = 75.0
NO_BRAIN_NATS = 0.05  # less than this and no pose shows anything of a brain: more starts are in vain
SOFT_SCALE, SKULL_SCALE = 0.93, 0.95


@dataclass(frozen=True, eq=False, repr=False)
class Location:
    """A head that was found.

    Args:
        affine: (4, 4) MNI mm to the image's RAS+ mm.
        confidence: the signals by name, see `confidence`.
        modality: the path that found it: `mr` (also PET) or `ct`.
        field_of_view: `brain_in_view` (share of the brain), `crown_cut_cm2` (section of the head at the upper
            edge), `head_l` (litres of head in view).
        attempts: how many rounds of starts were needed.
    """

    affine: Matrix
    confidence: dict[str, float]
    modality: Literal["mr", "ct", "pet"]
    field_of_view: dict[str, float]
    attempts: int = 1

    def __repr__(self) -> str:
        said = ", ".join(f"{k}={v:.3g}" for k, v in self.confidence.items())
        return f"Location({self.modality}, {said})"


def locate(image: Image, *, modality: Modality = "auto", given: Given = NOTHING) -> Location:
    """Find the head in an image.

    With `auto`, values that look like Hounsfield units go the way of a CT; all others the way of MR and PET,
    and, where that is refused, the way of a CT without units.

    Raises:
        Refusal: `no head found`, `field of view cuts the brain`, `already skull-stripped`,
            `registration not trusted`, `not an intensity image`.
    """
    if modality not in MODALITIES:
        raise UsageError(f"modality {modality}: unknown", hint="known are " + ", ".join(MODALITIES))
    values, affine = volume_of(image)
    hounsfield = looks_like_hounsfield(values)
    if modality == "ct" or (modality == "auto" and hounsfield):
        return _first_believed(_Skull(values, affine, hounsfield), (register.IN_SKULL, register.SHIFTED))

    soft = _Soft(values, affine, "pet" if modality == "pet" else "mr")
    try:
        return _first_believed(soft, (register.USUAL,))
    except Refusal as refused:
        if refused.reason == "already skull-stripped":
            raise
        if modality == "auto":
            try:
                return _first_believed(_Skull(values, affine, hounsfield=False), (register.IN_SKULL,))
            except Refusal:
                pass  # not a CT either: what is said is what the usual way found
    return _first_believed(soft, (register.USUAL, register.SHIFTED, register.MISLABELLED), harder=True)


def looks_like_hounsfield(values: Volume) -> bool:
    """Whether values are Hounsfield units: much below -500, and air near -1000 where it is not padding."""
    low = values[values < -500]
    return bool(low.size > 0.02 * values.size and ((low > -1100) & (low < -850)).mean() > 0.1)


class _Soft:
    """The way of MR and PET: contrast inside the brain, evened out."""

    rule = SOFT

    def __init__(self, values: Volume, affine: Matrix, modality: Literal["mr", "pet"]) -> None:
        self.modality = modality
        self.grid, self.head = crop_to_head(isotropic(values, affine, FINE_MM))
        self.flat = flatten(self.grid, self.head)
        self.crown_cut_cm2 = crown_cut_cm2(self.grid, self.head)

    def problem(self, harder: bool) -> Problem:
        # Always masked, the coarse fit slides out of the image; never masked, a cut crown is read as air.
        masked = harder or self.crown_cut_cm2 > CROWN_CUT_CM2
        coarse, fine = patient_pictures(self.flat, self.grid, masked)
        wide, near = template(COARSE_MM), template(FINE_MM)
        return Problem(
            distant=(_side(wide, *shelled(wide)), coarse),
            near=(_side(wide, *bare(wide)), coarse),
            last=(_side(near, *bare(near)), fine),
            expected=expected_centre(self.grid, self.head),
            scale=SOFT_SCALE,
        )

    def extra(self) -> dict[str, float]:
        return {}


class _Skull:
    """The way of CT: the room inside the bone."""

    rule = SKULL
    modality: Literal["ct"] = "ct"

    def __init__(self, values: Volume, affine: Matrix, hounsfield: bool) -> None:
        lifted = np.maximum(values, np.float32(-1024)) if hounsfield else values
        self.grid, self.head = crop_to_head(isotropic(lifted, affine, FINE_MM))
        self.skull = find_skull(values, affine, self.grid, self.head, hounsfield)
        self.crown_cut_cm2 = crown_cut_cm2(self.grid, self.head)

    def problem(self, harder: bool) -> Problem:
        coarse, fine = patient_pictures(self.skull.picture(self.head), self.grid, masked=True)
        wide, near = template(COARSE_MM), template(FINE_MM)
        sharp = (_side(near, *cavity(near)), fine)
        return Problem(
            distant=(_side(wide, *cavity(wide)), coarse),
            near=sharp,
            last=sharp,
            expected=self.skull.centre,
            scale=SKULL_SCALE,
            candidates=5,
        )

    def extra(self) -> dict[str, float]:
        return {"cavity_l": self.skull.cavity_l, "closed": self.skull.closed}


def _first_believed(
    way: _Soft | _Skull, rounds: Sequence[tuple[Start, ...]], harder: bool = False
) -> Location:
    """The first round of starts whose best fit passes every rule; else the refusal of the best fit."""
    problem = way.problem(harder)
    refusals: list[tuple[int, Refusal]] = []
    for attempt, starts in enumerate(rounds, start=2 if harder else 1):
        fitted = fits(problem, starts, keep=5 if harder else 3)
        found = signals(fitted, problem.last, way.grid, way.head) | way.extra()
        failed = judge(found, way.rule)
        if not failed:
            view = {
                "brain_in_view": found["in_view"],
                "crown_cut_cm2": way.crown_cut_cm2,
                "head_l": float(way.head.sum() * way.grid.mm**3 / 1e6),
            }
            return Location(fitted[0].affine, found, way.modality, view, attempt)
        refusals.append((len(failed), refusal(found, failed, way.rule)))
        if found["information"] < NO_BRAIN_NATS:
            break
    raise min(refusals, key=lambda r: r[0])[1]


def _side(t: Template, values: Volume, where: Mask) -> Picture:
    return Picture(values, t.origin, t.mm, where)


def patient_pictures(flat: Volume, grid: Grid, masked: bool) -> tuple[Picture, Picture]:
    """The patient's side of a registration at 8 and 4 mm, with air around."""
    coarse, origin = grid.halved(flat)
    seen = grid.halved(grid.seen.astype(np.float32))[0] > 0.5
    wide = Picture(coarse, origin, COARSE_MM, seen if masked else None)
    fine = Picture(flat, grid.origin, grid.mm, grid.seen if masked else None)
    return wide.padded(), fine.padded()


def expected_centre(grid: Grid, head: Mask) -> Vector:
    """(3,) RAS mm where the middle of the brain should be: under the crown, amid the upper 150 mm."""
    area_cm2 = head.sum((0, 1)) * grid.mm**2 / 100
    crown = int(np.flatnonzero(area_cm2 > 15).max())
    upper = head[:, :, max(0, crown - int(150 / grid.mm)) : crown + 1]
    centre = np.argwhere(upper).mean(0)
    centre[2] = crown - CROWN_TO_CENTRE_MM / grid.mm
    return np.asarray(grid.origin + grid.mm * centre, dtype=np.float64)


def crown_cut_cm2(grid: Grid, head: Mask) -> float:
    """Section of the head in its two uppermost slices; large where the field of view cuts the crown."""
    top = int(np.flatnonzero(head.any((0, 1))).max())
    section = head[:, :, max(0, top - 1) : top + 1].any(2)
    return float(section.sum() * grid.mm**2 / 100)
