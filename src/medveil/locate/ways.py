"""Ways: what of an image is held against the template. One for soft tissue, one for bone, one for a mask.

    Soft     MR, PET: the head, evened out
    InSkull  CT: the room that bone encloses, and then the brain in it where units tell brain from fluid
    Masked   whatever lies inside a given mask of the brain

A way knows its grid, its head and its rule of confidence, poses the registration, and may improve its result.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Protocol

import numpy as np

from medveil.core.errors import Refusal
from medveil.core.release import Mask
from medveil.locate import net
from medveil.locate.confidence import MASKED, SKULL, SOFT, Rule, moved, peak_ratio
from medveil.locate.grid import (
    Grid,
    Matrix,
    Vector,
    Volume,
    blurred,
    bodies,
    crop_to_head,
    flatten,
    inverse,
    isotropic,
)
from medveil.locate.location import Path
from medveil.locate.register import Fit, Picture, Problem, apart_mm, improved
from medveil.locate.skull import find_skull
from medveil.locate.speckle import without_speckle
from medveil.locate.starts import Start
from medveil.locate.template import Template, bare, cavity, core, layered, rimmed, shelled, template

FINE_MM, COARSE_MM = 4.0, 8.0
CLEAR_PEAK = 2.0
CAST = 4  # places that a net brings in; the truth was the first in all of 11 hard heads
CROWN_CUT_CM2 = 60.0  # a larger section of head at the upper edge of the view: the crown is cut
CROWN_TO_CENTRE_MM = 75.0
SOFT_SCALE, SKULL_SCALE = 0.93, 0.95
SOFT_TISSUE_HU = (-10.0, 70.0)
BRAIN_LITRES = (0.3, 2.4)


class Way(Protocol):
    """What a search needs to know of an image."""

    grid: Grid
    head: Mask
    tissue: Vector  # (N, 3) RAS mm, every second voxel of all that is no air, cropped or not
    crown_cut_cm2: float
    modality: Path
    rule: Rule

    @property
    def judged(self) -> tuple[Picture, Picture]: ...

    def problem(self, *, masked: bool = False) -> Problem: ...

    def chosen(self, fits: tuple[Fit, ...]) -> Matrix:
        """The one of a search's best fits that is believed most, perhaps improved."""
        ...

    def further(self, affine: Matrix) -> dict[str, float]: ...


class Soft:
    """The way of MR and PET: contrast inside the brain, evened out."""

    rule: Rule = SOFT

    def __init__(self, values: Volume, affine: Matrix, modality: Path) -> None:
        self.modality: Path = modality
        whole = without_speckle(isotropic(values, affine, FINE_MM), values, affine)
        self.grid, self.head = crop_to_head(whole)
        self.tissue = bodies(whole)
        self.flat = flatten(self.grid, self.head)
        self.crown_cut_cm2 = crown_cut_cm2(self.grid, self.head)

    @cached_property
    def judged(self) -> tuple[Picture, Picture]:
        near = template(FINE_MM)
        _, fine = patient_pictures(self.flat, self.grid, self.crown_cut_cm2 > CROWN_CUT_CM2)
        return _side(near, *bare(near)), fine

    @cached_property
    def _inside(self) -> tuple[Picture, Picture]:
        """The brain's own contrast and nothing around it: wrong places show next to none of it."""
        near = template(FINE_MM)
        return _side(near, *core(near)), patient_pictures(self.flat, self.grid, masked=True)[1]

    def problem(self, *, masked: bool = False) -> Problem:
        # Always masked, the coarse fit slides out of the image; never masked, a cut crown is read as air.
        coarse, _ = patient_pictures(self.flat, self.grid, masked or self.crown_cut_cm2 > CROWN_CUT_CM2)
        wide = template(COARSE_MM)
        return Problem(
            distant=(_side(wide, *shelled(wide)), coarse),
            near=(_side(wide, *bare(wide)), coarse),
            last=self._inside,
            expected=expected_centre(self.grid, self.head),
            scale=SOFT_SCALE,
        )

    def closely(self) -> Problem:
        """For starts that are nearly right: the brain's own contrast alone, from the beginning."""
        usual = self.problem()
        return replace(usual, near=self._inside)

    def cast(self) -> tuple[Start, ...]:
        """The likeliest of all places a brain could have, as starts of `closely`."""
        wide = template(COARSE_MM)
        _, fine = self._inside
        smooth = replace(fine, values=blurred(fine.values))
        room = self.head | ~self.grid.seen
        return net.cast(_side(wide, *rimmed(wide)), smooth, room, self.grid.origin, self.grid.mm, most=CAST)

    def chosen(self, fits: tuple[Fit, ...]) -> Matrix:
        """The clearest peak. Where the brain's own contrast is little, as in PET, its outline may know better."""
        peaks = [(peak_ratio(f.affine, self.judged)[1], f.affine) for f in fits]
        peak, affine = max(peaks, key=lambda p: p[0])
        if peak >= CLEAR_PEAK:
            return affine
        outlined = improved(self.judged, affine).affine
        return outlined if peak_ratio(outlined, self.judged)[1] > peak else affine

    def further(self, affine: Matrix) -> dict[str, float]:
        return {"fluid": brightness_around(affine, self.grid, self.flat)}


