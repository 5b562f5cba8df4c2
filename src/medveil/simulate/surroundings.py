"""Surroundings: what a scan shows that is not the person: a filling in a tooth, the couch of a CT."""

from __future__ import annotations

import numpy as np

from medveil.simulate.field import Grid, Vector, logistic
from medveil.simulate.head import Head
from medveil.simulate.placing import skin_mm
from medveil.simulate.scanner import Scanner
from medveil.simulate.tissues import EPI, Contrast

FILLING_MM = 3.5
"""Radius of the metal itself."""
METAL_HU, SHELL_HU, COUCH_HU = 3071.0, 40.0, -120.0
STREAK_HU, STREAKS = 1400.0, 7
SUSCEPTIBLE: tuple[Contrast, ...] = ("T2starw", *EPI)
"""Contrasts without a refocusing pulse to undo what metal does to the field: half as much again is lost."""


def with_metal(seen: tuple[Grid, ...], scanner: Scanner, head: Head, to_head: Vector) -> tuple[Grid, ...]:
    """The harm that a filling in a lower molar does.

    Args:
        seen: (I, J, K) volumes on the scan's grid.
        head: whose tooth.
        to_head: (4, 4) voxel index to head mm.
    """
    bite = head.levels["sto_z"] + 1.0
    wide = 0.45 * head.person.shape["jaw_w"] + 3.0
    tooth = np.array([-0.9 * wide, float(head.profile(bite)) - 33.0, bite - 3.0])
    x, y, z = (a - np.float32(c) for a, c in zip(_coordinates(seen[0].shape, to_head), tooth, strict=True))
    far = np.sqrt(x * x + y * y + z * z)
    radius = scanner.metal_mm
    if scanner.contrast == "CT":
        inside = far < FILLING_MM
        flat = np.exp(-((z / (FILLING_MM + 1.0)) ** 2))  # streaks lie in the slices that hold the metal
        streak = np.cos(STREAKS * np.arctan2(y, x)) * np.exp(-np.hypot(x, y) / radius) * flat
        return tuple(np.where(inside, METAL_HU, s + STREAK_HU * streak).astype(np.float32) for s in seen)
    if scanner.contrast in SUSCEPTIBLE:
        radius *= 1.5
    kept = logistic((far - radius) / 1.2)
    rim = 1 + 1.3 * np.exp(-(((far - 1.18 * radius) / (0.14 * radius + 0.5)) ** 2))
    return tuple((s * kept * rim).astype(np.float32) for s in seen)


def with_table(seen: Grid, head: Head, pose: Vector, affine: Vector) -> Grid:
    """A CT with the curved head rest behind the head and the couch behind that.

    Args:
        seen: (I, J, K) Hounsfield units.
        pose: (4, 4) head mm to scanner mm; the couch keeps to the scanner's axes.
        affine: (4, 4) voxel index to scanner mm.
    """
    skin = skin_mm(head) @ pose[:3, :3].T + pose[:3, 3]
    back, mid_x = float(skin[:, 1].min()), float(pose[0, 3])
    low = float(skin[:, 2].min())
    x, y, z = _coordinates(seen.shape, affine)
    across = np.hypot(x - mid_x, y - (back + 104.0)) - 108.0
    shell = (np.abs(across) < 2.0) & (y < back + 60.0) & (z > low + 30.0)
    couch = (np.abs(y - (back - 22.0)) < 2.5) & (np.abs(x - mid_x) < 200.0)
    out = np.where(couch, np.maximum(seen, COUCH_HU), seen)
    out = np.where(shell, np.maximum(out, SHELL_HU), out)
    return out.astype(np.float32)


def _coordinates(shape: tuple[int, ...], affine: Vector) -> tuple[Grid, Grid, Grid]:
    """x, y, z in mm of every voxel, (I, J, K) each."""
    i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
    m = affine.astype(np.float32)
    x, y, z = (m[r, 0] * i + m[r, 1] * j + m[r, 2] * k + m[r, 3] for r in range(3))
    return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32)
