"""The mouth and what surrounds it, as one displacement of the face block: lips, philtrum, folds."""

from __future__ import annotations

import numpy as np

from medveil.simulate.features.geometry import SIDES, Geometry
from medveil.simulate.field import Field, Grid, logistic


def lips(field: Field, g: Geometry) -> None:
    """Both lips, the line between them, the dimples of the corners, philtrum, chin fold and cleft."""
    p, at = g.p, g.levels
    sto, mouth_x, half = at["sto_z"], g.person.sides.mouth_x, p["mouth_w"]

    def formula(x: Grid, y: Grid, z: Grid) -> Grid:
        mouth = g.lip(x, z)
        x = x - np.float32(mouth_x)
        from_line = z - mouth.line_z
        line = 2.0 * np.exp(-((from_line / 1.2) ** 2)) * np.clip(1.12 - (np.abs(x) / half) ** 4, 0, 1)
        ridges = np.exp(-((x / 2.6) ** 2)) - 0.3 * np.exp(-(((np.abs(x) - 5) / 2.4) ** 2))
        between = logistic((z - (sto + p["lipU"] + 0.3)) / 1.2) * logistic((at["sub_z"] - 1.5 - z) / 1.2)
        fold_z = sto - p["lipL"] - 6.5 + 0.004 * x * x
        fold = p["ml_d"] * np.exp(-(((z - fold_z) / 3.6) ** 2) - (x / 19) ** 2)
        cleft = p["cleft"] * np.exp(-((x / 2.5) ** 2) - ((z - at["chin_z"]) / 7) ** 2)
        corner = 1.6 * np.exp(-(((np.abs(x) - half - 1.5) / 3) ** 2) - (from_line / 4) ** 2)
        dent = line + p["phil_d"] * ridges * between + fold + cleft + corner - mouth.out_mm
        out: Grid = dent * logistic((y - 66) / 3)
        return out

    field.displace((-48, 48, at["ment_z"] - 12), (48, 130, at["sub_z"] + 12), formula)


def nasolabial_folds(field: Field, g: Geometry) -> None:
    """The fold from each wing of the nose to the corner of the mouth, with the cheek's bulge outside it."""
    p, sto = g.p, g.levels["sto_z"]
    ala_w, ala_z = p["ala_w"], g.ala_centre[1]
    for side in SIDES:

        def formula(x: Grid, y: Grid, z: Grid, side: float = side) -> Grid:
            t = np.clip((ala_z + 2 - z) / (ala_z - sto + 4), 0, 1)
            middle = ala_w + 2 + t * (p["mouth_w"] + 3 - ala_w) + 2 * np.sin(np.pi * t)
            ends = logistic((ala_z + 6 - z) / 2) * logistic((z - sto + 4) / 3)
            off = side * x - middle
            relief = np.exp(-((off / 3.8) ** 2)) - 0.8 * np.exp(-(((off - 8) / 6.5) ** 2))
            out: Grid = p["nlf"] * ends * relief * logistic((y - 55) / 4)
            return out

        xs = sorted((0.0, side * 66.0))
        field.displace((xs[0], 35, sto - 20), (xs[1], 130, ala_z + 20), formula)
