"""Eye colours: iris, white, lashes and brows, laid on a canvas.

After shading, a face recogniser goes by these first. Frame: head coordinates, RAS+ mm; u runs outwards from
the middle of an eye, so left and right are painted alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.canvas import Canvas
from medveil.simulate.features.geometry import SIDES
from medveil.simulate.grain import grain, logistic
from medveil.simulate.hair import Hair
from medveil.simulate.head import Head
from medveil.simulate.looks import Looks

Array = npt.NDArray[Any]

PUPIL_MM, IRIS_MM = 2.1, 5.9
WHITE = np.array([0.90, 0.87, 0.85])


def paint_brows(canvas: Canvas, head: Head, hair: Hair, looks: Looks) -> None:
    """Brows: blunt at the nose, tapered outside, of strands that lean outwards."""
    x, y, z = canvas.v.T
    for side, centre in zip(SIDES, head.eye_centres, strict=True):
        u = (x - centre[0]) * side
        t = (u + 17) / 42  # 0 at the inner end, 1 at the outer
        middle = centre[2] + head.geometry.p["brow_z"] + 1.2 + looks.brow_lift_mm
        middle = middle + 1.4 * looks.brow_arch_mm * np.sin(np.pi * np.clip(t - 0.1, 0, 1))
        middle = middle - 6.0 * np.clip(t - 0.68, 0, 1)
        height = looks.brow_mm * np.clip(np.minimum((t + 0.04) / 0.14, (1.04 - t) / 0.5), 0, 1) ** 0.6
        inside = logistic((height - np.abs(z - middle)) / 0.55) * (t > -0.05) * (t < 1.05) * (y > 50)
        lean = np.stack([0.45 * u - 0.5 * z, y, 1.4 * z + 0.5 * u], axis=1)
        strands = np.clip(0.92 + 0.22 * grain(lean, 1.0, looks.grains[6]), 0, 1)
        canvas.lay(0.75 * np.array(hair.brow_colour), inside * strands * looks.brow_density)
        canvas.gloss *= 1 - 0.6 * inside


def paint_eyes(canvas: Canvas, head: Head, looks: Looks) -> None:
    """Shade of the sockets, eyeballs where the lids leave them free, lashes and the lids' rims."""
    x, y, z = canvas.v.T
    for index, centre in enumerate(head.eye_centres):
        front = y > centre[1] + 4
        below = np.exp(-(((x - centre[0]) / 13) ** 2) - ((z - centre[2] + 11) / 5) ** 2)
        above = np.exp(-(((x - centre[0]) / 17) ** 2) - ((z - centre[2] - 8) / 4.5) ** 2)
        canvas.darken(0.10 * (below + above) * (y > 60))

        over, under, q = head.geometry.lid_edges(canvas.v, index)
        away = np.linalg.norm(canvas.v - centre, axis=1) - head.eye_radius_mm
        ball = (np.abs(away) < 0.4) & front & (q > -0.05) & (over < 0.7) & (under < 0.7)
        canvas.colour[ball] = eyeball(canvas.v[ball], head, centre, looks)
        canvas.eye[ball], canvas.skin[ball] = 1, 0
        canvas.gloss[ball], canvas.shine[ball] = 0.9, 160.0
        canvas.darken(0.45 * np.clip(1 + over / 2.5, 0, 1) * ball)  # the upper lid's shadow

        lashes = np.exp(-((over - 0.5) ** 2)) * (q > -0.14) * front * ~ball
        rim = np.exp(-(((under - 0.5) / 0.8) ** 2)) * (q > -0.1) * front * ~ball
        canvas.darken(looks.lashes * lashes)
        canvas.darken(0.16 * rim)


def eyeball(v: Array, head: Head, centre: Array, looks: Looks) -> Array:
    """(V, 3) colours of points of an eyeball, by their angle to the gaze."""
    out = v - centre
    out = out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)
    right, up = head.expression.gaze
    ahead = np.array([np.sin(right), 1.0, np.sin(up)])
    r = np.arccos(np.clip(out @ (ahead / np.linalg.norm(ahead)), -1, 1)) * head.eye_radius_mm
    rays = 1 + 0.15 * grain(out * 40, 2.0, looks.grains[7])
    iris = looks.iris * ((0.75 + 0.4 * np.clip((r - 2) / 3.5, 0, 1)) * rays)[:, None]
    iris = iris * np.where(r > IRIS_MM - 0.8, 0.55, 1.0)[:, None]  # its dark rim
    white = WHITE * (1 - 0.25 * np.clip((r - 7) / 6, 0, 1))[:, None]
    seen = np.clip((IRIS_MM + 0.35 - r) / 0.7, 0, 1)[:, None]
    pupil = np.clip((PUPIL_MM + 0.35 - r) / 0.7, 0, 1)[:, None]
    return np.asarray((white * (1 - seen) + iris * seen) * (1 - pupil) + 0.03 * pupil)
