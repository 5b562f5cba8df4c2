"""The large masses: cranium, the block of the face with its jaw line, neck and shoulders."""

from __future__ import annotations

import numpy as np

from medveil.simulate.features.geometry import Geometry
from medveil.simulate.field import Field, Grid, Shape, ellipsoid, round_cone, smooth_max

FACE_REAR_MM = 70.0
"""How far the face block reaches behind its middle, into the cranium."""


def cranium(field: Field, g: Geometry) -> None:
    """An egg: an ellipsoid with a second one for the back of the head."""
    p = g.p
    field.fill(ellipsoid((0, 2, p["cr_zc"]), (p["cr_w"], p["cr_l"], p["cr_h"])))
    occ = 0.5 * p["occ"]
    field.union(ellipsoid((0, -42 - occ, 18), (64, 56 + occ, 58)), 30)


def face_block(field: Field, g: Geometry) -> None:
    """A loft of superellipses along z, cut by the plane of the lower jaw.

    The plane runs from the edge of the chin to the jaw's angle. Without it the head is a thumb.
    """
    p, at = g.p, g.levels
    chin = np.array([84 + p["chin_p"], at["ment_z"] - 2])
    angle = np.array([6.0, p["gon_z"] - 6])
    along = angle - chin
    normal = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    normal = (normal * np.sign(-normal[1])).astype(np.float32)  # points down, out of the jaw

    def distance(x: Grid, y: Grid, z: Grid) -> Grid:
        w = np.maximum(g.half_width(z), 8).astype(np.float32)
        y0 = g.middle(z).astype(np.float32)
        q = g.section(z).astype(np.float32)
        depth = np.maximum(g.profile(z), 20).astype(np.float32) - y0
        forward = np.where(y > y0, (y - y0) / depth, (y0 - y) / np.float32(FACE_REAR_MM))
        across, rear = np.abs(x / w), np.where(y > y0, depth, np.float32(FACE_REAR_MM))
        power_sum = across**q + forward**q + np.float32(1e-9)
        radius = power_sum ** (1 / q)
        # (radius - 1) over the length of its gradient is millimetres to first order; without it, lips and
        # folds added as displacements would come out nearly twice as large as asked for.
        slope2 = (across ** (q - 1) / w) ** 2 + (forward ** (q - 1) / rear) ** 2
        slope = radius / power_sum * np.sqrt(slope2)
        block = (radius - 1) / np.maximum(slope, 1 / np.float32(120))
        block = smooth_max(block, z - np.float32(62), 20)
        under = (y - np.float32(chin[0])) * normal[0] + (z - np.float32(chin[1])) * normal[1]
        return smooth_max(block, under, 15)

    field.union(Shape(np.array([-78, -66, at["ment_z"] - 22]), np.array([78, 112, 66]), distance), 16)


def chin(field: Field, g: Geometry) -> None:
    """The ball of the chin."""
    p = g.p
    wide = min(p["chin_w"], p["jaw_low"] - 18) + 3  # a chin wider than its jaw is a boulder
    field.union(ellipsoid((0, 73.5 + p["chin_p"], g.levels["chin_z"]), (wide, 18, 13)), 17)


def neck(field: Field, g: Geometry) -> None:
    """A leaning cone with a larynx, and the shoulders under it."""
    p = g.p
    y, r = p["neck_y"], p["neck_r"]
    field.union(round_cone((0, y + 8, -50), (0, y - 16, -230), r - 1, r + 4), 18)
    if p["adam"] > 0.3:
        field.union(ellipsoid((0, y + r - 6, -125), (9, 7 + p["adam"], 12)), 9)
    shoulders(field, g)


def shoulders(field: Field, g: Geometry) -> None:
    """A body wide enough for a field of view that reaches below the neck; the same for everybody."""
    field.union(ellipsoid((0, -26, -262), (185, 72, 85)), 40)
