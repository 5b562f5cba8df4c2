"""Sculpt: a field from a person's skin, eyes shut as in a scan or open as in a photograph, smiling or not.

The mesh of a face basis has its eyes open over eyeballs of their own. In a photograph the eyeballs are put
into the openings; in a scan a lid of a millimetre covers them, with the line between the lids where they
meet. Below the neck, where the model ends, the shoulders of a sculpted head go on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.basis.anatomy import OUT, Anatomy
from medveil.simulate.basis.mesh_field import MeshField
from medveil.simulate.basis.surface import Surface
from medveil.simulate.features.block import shoulders
from medveil.simulate.features.eyes import SHUT_BELOW
from medveil.simulate.features.geometry import SIDES, Curve, Geometry, LidEdges
from medveil.simulate.field import Field, Grid, Vector, ellipsoid, logistic, moved, round_cone, sphere

Array = npt.NDArray[Any]

LID_MM = 1.3
SEAL_MM, SEAL_BEHIND_MM = 2.0, 1.5
"""Lips are shut from so far behind their line on; the gap between them is thinner than a voxel."""
SMILE_WIDTH_MM, CHEEK_WIDTH_MM = 13.0, 17.0
"""How far round a corner of the mouth, and round the middle of a cheek, a smile moves the skin."""


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class BasisGeometry(Geometry):
    """A person from a face basis with an expression; every curve is read off the mesh.

    Args:
        anatomy: the person's skin at rest.
    """

    anatomy: Anatomy

    @property
    def eye_radius_mm(self) -> float:
        """Radius of the model's eyeballs."""
        return self.anatomy.eye_radius_mm

    @property
    def profile(self) -> Curve:  # type: ignore[override]
        """Mid-line of the face from the side, without nose and lips: y in mm at a height z."""
        return self.anatomy.profile

    @property
    def nostril(self) -> tuple[float, float, float]:
        """Half distance of the nostrils, their y, and a z 7 mm above them, mm."""
        mark = self.anatomy.landmarks
        apart = float(mark[[31, 32], 0].mean() - mark[[34, 35], 0].mean()) / 2
        return apart, float(mark[[32, 34], 1].mean()), float(mark[[32, 34], 2].mean()) + 10.0

    @cached_property
    def _slits(self) -> list[tuple[Array, Array, Array]]:
        """Of each eye: u outward from the middle of the slit, and the heights of upper and lower lid there."""
        return [_slit(rim, side) for rim, side in zip(self.anatomy.rims, SIDES, strict=True)]

    def lid_heights(self, x: Array, index: int) -> tuple[Array, Array, Array]:
        """Heights z in mm of the lids' edges at x, open as the expression has them, and 1 - (u / half)^2."""
        u, upper, lower = self._slits[index]
        middle, half = (u[0] + u[-1]) / 2, (u[-1] - u[0]) / 2
        along = x * SIDES[index]
        return (
            np.interp(along, u, upper),
            np.interp(along, u, lower),
            1 - ((along - middle) / half) ** 2,
        )

    def lid_edges(self, v: Array, index: int) -> LidEdges:
        """Where points (V, 3) mm lie against the lids of one eye."""
        upper, lower, q = self.lid_heights(v[:, 0], index)
        return LidEdges(v[:, 2] - upper, lower - v[:, 2], q)

    def moved(self, skin: Array) -> Array:
        """The skin (S, 3) with today's smile: corners out and up, cheeks raised."""
        smile, mark = self.expression.smile, self.anatomy.landmarks
        if smile == 0.0:
            return skin
        out = skin.copy()
        half = 0.5 * float(mark[48, 0] - mark[54, 0])
        for side, corner, eye in ((1.0, mark[48], self.eyes[1]), (-1.0, mark[54], self.eyes[0])):
            near = np.exp(-(((skin - corner) / SMILE_WIDTH_MM) ** 2).sum(axis=1) / 2)
            out += smile * near[:, None] * np.array([0.05 * half * side, -0.6, 2.4])
            cheek = np.array([corner[0] + 14 * side, corner[1] - 8, 0.5 * (corner[2] + eye[2]) - 8])
            near = np.exp(-(((skin - cheek) / CHEEK_WIDTH_MM) ** 2).sum(axis=1) / 2)
            out += smile * near[:, None] * np.array([0.0, 0.8, 0.5])
        return out


