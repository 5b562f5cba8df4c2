"""Volumes with a known surface, for the tests of the attacks: an egg with a nose, on any grid."""

from __future__ import annotations

from itertools import product

import numpy as np

from medveil.core.image import Image

HALF_AXES_MM = np.array([70.0, 92.0, 105.0])
NOSE_MM = np.array([0.0, 96.0, -25.0])  # middle of a sphere that sticks out in front


def egg(affine: np.ndarray, shape: tuple[int, int, int], *, nose: bool = True, noise: float = 0.0) -> Image:
    """An ellipsoid round the origin of the world with partial volume at its surface, about 0 to 1000."""
    ijk = np.indices(shape, dtype=np.float64).reshape(3, -1)
    world = affine[:3, :3] @ ijk + affine[:3, 3:]
    inside = _distance(world)
    if nose:
        inside = np.maximum(inside, 14.0 - np.linalg.norm(world - NOSE_MM[:, None], axis=0))
    voxel = float(np.cbrt(abs(np.linalg.det(affine[:3, :3]))))
    values = np.clip(0.5 + inside / voxel, 0, 1) * 1000.0
    values += np.abs(np.random.default_rng(0).normal(0, noise, values.shape)) if noise else 0.0
    return Image(np.rint(values).astype(np.int16).reshape(shape), affine)


def _distance(world: np.ndarray) -> np.ndarray:
    """Distance to the ellipsoid, mm, positive inside; exact to first order near the surface."""
    unit = np.linalg.norm(world / HALF_AXES_MM[:, None], axis=0)
    slope = np.linalg.norm(world / HALF_AXES_MM[:, None] ** 2, axis=0)
    return -unit * (unit - 1) / np.maximum(slope, 1e-6)


def surface_error_mm(vertices: np.ndarray) -> np.ndarray:
    """(V,) signed distance of vertices to the ellipsoid; positive outside."""
    return -_distance(np.asarray(vertices, dtype=np.float64).T)


def box(
    spacing_mm: tuple[float, float, float], margin_mm: float = 24.0
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Affine and shape of an upright RAS grid round the egg."""
    half = HALF_AXES_MM + margin_mm
    shape = tuple(int(n) for n in np.ceil(2 * half / spacing_mm).astype(int) + 1)
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -half
    return affine, shape


def flipped(image: Image, axes: tuple[int, ...], order: tuple[int, int, int]) -> Image:
    """The same image stored with axes reversed and in another order; nothing moves in the world."""
    data, affine = image.data, np.array(image.affine)
    for axis in axes:
        data = np.flip(data, axis)
        affine[:3, 3] += affine[:3, axis] * (data.shape[axis] - 1)
        affine[:3, axis] *= -1
    affine[:3, :3] = affine[:3, list(order)]
    return Image(np.ascontiguousarray(data.transpose(order)), affine)


def turn(pitch_deg: float, yaw_deg: float) -> np.ndarray:
    """(4, 4) rotation about x, then z."""
    a, b = np.radians(pitch_deg), np.radians(yaw_deg)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    out = np.eye(4)
    out[:3, :3] = about_z @ about_x
    return out


def corners(shape: tuple[int, ...]) -> np.ndarray:
    """(8, 3) corner voxels of a grid."""
    return np.array(list(product(*((0, n - 1) for n in shape))), dtype=np.float64)
