"""Relief of the upper and middle face: brow ridge, cheekbones, cheeks, temples, eye sockets."""

from __future__ import annotations

import numpy as np

from medveil.simulate.features.geometry import SIDES, Geometry
from medveil.simulate.field import Field, ellipsoid, rotation, round_cone


def brow_ridge(field: Field, g: Geometry) -> None:
    """Three round cones per side: root of the nose, over the eye, round its outer corner to the cheek."""
    p = g.p
    ridge, z = p["brow_r"], p["brow_z"]
    r = 0.3 * ridge
    for side in SIDES:
        inner = (side * 9, 91.5 + p["glab"] + 0.4 * ridge, z - 1)
        middle = (side * 33, 87 + 0.6 * ridge, z + 2)
        outer = (side * 53, 69 + 0.3 * ridge, z - 8)
        field.union(round_cone(inner, middle, 6.2 + r, 5.2 + r), 9)
        field.union(round_cone(middle, outer, 5.2 + r, 5.0), 13)
        cheek = (side * 51, 62 + 0.5 * p["zyg_p"], p["zyg_z"] + 10)
        field.union(round_cone(outer, cheek, 4.5, 6.0), 18)


def cheekbones(field: Field, g: Geometry) -> None:
    """Zygoma, its arch to the ear, the chewing muscle and the cheek; then the hollows between them.

    Arch and muscle fill the face behind the cheek. Without them a crease runs from the ear to the jaw.
    """
    p = g.p
    for i, side in enumerate(SIDES):
        x = p["zyg_x"] + g.person.sides.zygoma_x[i]
        bone = (side * x, 58 + p["zyg_p"] + 0.5 * p["mid_y"], p["zyg_z"])
        field.union(ellipsoid(bone, (20, 18, 14), rotation(2, side * 0.6)), 20)
        front = (side * (x + 7), 44, p["zyg_z"] + 1)
        ear = (side * (p["mid_w"] - 4), 4, p["zyg_z"] + 8)
        field.union(round_cone(front, ear, 10, 7), 16)
        angle = (side * (p["jaw_w"] - 8), 16, max(p["gon_z"], g.levels["chin_z"] + 12) + 10)
        field.union(round_cone((side * (x + 2), 42, p["zyg_z"] - 10), angle, 14, 13), 20)
        cheek = (side * (36 + 0.2 * p["cheek"]), 58 + 0.9 * p["cheek"] + 0.4 * p["mid_y"], -50)
        field.union(ellipsoid(cheek, (20, 20, 24)), 24)
        field.bump((side * 50, 58, -60), (14, 24, 16), -(0.6 + p["hollow"]))
        field.bump((side * 68, 55, 22), (14, 20, 18), -p["temple"])


def sockets(field: Field, g: Geometry) -> None:
    """The hollow that each eye lies in, and the bag under it."""
    p = g.p
    for side, c in zip(SIDES, g.eyes, strict=True):
        hollow = (c[0], c[1] + 22 - p["sock_d"], c[2] - 0.5)
        field.subtract(ellipsoid(hollow, (16.5, 17, p["sock_h"]), rotation(2, side * 0.25)), 13)


def bags(field: Field, g: Geometry) -> None:
    """Fullness under each eye, with the groove below it."""
    bag = g.p["bag"]
    for c in g.eyes:
        at = np.array([c[0], 84.0, c[2] - 13])
        field.bump(at, (12, 40, 4), bag)
        field.bump(at - [0, 0, 5.5], (13, 40, 3), -0.35 * bag)
