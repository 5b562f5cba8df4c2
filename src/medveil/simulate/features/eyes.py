"""Eyelids and eyeballs, shut as in a scan or open as in a photograph."""

from __future__ import annotations

import numpy as np

from medveil.simulate.features.geometry import EYE_RADIUS_MM, LOWER, SIDES, UPPER, Geometry
from medveil.simulate.field import Field, Grid, Shape, ellipsoid, logistic, moved, smooth_max, sphere

SHUT_BELOW = 0.15
"""Lids less open than this are drawn shut."""


class _Lids:
    """One eye in its own coordinates: u outward along the slit, v up, both mm."""

    def __init__(self, g: Geometry, index: int) -> None:
        self.p, self.centre, self.side = g.p, g.eyes[index], SIDES[index]
        angle = np.radians(self.p["cant"])
        self.cos, self.sin = float(np.cos(angle)), float(np.sin(angle))
        self.half = self.p["fiss_w"] / 2
        self.open = g.eye_opening >= SHUT_BELOW
        self.upper = g.eye_opening * UPPER * self.p["fiss_h"] if self.open else -2.6
        self.lower = g.eye_opening * LOWER * self.p["fiss_h"] if self.open else 2.6

    def uv(self, x: Grid, z: Grid) -> tuple[Grid, Grid]:
        dx, dz = (x - self.centre[0]) * self.side, z - self.centre[2]
        return dx * self.cos + dz * self.sin, -dx * self.sin + dz * self.cos

    def folds(self, x: Grid, y: Grid, z: Grid) -> Grid:
        """Crease and fold of the upper lid, line under the lower lid."""
        u, v = self.uv(x, z)
        fade = np.exp(-((u / (1.05 * self.half)) ** 4)) * logistic((y - 70) / 2)
        arc = 1 - 0.75 * np.minimum((u / self.half) ** 2, 1.3)
        rise = max(self.upper, 1.5) + self.p["crease"]
        crease = 1.15 * np.exp(-(((v - rise * arc) / 1.2) ** 2))
        fold = (0.5 + 0.6 * self.p["lid_full"]) * np.exp(-(((v - (rise + 4) * arc) / 2.4) ** 2))
        below = 0.5 * np.exp(-(((v + (abs(self.lower) + 3.6) * arc) / 1.5) ** 2))
        out: Grid = fade * (crease - fold + below) * (1.0 if self.open else 0.6)
        return out

    def slit(self, x: Grid, y: Grid, z: Grid) -> Grid:
        """The line between shut lids."""
        u, v = self.uv(x, z)
        q = np.maximum(1 - (u / self.half) ** 2, 0)
        line = 0.9 * np.exp(-(((v + 2.6 * q) / 0.9) ** 2)) * np.exp(-((u / self.half) ** 8))
        out: Grid = line * logistic((y - 76) / 2)
        return out

    def opening(self, x: Grid, y: Grid, z: Grid) -> Grid:
        """A lens between the lids, carved only in front of the eyeball's centre."""
        u, v = self.uv(x, z)
        q = 1 - (u / self.half) ** 2
        upper = self.upper * np.sign(q) * np.abs(q) ** 0.8 + 0.03 * u * q
        lens = 0.85 * np.maximum(v - upper, -self.lower * q - v)
        lens = np.broadcast_to(lens, np.broadcast_shapes(lens.shape, y.shape))
        return smooth_max(lens, self.centre[1] + 3 - y, 1e-3).astype(np.float32)


def eyes(field: Field, g: Geometry) -> None:
    """Lid mounds, creases, the opening or the slit, and the eyeballs in it."""
    r = EYE_RADIUS_MM
    for i, side in enumerate(SIDES):
        lids = _Lids(g, i)
        c = lids.centre
        field.union(ellipsoid(moved(c, y=0.2), (16.0, r + 2.0 + 0.4 * g.p["lid_full"], 11.8)), 6)
        field.displace((c[0] - 25, 58, c[2] - 24), (c[0] + 25, 112, c[2] + 26), lids.folds)
        if not lids.open:
            field.displace((c[0] - 21, 64, c[2] - 14), (c[0] + 21, 112, c[2] + 14), lids.slit)
        else:
            lens = Shape(moved(c, -18, 3, -12), moved(c, 18, 26, 12), lids.opening)
            field.subtract(lens, 0.9)
        field.union(sphere(c, r), 0.4 if lids.open else 4.0)
        if lids.open:
            along = lids.half - 1.5
            bead = moved(c, -side * along * lids.cos, 9.0, -lids.sin * along)
            field.union(ellipsoid(bead, (2.6, 2.2, 2.0)), 1.2)  # the caruncle at the inner corner
