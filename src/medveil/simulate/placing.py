"""Placing: where a head lies in the scanner, and on which grid it is seen.

    head mm --pose--> scanner mm (RAS+) --inverse of the affine--> voxels

The grid is planned along x, y and z, perhaps turned as a whole, and only the finished volume is put into
the order in which it is stored; so the world looks the same whatever the storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from medveil.simulate.field import Vector, rotation
from medveil.simulate.head import Head
from medveil.simulate.scanner import Scanner

_Number = TypeVar("_Number", bound=np.generic)

NECK_MM = 10.0
"""A view that is widened for a head holds it down to so far under the chin."""


@dataclass(frozen=True, eq=False)
class View:
    """A grid on which a scan is made.

    Args:
        shape: (3,) voxels along the grid's x, y, z.
        affine: (4, 4) voxel index to scanner mm.
        wrapped: how many voxels beyond the front edge come in at the back edge.
    """

    shape: tuple[int, int, int]
    affine: Vector
    wrapped: int = 0


def draw_pose(rng: np.random.Generator, tilt_deg: float, shift_mm: float) -> Vector:
    """A head's place in the scanner: (4, 4) head mm to scanner mm."""
    angles = rng.normal(0.0, 1.0, 3) * tilt_deg * [1.0, 0.4, 0.6]
    return rigid(angles, rng.normal(0.0, 1.0, 3) * shift_mm)


def rigid(angles_deg: Vector, shift_mm: Vector) -> Vector:
    """A turn by pitch, roll and yaw, degrees, then a shift: (4, 4)."""
    pitch, roll, yaw = np.radians(angles_deg)
    out = np.eye(4)
    out[:3, :3] = rotation(0, pitch) @ rotation(1, roll) @ rotation(2, yaw)
    out[:3, 3] = shift_mm
    return out


def posed(drawn: Vector, scanner: Scanner) -> Vector:
    """The drawn pose with everything that the settings say exactly: (4, 4) head mm to scanner mm."""
    out = drawn.copy()
    if scanner.turn_deg is not None:
        out[:3, :3] = rigid(np.array(scanner.turn_deg), np.zeros(3))[:3, :3]
    if scanner.move_mm is not None:
        out[:3, 3] = scanner.move_mm
    out[:3, :3] *= scanner.size
    return out


def draw_motion(rng: np.random.Generator, scanner: Scanner) -> list[Vector]:
    """A rigid motion for every volume, (4, 4) scanner mm to scanner mm about the head's place; first none."""
    still = np.eye(4)
    rest = [
        rigid(rng.normal(0.0, 1.0, 3) * scanner.motion_deg, rng.normal(0.0, 1.0, 3) * scanner.motion_mm)
        for _ in range(scanner.volumes - 1)
    ]
    return [still, *rest]


def moved_by(motion: Vector, pose: Vector) -> Vector:
    """The pose after a motion whose turn is about the head's own origin."""
    out = motion @ pose
    out[:3, 3] = pose[:3, 3] + motion[:3, 3]
    return out


def view_of(scanner: Scanner, head: Head, pose: Vector) -> View:
    """The grid on which a head at this pose is seen."""
    spacing = np.array(scanner.spacings_mm)
    turn = np.eye(3)
    if scanner.oblique_deg is not None:
        turn = rigid(np.array(scanner.oblique_deg), np.zeros(3))[:3, :3]
    about = scanner.middle_mm()
    in_scanner = skin_mm(head) @ pose[:3, :3].T + pose[:3, 3]
    lo, hi = scanner.view_mm((in_scanner - about) @ turn + about)
    nx, ny, nz = (int(n) for n in np.ceil((hi - lo) / spacing))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(spacing)
    # The turn is about the middle; an upright grid begins at the very corner, without rounding.
    affine[:3, 3] = lo if scanner.oblique_deg is None else about + turn @ (lo - about)
    wrapped = min(int(np.ceil((scanner.wrap_mm + 4.0) / spacing[1])), ny) if scanner.wrap_mm else 0
    return View((nx, ny, nz), affine, wrapped)


def skin_mm(head: Head) -> Vector:
    """(N, 3) points on and in a head down to its chin, head mm, a few mm apart."""
    step = max(1, int(4.0 / head.spacing_mm))
    inside = head.phi[::step, ::step, ::step] < 2.0
    inside[:, :, head.axes[2][::step] < head.levels["ment_z"] - NECK_MM] = False
    out: Vector = np.argwhere(inside) * (step * head.spacing_mm) + head.origin_mm
    return out


def stored_as(
    data: np.ndarray[tuple[int, ...], np.dtype[_Number]], affine: Vector, storage: str
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[_Number]], Vector]:
    """A volume (I, J, K[, T]) along R, A, S in another order of its axes, with the affine that says so.

    >>> data, affine = stored_as(np.arange(6).reshape(1, 2, 3), np.eye(4), "SPR")
    >>> data.shape, (affine @ [0, 0, 0, 1])[:3].tolist()
    ((3, 2, 1), [0.0, 1.0, 0.0])
    """
    homes = ["RL", "AP", "SI"]
    order = [next(i for i, home in enumerate(homes) if code in home) for code in storage]
    back = np.zeros((4, 4))  # new index -> old index
    back[3, 3] = 1.0
    cuts = []
    for new, (old, code) in enumerate(zip(order, storage, strict=True)):
        flipped = code == homes[old][1]
        back[old, new] = -1.0 if flipped else 1.0
        back[old, 3] = data.shape[old] - 1 if flipped else 0.0
        cuts.append(slice(None, None, -1 if flipped else 1))
    turned = data.transpose(*order, *range(3, data.ndim))[tuple(cuts)]
    return np.ascontiguousarray(turned), affine @ back