class InSkull:
    """The way of CT: the room inside the bone."""

    rule: Rule = SKULL
    modality: Path = "ct"

    def __init__(self, values: Volume, affine: Matrix, hounsfield: bool) -> None:
        lifted = np.maximum(values, np.float32(-1024)) if hounsfield else values
        whole = isotropic(lifted, affine, FINE_MM)
        self.grid, self.head = crop_to_head(whole)
        self.tissue = bodies(whole)
        self.skull = find_skull(values, affine, self.grid, self.head, hounsfield)
        self.crown_cut_cm2 = crown_cut_cm2(self.grid, self.head)
        self.hounsfield = hounsfield
        self.revised_mm = 0.0  # by the brain, of what the cavity said

    @property
    def judged(self) -> tuple[Picture, Picture]:
        return self.problem().last

    def problem(self, *, masked: bool = False) -> Problem:
        coarse, fine = patient_pictures(self.skull.picture(self.head), self.grid, masked=True)
        wide, near = template(COARSE_MM), template(FINE_MM)
        sharp = (_side(near, *cavity(near)), fine)
        return Problem(
            distant=(_side(wide, *cavity(wide)), coarse),
            near=sharp,
            last=sharp,
            expected=self.skull.centre,
            scale=SKULL_SCALE,
            candidates=4,
        )

    def chosen(self, fits: tuple[Fit, ...]) -> Matrix:
        """The cavity is larger than the brain; where units tell brain from fluid, the brain decides."""
        affine = fits[0].affine
        if not self.hounsfield:
            return affine
        low, high = SOFT_TISSUE_HU
        shown = (np.clip(self.grid.values, low, high) - low) * self.skull.cavity
        near = template(FINE_MM)
        _, fine = patient_pictures(shown.astype(np.float32), self.grid, masked=True)
        out = improved((_side(near, *layered(near)), fine), affine).affine
        self.revised_mm = apart_mm(affine, out)
        return out

    def further(self, affine: Matrix) -> dict[str, float]:
        return {
            "cavity_l": self.skull.cavity_l,
            "closed": self.skull.closed,
            "revised_mm": self.revised_mm,
        }


class Masked:
    """The way of a given mask of the brain: whatever the contrast, its outline and what lies in it."""

    rule: Rule = MASKED

    def __init__(
        self, values: Volume, affine: Matrix, brain: Volume, modality: Path, hounsfield: bool
    ) -> None:
        """`brain`: (I, J, K) 1 inside, of the shape and axes of `values`.

        Raises:
            Refusal: `registration not trusted`, the mask has not the size of a brain.
        """
        self.modality: Path = modality
        lifted = np.maximum(values, np.float32(-1024)) if hounsfield else values
        whole = isotropic(lifted, affine, FINE_MM)
        self.grid, self.head = crop_to_head(whole)
        self.tissue = bodies(whole)
        inside = isotropic(brain, affine, FINE_MM, outside=0.0).values > 0.5
        low = np.round((self.grid.origin - whole.origin) / FINE_MM).astype(int)
        window = tuple(slice(a, a + n) for a, n in zip(low, self.head.shape, strict=True))
        self.brain_l = float(inside.sum() * FINE_MM**3 / 1e6)
        self.brain = np.asarray(inside[window], dtype=bool)
        least, most = BRAIN_LITRES
        if not least <= self.brain_l <= most:
            raise Refusal(
                "registration not trusted",
                f"the given brain has {self.brain_l:.2f} litres, expected {least:g} to {most:g}",
                hint="give a mask of the whole brain on the grid of the image",
            )
        self.flat = flatten(self.grid, self.head)
        self.crown_cut_cm2 = crown_cut_cm2(self.grid, self.head)

    @property
    def judged(self) -> tuple[Picture, Picture]:
        return self.problem().last

    def problem(self, *, masked: bool = False) -> Problem:
        shown = ((0.4 + 0.3 * self.flat) * self.brain).astype(np.float32)
        coarse, fine = patient_pictures(shown, self.grid, masked=True)
        wide, near = template(COARSE_MM), template(FINE_MM)
        t = template()
        litres = float(t.brain.sum() * t.mm**3 / 1e6)
        return Problem(
            distant=(_side(wide, *shelled(wide)), coarse),
            near=(_side(wide, *bare(wide)), coarse),
            last=(_side(near, *bare(near)), fine),
            expected=self.grid.origin + FINE_MM * np.argwhere(self.brain).mean(0),
            scale=float(np.clip(np.cbrt(self.brain_l / litres), 0.7, 1.15)),
        )

    def chosen(self, fits: tuple[Fit, ...]) -> Matrix:
        return fits[0].affine

    def further(self, affine: Matrix) -> dict[str, float]:
        """`overlap`: of the fitted brain and the given one, after Dice, over what is in view."""
        from scipy import ndimage as ndi

        t = template(FINE_MM)
        i, j, k = np.indices(self.brain.shape).reshape(3, -1)
        ras = np.stack([i, j, k], axis=1) * FINE_MM + self.grid.origin
        at = (moved(inverse(affine), ras) - t.origin) / t.mm
        fitted = ndi.map_coordinates(t.distance_mm, at.T, order=1, cval=99.0) <= 0
        given = self.brain.ravel()
        return {"overlap": 2.0 * float((fitted & given).sum()) / max(1.0, float(fitted.sum() + given.sum()))}


def brightness_around(affine: Matrix, grid: Grid, flat: Volume) -> float:
    """Median brightness 1 to 6 mm outside the fitted brain over that inside it."""
    from scipy import ndimage as ndi

    t = template(FINE_MM)

    def shown(mask: Mask) -> float:
        at = grid.indices(moved(affine, t.points(mask)))
        return float(np.median(ndi.map_coordinates(flat, at.T, order=1, cval=0.0)))

    vault = t.axes[2] > -20  # under the base there is no fluid to see
    rim = (t.distance_mm > 1) & (t.distance_mm <= 6) & vault
    return shown(rim) / max(shown(t.distance_mm < -4), 1e-3)


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
