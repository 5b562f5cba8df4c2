"""Wrinkles: fine relief of age, as bent normals. The grid is too coarse to carve folds of a millimetre.

Lines across the forehead, frown lines, crow's feet and the fold under the eye, all with depth
`Looks.wrinkles`. Frame: head coordinates, RAS+ mm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.grain import grain
from medveil.simulate.head import Head
from medveil.simulate.looks import Looks

Array = npt.NDArray[Any]

STEP_MM = 0.5
LOWEST_MM = -24.0  # there are no lines below the cheekbones


def depth(x: Array, z: Array, head: Head, looks: Looks) -> Array:
    """Depth in mm (positive: a furrow) at points of the face seen from the front."""
    p = head.geometry.p
    phase = 2 * np.pi * looks.grains[12]
    raised = 1 + 0.3 * np.clip(head.expression.brow_dz_mm, 0, 2)
    out = np.zeros_like(x)
    for k in range(4):
        line = p["brow_z"] + 9 + 9 * k + 1.6 * np.sin(0.09 * x + phase[k % 3]) + 1.2 * np.cos(0.05 * x)
        reach = np.exp(-(((np.abs(x) - 4 * k) / (34 - 3 * k)) ** 4))
        out += 0.55 * raised * reach * np.exp(-(((z - line) / 1.5) ** 2))
    for side, centre in zip((-1, 1), head.eye_centres, strict=True):
        frown = np.exp(-(((side * x - 6 - 0.08 * (z - 12)) / 1.5) ** 2) - ((z - 12) / 8) ** 2)
        out += 0.5 * looks.grains[13, 0] * frown
        u = (x - centre[0]) * side - p["fiss_w"] / 2 - 1
        w = z - centre[2]
        fan = np.cos(9 * np.arctan2(w, u + 5) + phase[1])
        near = np.exp(-(((u - 7) / 6) ** 2) - (w / 9) ** 2) * (u > -1)
        out += (0.45 + 0.35 * np.clip(head.expression.smile, 0, 1)) * near * np.clip(fan, 0, 1) ** 2
        along = (x - centre[0]) / 13
        under = centre[2] - 12.5 + 3.5 * along**2
        out += 0.5 * np.exp(-(((z - under) / 1.4) ** 2)) * np.exp(-(along**4))
    return np.asarray(looks.wrinkles * out)


def wrinkled(vertices_mm: Array, normals: Array, skin: Array, head: Head, looks: Looks) -> Array:
    """(V, 3) unit normals bent by wrinkles and by the pores of the skin.

    Args:
        skin: (V,) 0..1, where the surface is skin; elsewhere normals stay.
    """
    out = normals.astype(np.float64)
    here = (skin > 0.5) & (vertices_mm[:, 1] > 40)
    v = vertices_mm[here].astype(np.float64)
    across, upward = np.zeros(len(v)), np.zeros(len(v))
    if looks.wrinkles > 0.03:
        lined = v[:, 2] > LOWEST_MM
        x, z = v[lined, 0], v[lined, 2]
        across[lined] = depth(x + STEP_MM, z, head, looks) - depth(x - STEP_MM, z, head, looks)
        upward[lined] = depth(x, z + STEP_MM, head, looks) - depth(x, z - STEP_MM, head, looks)
    pores = 0.035 * grain(v, 1.6, looks.grains[14])
    bend = np.stack([across + pores, np.zeros(len(v)), upward + pores], axis=1) / (2 * STEP_MM)
    # The skin at depth d(x, z) is y = y0 - d: its normal leans the way the depth grows.
    bent = out[here] + 0.8 * bend
    out[here] = bent / np.linalg.norm(bent, axis=1, keepdims=True)
    return out
