"""A head: one person's signed distance field, the same for a scan and for a photograph.

The field is sculpted by `FEATURES` in order. A scan has the eyes shut and a shorter neck; a photograph has
them open and wears an expression. Nothing else differs, which is what makes the two the same person.

Frame: see `person.py`. Units: mm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from medveil.simulate.features import block, cheeks, ears, eyes, mouth, nose
from medveil.simulate.features.geometry import (
    Curve,
    Expression,
    Geometry,
    LipProfile,
)
from medveil.simulate.field import Field, Grid, Vector
from medveil.simulate.person import Person

__all__ = ["BOXES", "EARS", "FEATURES", "Expression", "Head", "LipProfile", "build_head"]

Feature = Callable[[Field, Geometry], None]

FEATURES: tuple[Feature, ...] = (
    block.cranium,
    block.face_block,
    block.neck,
    cheeks.brow_ridge,
    cheeks.cheekbones,
    cheeks.sockets,
    nose.bridge,
    nose.tip,
    nose.wings,
    mouth.lips,
    mouth.nasolabial_folds,
    block.chin,
    eyes.eyes,
    cheeks.bags,
)
"""The parts of a head without its ears, in the order in which they are sculpted."""
EARS: Feature = ears.ears

BOXES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "scan": ((-104, -122, -150), (104, 138, 142)),
    "photo": ((-104, -126, -165), (104, 140, 146)),
    "body": ((-200, -150, -262), (200, 140, 146)),
}
"""Corners of the grids in mm; all hold the largest head at 2.5 standard deviations, the last one shoulders too."""


@runtime_checkable
class OwnSkin(Protocol):
    """A person whose skin comes from elsewhere than `FEATURES`, as from a face basis (`basis/person.py`)."""

    def geometry(self, eyes_open: float, expression: Expression) -> Geometry:
        """The measures of this skin, with an expression."""
        ...

    def box(self, lo: Vector, hi: Vector) -> tuple[Vector, Vector]:
        """The corners of a grid, mm, moved out where this head would reach beyond them."""
        ...

    def sculpt(self, field: Field, geometry: Geometry) -> Grid:
        """Fill a field with the head; returns the field without the ears."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Head:
    """A head on a grid.

    Args:
        phi: (I, J, K) float32, signed distance to the skin in mm, negative inside.
        axes: coordinates of the grid's planes in mm, lengths I, J, K.
        origin_mm: (3,) coordinates of voxel (0, 0, 0).
        spacing_mm: distance between voxels, the same on all axes.
        phi_without_ears: `phi` before the ears, for hair.
        geometry: the measures it was built from.
    """

    phi: Grid
    axes: tuple[Grid, Grid, Grid]
    origin_mm: Vector
    spacing_mm: float
    phi_without_ears: Grid
    geometry: Geometry

    @property
    def person(self) -> Person:
        """Whose head this is."""
        return self.geometry.person

    @property
    def expression(self) -> Expression:
        """What the face does."""
        return self.geometry.expression

    @property
    def eye_centres(self) -> list[Vector]:
        """Centres of the eyeballs, mm, the person's left (-x) first."""
        return self.geometry.eyes

    @property
    def eye_radius_mm(self) -> float:
        """Radius of an eyeball."""
        return self.geometry.eye_radius_mm

    @property
    def levels(self) -> dict[str, float]:
        """Heights in mm: tip_z, sub_z, sto_z, chin_z, ment_z."""
        return self.geometry.levels

    @property
    def profile(self) -> Curve:
        """y in mm of the mid-line of the face, without nose and lips, at a height z."""
        return self.geometry.profile

    def lip(self, x: Grid, z: Grid) -> LipProfile:
        """The mouth at points (x, z) of the face, see `LipProfile`."""
        return self.geometry.lip(x, z)

    @property
    def affine(self) -> Vector:
        """(4, 4) voxel index to head millimetres."""
        out = np.diag([self.spacing_mm] * 3 + [1.0])
        out[:3, 3] = self.origin_mm
        return out

    def __repr__(self) -> str:
        return f"Head(shape={self.phi.shape}, spacing_mm={self.spacing_mm:g})"


def build_head(
    person: Person,
    spacing_mm: float = 2.0,
    *,
    eyes_open: float = 0.0,
    box: Literal["scan", "photo", "body"] = "scan",
    expression: Expression | None = None,
) -> Head:
    """Sculpt a person's head.

    Args:
        person: who.
        spacing_mm: voxel size of the grid; 2 takes .3 s, 1 takes 1.5 s of one core.
        eyes_open: 0 shut to 1 open; below .15 the lids are drawn shut.
        box: the grid of a scan, the larger one of a photograph, or one that reaches down to the shoulders.
        expression: today's face; at rest by default.
    """
    lo, hi = BOXES[box]
    if isinstance(person, OwnSkin):
        field = Field(*person.box(np.array(lo, float), np.array(hi, float)), spacing_mm)
        own = person.geometry(eyes_open, expression or Expression())
        earless = person.sculpt(field, own)
        return Head(field.phi, field.axes, field.origin_mm, field.spacing_mm, earless, own)
    field = Field(lo, hi, spacing_mm)
    geometry = Geometry(person, eyes_open, expression or Expression())
    for feature in FEATURES:
        feature(field, geometry)
    without_ears = field.phi.copy()
    EARS(field, geometry)
    return Head(field.phi, field.axes, field.origin_mm, field.spacing_mm, without_ears, geometry)
