"""Scanner: the settings of a simulated scanner and of the day, and the field of view they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
import numpy.typing as npt

from medveil.simulate.field import Vector
from medveil.simulate.tissues import CONTRASTS, EPI, Contrast

VIEW_LO_MM, VIEW_HI_MM = (-104.0, -128.0, -135.0), (104.0, 140.0, 146.0)
"""Corners of the field of view in scanner millimetres; it ends in the neck."""
BODY_LO_MM, BODY_HI_MM = (-196.0, -146.0, -245.0), (196.0, 140.0, 146.0)
"""Corners of a field of view that reaches down to the shoulders."""
TABLE_ROOM_MM = 36.0
"""How much further back the view reaches where a table shall be seen."""
AIR_MM = 6.0
"""Least air between the head and the edge of a field of view that was widened for it."""
SPACING_MM, EPI_SPACING_MM = 2.0, 3.0
"""Usual voxel size in simulations, and for echo-planar images."""

STORAGES: tuple[str, ...] = tuple(
    "".join(codes) for order in permutations(("RL", "AP", "SI")) for codes in product(*order)
)
"""The 48 orders in which a volume's axes may be stored, each letter the direction in which an index grows."""

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Scanner:
    """Settings of a scanner and of the day.

    Args:
        contrast: what kind of image, as BIDS names it; CT comes in Hounsfield units.
        spacing_mm: voxel size, one number or one per axis; 2 mm, or 3 mm for bold, asl and dwi, by default.
        tilt_deg: sd of the head's pitch; roll has .4 and yaw .6 of it.
        shift_mm: sd of the head's place along each axis.
        noise: sd of the noise, on the scale where fat has 190 (Rician; Gaussian, and x4, for CT).
        bias: strength of the smooth brightness field of a coil; twice the sd of its coefficients.
        ghost: share of a copy shifted by half the field of view, as breathing leaves it behind.
        crop_below_mm: the field of view begins at this height (scanner mm) instead of in the neck.
        crop_top_mm: and ends at this height, as a slab that misses the top of the head does.
        crop_front_mm: and ends this far forward, as a field of view that cuts the nose off does.
        turn_deg: exact pitch (+ chin up), roll and yaw (+ face to the person's left) instead of drawn ones;
            the field of view grows until it holds the head.
        move_mm: exact place of the head instead of a drawn one; the field of view and its crops follow.
        size: size of the head and of the view; .8 is a crude child, an adult's proportions made small.
        storage: the order of the stored axes, one of `STORAGES`; the world stays where it is.
        oblique_deg: turn of the grid itself about x, y and z through the middle of the view, so that the
            affine is oblique; crops are then along the grid.
        volumes: how many, each with a motion of its own; the first one is at the pose.
        motion_mm, motion_deg: sd of the motion between volumes, along and about each axis.
        shoulders: the field of view reaches down to the shoulders.
        table: couch and head rest lie behind the head; CT only.
        metal_mm: radius of the harm done by a filling in a tooth; 0 is none. Not seen in pet.
        wrap_mm: so much of the head leaves the front edge of the view and comes in at its back edge.

    Raises:
        ValueError: a setting that makes no sense.
    """

    contrast: Contrast = "T1w"
    spacing_mm: float | Triple | None = None
    tilt_deg: float = 6.0
    shift_mm: float = 3.0
    noise: float = 3.0
    bias: float = 0.15
    ghost: float = 0.0
    crop_below_mm: float | None = None
    crop_top_mm: float | None = None
    crop_front_mm: float | None = None
    turn_deg: Triple | None = None
    move_mm: Triple | None = None
    size: float = 1.0
    storage: str = "RAS"
    oblique_deg: Triple | None = None
    volumes: int = 1
    motion_mm: float = 0.0
    motion_deg: float = 0.0
    shoulders: bool = False
    table: bool = False
    metal_mm: float = 0.0
    wrap_mm: float = 0.0

    def __post_init__(self) -> None:
        if self.contrast not in CONTRASTS:
            raise ValueError(f"contrast: expected one of {', '.join(CONTRASTS)}")
        if min(self.spacings_mm) <= 0 or self.size <= 0:
            raise ValueError("spacing_mm, size: expected positive numbers")
        if self.storage not in STORAGES:
            raise ValueError("storage: expected three axis codes such as RAS, LPS or ASR")
        if self.volumes < 1:
            raise ValueError("volumes: expected at least 1")
        if min(self.motion_mm, self.motion_deg, self.metal_mm, self.wrap_mm) < 0:
            raise ValueError("motion_mm, motion_deg, metal_mm, wrap_mm: expected no negative number")
        if self.table and self.contrast != "CT":
            raise ValueError("table: is seen in CT only")
        if self.metal_mm and self.contrast == "pet":
            raise ValueError("metal_mm: is not simulated for pet")

    @property
    def spacings_mm(self) -> Triple:
        """Voxel size along the grid's x, y and z, before they are put into the order of `storage`."""
        if isinstance(self.spacing_mm, tuple):
            return self.spacing_mm
        usual = EPI_SPACING_MM if self.contrast in EPI else SPACING_MM
        each = usual if self.spacing_mm is None else self.spacing_mm
        return each, each, each

    @property
    def beyond_the_neck(self) -> bool:
        """Whether the view may hold what lies under the neck, so that a body has to be there."""
        return self.shoulders or self.turn_deg is not None or self.oblique_deg is not None

    def middle_mm(self) -> Vector:
        """The point about which an oblique grid is turned, scanner mm."""
        lo, hi = self._uncropped_mm()
        middle: Vector = (lo + hi) / 2
        return middle

    def _uncropped_mm(self) -> tuple[Vector, Vector]:
        corners = (BODY_LO_MM, BODY_HI_MM) if self.shoulders else (VIEW_LO_MM, VIEW_HI_MM)
        move = np.zeros(3) if self.move_mm is None else np.array(self.move_mm)
        lo, hi = (np.array(c) * self.size + move for c in corners)
        if self.table:
            lo[1] -= TABLE_ROOM_MM
        return lo, hi

    def view_mm(self, head_mm: npt.NDArray[np.float64] | None = None) -> tuple[Vector, Vector]:
        """Corners of the field of view along the grid's own axes: scanner mm unless it is oblique.

        Args:
            head_mm: (N, 3) points that the view holds, whatever it would have been; cropping comes later.

        Raises:
            ValueError: the crops leave nothing to see.
        """
        lo, hi = self._uncropped_mm()
        if head_mm is not None and (self.turn_deg is not None or self.oblique_deg is not None):
            lo = np.minimum(lo, head_mm.min(axis=0) - AIR_MM)
            hi = np.maximum(hi, head_mm.max(axis=0) + AIR_MM)
        if head_mm is not None and self.wrap_mm:
            hi[1] = head_mm[:, 1].max() - self.wrap_mm
        move = np.zeros(3) if self.move_mm is None else np.array(self.move_mm)
        if self.crop_below_mm is not None:
            lo[2] = max(lo[2], self.crop_below_mm + move[2])
        if self.crop_top_mm is not None:
            hi[2] = min(hi[2], self.crop_top_mm + move[2])
        if self.crop_front_mm is not None:
            hi[1] = min(hi[1], self.crop_front_mm + move[1])
        if (hi - lo).min() <= max(self.spacings_mm):
            raise ValueError("crop: leaves nothing to see")
        return lo, hi
