"""The nose: bridge, side walls, tip, wings, columella, nostrils.

Nothing here may reach below the nose's base (`sub_z`): nostrils or wings that do eat the upper lip and
print a moustache.
"""

from __future__ import annotations

import numpy as np

from medveil.simulate.features.geometry import SIDES, Geometry
from medveil.simulate.field import Field, Grid, ellipsoid, logistic, moved, rotation, round_cone, sphere


def bridge(field: Field, g: Geometry) -> None:
    """Root to tip in two cones, so that a hump or a saddle fits between, and the side walls."""
    p, tip = g.p, g.nose_tip
    w, root_y, root_z = p["bridge_w"], p["sell_y"], p["sell_z"]
    middle_y = 0.45 * tip[1] + 0.55 * (root_y - w) + 1.5 + 1.3 * p["dorsum"]
    middle = np.array([0.4 * tip[0], middle_y, (tip[2] + root_z) / 2])
    field.union(round_cone((0, root_y - w + 0.5, root_z + 3), middle, w - 1.2, w), 8)
    field.union(round_cone(middle, tip, w, p["tip_r"] - 0.4), 7)
    low = (0.5 * tip[0], tip[1] - 10, tip[2] + 1)
    field.union(round_cone((0, root_y - 8, root_z - 10), low, 9, p["ala_w"] - 3), 9)


def tip(field: Field, g: Geometry) -> None:
    """Two domes side by side, and the columella from them down to the lip."""
    p, t = g.p, g.nose_tip
    for side in SIDES:
        field.union(sphere(moved(t, side * 3.0, 0.6), p["tip_r"] - 2.2), 4)
    top = (t[0], t[1] + 0.5, t[2] - 0.45 * p["tip_r"] - 0.5 * p["col_dz"])
    base = (0.5 * t[0], g.ala_centre[0] - 4, g.levels["sub_z"] + 3.2)
    field.union(round_cone(top, base, 3.2, 4.0), 4)


def wings(field: Field, g: Geometry) -> None:
    """The alae, the nostrils under them, and the groove around them."""
    p, t = g.p, g.nose_tip
    y, z = g.ala_centre
    half, r = p["ala_w"], p["ala_r"]
    drift = 0.6 * t[0]
    for side in SIDES:
        centre = (drift + side * (half - r), y, z - 1)
        field.union(ellipsoid(centre, (r, 9.5, r + 1.2), rotation(2, side * 0.35)), 4)
    for side in SIDES:
        low = max(z - 5.7, g.levels["sub_z"] + 3.4)
        turned = rotation(2, side * 0.45) @ rotation(0, 0.35)
        hole = (drift + side * (3.6 + 0.22 * half), y + 1.5, low)
        field.subtract(ellipsoid(hole, (p["nost"], 5.0, 3.8), turned), 1.5)

        def groove(x: Grid, yy: Grid, zz: Grid, x0: float = drift + side * (half + 1.6)) -> Grid:
            ring = np.exp(-(((x - x0) / 1.6) ** 2) - ((zz - z + 1) / 6.5) ** 2)
            return np.asarray(0.9 * ring * logistic((yy - 75) / 3), np.float32)

        x0 = drift + side * (half + 1.6)
        field.displace((x0 - 5, 60, z - 19), (x0 + 5, 125, z + 17), groove)
    # Between groove and nostril a crumb of a narrow wing may come loose.
    field.drop_specks((-30, 70, z - 22), (30, 136, z + 14))