def _slit(rim: Array, side: float) -> tuple[Array, Array, Array]:
    """The rim (R, 3) of one eye as two curves over u = side * x, from the inner to the outer corner."""
    u, z = rim[:, 0] * side, rim[:, 2]
    inner, outer = int(np.argmin(u)), int(np.argmax(u))
    order = np.roll(np.arange(len(rim)), -inner)
    split = int(np.flatnonzero(order == outer)[0])
    one, two = order[: split + 1], np.r_[order[split:], inner][::-1]
    at = np.linspace(u[inner], u[outer], 41)
    first, second = (np.interp(at, np.maximum.accumulate(u[k]), z[k]) for k in (one, two))
    upper, lower = (first, second) if first.mean() > second.mean() else (second, first)
    return at, upper, np.minimum(lower, upper)


def sculpt(field: Field, g: BasisGeometry, surface: Surface, *, mirrored: bool) -> Grid:
    """Fill a field with a head; returns the field without the ears."""

    def write(into: Field, skin: Array) -> None:
        points, normals, near = surface.points(g.moved(skin) * OUT if mirrored else g.moved(skin))
        if mirrored:
            points, normals = points * OUT, normals * OUT
        MeshField(points, normals, 0.6 * near).write(into)
        _eyes(into, g)
        _seal(into, g)
        if float(into.axes[2][0]) < -200.0:
            shoulders(into, g)

    write(field, g.anatomy.skin)
    earless = Field.around(field.phi.copy(), field.axes)
    _press_ears(earless, g, surface, mirrored=mirrored)
    return earless.phi


def _press_ears(field: Field, g: BasisGeometry, surface: Surface, *, mirrored: bool) -> None:
    """Overwrite the field around the ears by that of the head without them."""
    a = g.anatomy
    skin = g.moved(a.earless) * OUT if mirrored else g.moved(a.earless)
    points, normals, near = surface.points(skin)
    if mirrored:
        points, normals = points * OUT, normals * OUT
    solid = MeshField(points, normals, 0.6 * near)
    for side in SIDES:
        ear = a.skin[surface.ears]
        ear = ear[ear[:, 0] * side > 0]
        lo, hi = ear.min(axis=0) - 4.0, ear.max(axis=0) + 4.0
        where = field.box(lo, hi)
        axes = tuple(axis[s] for axis, s in zip(field.axes, where, strict=True))
        part = Field.around(np.zeros(tuple(len(axis) for axis in axes), np.float32), axes)  # type: ignore[arg-type]
        solid.write(part)
        # The head without ears is nowhere larger: at the edge of the box the two fields meet.
        field.phi[where] = np.maximum(field.phi[where], part.phi)


def _seal(field: Field, g: BasisGeometry) -> None:
    """Close the gap between the lips, all but a groove: sampled by voxels, it would be a row of holes."""
    m = g.moved(g.anatomy.landmarks)
    line = [m[60], m[[61, 67]].mean(axis=0), m[[62, 66]].mean(axis=0), m[[63, 65]].mean(axis=0), m[64]]
    knots = [moved(point, y=-SEAL_BEHIND_MM) for point in line]
    for a, b in pairwise(knots):
        field.union(round_cone(a, b, SEAL_MM, SEAL_MM), 1.0)


def _eyes(field: Field, g: BasisGeometry) -> None:
    """Eyeballs between open lids, or shut lids over them."""
    for index, (side, c) in enumerate(zip(SIDES, g.eyes, strict=True)):
        if g.eye_opening >= SHUT_BELOW:
            field.union(sphere(c, g.eye_radius_mm), 0.4)
            inner = g.anatomy.rims[index][int(np.argmin(g.anatomy.rims[index][:, 0] * side))]
            field.union(ellipsoid(moved(inner, side * 1.2, -0.8), (2.2, 1.8, 1.6)), 1.0)  # the caruncle
            continue
        field.union(sphere(c, g.eye_radius_mm + LID_MM), 2.5)

        def slit(x: Grid, y: Grid, z: Grid, index: int = index, c: Vector = c) -> Grid:
            upper, lower, q = g.lid_heights(x, index)
            line = 0.75 * lower + 0.25 * upper  # the upper lid comes down to the lower one
            out: Grid = 0.8 * np.exp(-(((z - line) / 1.0) ** 2)) * np.clip(3 * q, 0, 1)
            return out * logistic((y - c[1] - 6) / 2)

        field.displace(moved(c, -20, -2, -14), moved(c, 20, 30, 14), slit)
