"""Ears: helix, plate, antihelix, concha, lobe and tragus in a frame of their own."""

from __future__ import annotations

import numpy as np

from medveil.simulate.features.geometry import SIDES, Geometry
from medveil.simulate.field import (
    Field,
    Grid,
    Shape,
    Vector,
    logistic,
    moved,
    rotation,
    smooth_max,
    smooth_min,
)


def _frame(g: Geometry, index: int) -> tuple[Vector, Vector]:
    """Centre of the ear, mm, and the rotation from its frame (outward, forward, up) to the head's."""
    p, side = g.p, SIDES[index]
    turn = rotation(0, np.radians(p["ear_tilt"])) @ rotation(2, np.radians(side * p["ear_out"]))
    x = float(g.half_width(p["ear_z"])) + 3.0
    root = np.array([side * x, p["ear_y"], p["ear_z"] + g.person.sides.ear_z[index]])
    return moved(root, side * 4.5) + turn @ np.array([0.0, -0.75 * p["ear_w"], 0.0]), turn


def ears(field: Field, g: Geometry) -> None:
    """Both ears, joined to the head over 4.5 mm."""
    p = g.p
    long_half, wide_half = p["ear_l"], p["ear_w"]
    for i, side in enumerate(SIDES):
        centre, turn = _frame(g, i)
        c, to_ear = centre.astype(np.float32), turn.T.astype(np.float32)

        def distance(x: Grid, y: Grid, z: Grid, c: Grid = c, m: Grid = to_ear, side: float = side) -> Grid:
            dx, dy, dz = x - c[0], y - c[1], z - c[2]
            u = (m[0, 0] * dx + m[0, 1] * dy + m[0, 2] * dz) * np.float32(side)
            v = m[1, 0] * dx + m[1, 1] * dy + m[1, 2] * dz
            w = m[2, 0] * dx + m[2, 1] * dy + m[2, 2] * dz
            taper = 0.06 * np.clip(w / long_half, 0, 1) - 0.16 * np.clip(-w / long_half, 0, 1.2)
            wide = wide_half * (1 + taper)
            r = np.sqrt((v / wide) ** 2 + (w / long_half) ** 2)
            thick = 0.75 + 0.25 * logistic((w + 0.35 * long_half) / 3) - 0.25 * logistic((v - 6) / 3)
            helix = np.hypot((r - 1) * wide * 0.92, u - 1.0) - p["helix"] * thick
            inner = np.sqrt(((v - 1) / (0.62 * wide)) ** 2 + ((w + 1) / (0.62 * long_half)) ** 2)
            antihelix = np.hypot((inner - 1) * wide * 0.6, u - 0.3) - 2.3
            antihelix = smooth_max(antihelix, v - 5.0, 3)
            plate = smooth_max((r - 1) * wide * 0.9, np.abs(u + 2.2 - 1.5 * r) - 1.6, 2)
            lobe = np.sqrt((v - 3) ** 2 + (w + 0.86 * long_half) ** 2 + (1.7 * u) ** 2) - p["lobe"]
            concha = np.sqrt(((v - 4) / 6.5) ** 2 + ((w + 3.5) / 8.5) ** 2 + ((u - 3.5) / 5.5) ** 2)
            ear = smooth_min(smooth_min(smooth_min(helix, plate, 2.5), antihelix, 2.5), lobe, 3.5)
            ear = smooth_max(ear, -(concha - 1) * 6.2, 3.0)
            tragus = np.sqrt((v - 11) ** 2 + 0.45 * (w + 4.5) ** 2 + (u - 1.2) ** 2) - 3.0
            return smooth_min(ear, tragus, 2).astype(np.float32)

        half = np.abs(turn) @ np.array([8.0, 1.06 * wide_half + 6, long_half + 11])
        field.union(Shape(centre - half, centre + half, distance), 4.5)
