"""Outline: the shape of the skull's vault, which no defacing tool removes.

    scan ──align──> directions of the head ──from the middle of the brain outwards──> (D,) mm to the air

The directions are turned with the head and not stretched: size and shape of the head stay in the numbers. They
leave out whatever lies before and below the ears, so that a whole head and a defaced one give the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.link.aligned import AlignedBrain
from medveil.core.image import Image
from medveil.locate.grid import Matrix, Vector, head_mask, isotropic, volume_of
from medveil.locate.register import CENTRE

Array = npt.NDArray[Any]

DIRECTIONS = 800  # over the whole sphere, about 5 degrees apart; a third of them point at the vault
LOWEST, FRONT_SLOPE = 0.1, 0.35  # of a unit direction: up at least this, and more the more it points forward
GRID_MM, STEP_MM, REACH_MM = 2.0, 1.0, 160.0


@dataclass(frozen=True, eq=False, repr=False)
class Shape:
    """Distances from the middle of the brain to the air.

    Args:
        radius_mm: (D,) along each direction of `vault`; 0 where nothing was found.
        located: whether the brain was found; empty: whether there is no head at all.
    """

    radius_mm: Vector
    located: bool
    empty: bool

    def __repr__(self) -> str:
        return f"Shape({len(self.radius_mm)} directions, located={self.located})"


@dataclass(frozen=True)
class Outline:
    """Measure the vault of the head in a scan."""

    def __call__(self, image: Image) -> Shape:
        aligned = AlignedBrain()(image)
        flat = image if image.kind == "intensity" else Image(np.atleast_3d(image.values()), image.affine)
        grid = isotropic(*volume_of(flat), GRID_MM)
        head = head_mask(grid.values, GRID_MM)
        radius = _radii(head, grid.origin, aligned.affine)
        return Shape(radius, aligned.located, empty=not head.any())


def vault() -> Vector:
    """(D, 3) unit directions along R, A and S: evenly spread on a Fibonacci spiral, without face and neck."""
    i = np.arange(DIRECTIONS) + 0.5
    z, turn = 1 - 2 * i / DIRECTIONS, np.pi * (1 + np.sqrt(5)) * i
    ring = np.sqrt(1 - z**2)
    out = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    return np.asarray(out[z > LOWEST + FRONT_SLOPE * np.maximum(out[:, 1], 0)])


def _radii(head: npt.NDArray[np.bool_], origin: Vector, affine: Matrix) -> Vector:
    """(D,) mm of head along each direction, from the place and with the turn of an affine (MNI to RAS mm)."""
    from scipy import ndimage as ndi

    u, _, vt = np.linalg.svd(affine[:3, :3])
    middle = affine[:3, :3] @ CENTRE + affine[:3, 3]
    along = np.arange(STEP_MM / 2, REACH_MM, STEP_MM)
    rays = middle + along[None, :, None] * (vault() @ (u @ vt).T)[:, None, :]  # (D, steps, 3)
    at = (rays - origin) / GRID_MM
    inside = ndi.map_coordinates(head.astype(np.float32), at.reshape(-1, 3).T, order=1, cval=0.0)
    return np.asarray(inside.reshape(at.shape[:2]).sum(axis=1) * STEP_MM, dtype=np.float64)
