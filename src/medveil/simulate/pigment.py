"""Pigment: paint a head with its hair and its clothes, vertex by vertex.

    Looks + Hair + Head ──paint──> Paint: skin, lips, beard, brows, eyes, hair, collar

Layers in this order, later ones cover earlier ones. Frame: head coordinates, RAS+ mm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.bust import Volume
from medveil.simulate.canvas import Canvas, Paint, linear
from medveil.simulate.eye_colours import paint_brows, paint_eyes
from medveil.simulate.features.geometry import SIDES
from medveil.simulate.grain import grain, logistic
from medveil.simulate.hair import Hair, beard_region, scalp
from medveil.simulate.head import Head
from medveil.simulate.looks import Looks

Array = npt.NDArray[Any]

COLLAR_MM = -139.0  # a round collar ends at this height
SKIN_SHINE, HAIR_SHINE = 14.0, 20.0


def paint(vertices_mm: Array, above_skin_mm: Array, head: Head, hair: Hair, looks: Looks) -> Paint:
    """Colour every vertex of a head with its hair.

    Args:
        vertices_mm: (V, 3).
        above_skin_mm: (V,) distance to the bare skin; more than about a millimetre is hair.

    Returns:
        Paint of V vertices.
    """
    skin = bare_skin(vertices_mm, head, looks)
    canvas = Canvas(vertices_mm, skin, gloss=0.05 + 0.06 * looks.gloss, shine=SKIN_SHINE)
    _lips(canvas, head, looks)
    _nostrils(canvas, head)
    if hair.beard != "none":
        _beard(canvas, head, hair, looks)
    paint_brows(canvas, head, hair, looks)
    paint_eyes(canvas, head, looks)
    _hair(canvas, above_skin_mm, head, hair, looks)
    _collar(canvas, above_skin_mm, looks)
    return canvas.finished()


def bare_skin(v: Array, head: Head, looks: Looks) -> Array:
    """(V, 3) bare skin: flushed where blood is near, mottled at three scales, freckled."""
    red = 0.6 * _blob(v, (0, 115, head.levels["tip_z"]), (15, 16, 12))
    for side in SIDES:
        red += 0.55 * _blob(v, (side * 40, 75, -38), (17, 30, 15))  # cheeks
        red += 0.5 * _blob(v, (side * 84, -8, -10), (14, 22, 34))  # ears
    red = np.clip(looks.redness * red + 0.10 * grain(v, 7, looks.grains[0]), 0, 1)
    base = looks.skin * (1 - red[:, None] * np.array([0.02, 0.15, 0.14]))
    mottle = 1 + 0.03 * grain(v, 14, looks.grains[1]) + 0.022 * grain(v, 3, looks.grains[2])
    mottle = mottle + 0.018 * grain(v, 1.1, looks.grains[3])
    freckle = np.clip((grain(v, 2.0, looks.grains[4]) - 2.2) / 0.5, 0, 1)
    mole = np.clip((grain(v, 3.1, looks.grains[5]) - 3.1) / 0.3, 0, 1)
    return np.asarray(base * (mottle * (1 - looks.spots * (0.20 * freckle + 0.45 * mole)))[:, None])


def _blob(v: Array, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Array:
    return np.asarray(np.exp(-(((v - np.array(centre)) / np.array(radii)) ** 2).sum(axis=1)))


def _lips(canvas: Canvas, head: Head, looks: Looks) -> None:
    x, y, z = canvas.v.T
    mouth = head.lip(x, z)
    inner = np.clip((1.04 - np.maximum(mouth.t_upper, mouth.t_lower)) / 0.14, 0, 1)
    inner = inner * np.clip(6 * mouth.envelope, 0, 1) * (y > 70)
    chapped = 1 + 0.05 * grain(canvas.v, 1.5, looks.grains[8])
    canvas.lay(looks.lip * chapped[:, None], inner * looks.lip_strength)
    canvas.gloss += 0.10 * inner
    line = np.exp(-(((z - mouth.line_z) / 1.1) ** 2)) * np.clip(4 * mouth.envelope, 0, 1) * (y > 70)
    canvas.darken(line, np.array([0.45, 0.6, 0.6]))


def _nostrils(canvas: Canvas, head: Head) -> None:
    x, y, z = canvas.v.T
    apart, deep, level = head.geometry.nostril
    hole = np.exp(-(((np.abs(x) - apart) / 3.2) ** 2) - ((z - level + 7) / 2.2) ** 2 - ((y - deep) / 8) ** 2)
    canvas.darken(0.7 * hole)


def _beard(canvas: Canvas, head: Head, hair: Hair, looks: Looks) -> None:
    cover = beard_region(hair, head, *canvas.v.T) * hair.beard_density
    cover = cover * (0.55 if hair.beard == "stubble" else 1.0)
    cover = np.clip(cover * (0.95 + 0.3 * grain(canvas.v, 1.3, looks.grains[9])), 0, 0.93)
    canvas.lay(np.array(hair.beard_colour), cover)
    canvas.gloss *= 1 - 0.7 * cover


def _hair(canvas: Canvas, above_skin_mm: Array, head: Head, hair: Hair, looks: Looks) -> None:
    """What stands off the skin, and the scalp seen through short hair; strands run down from the crown."""
    x, y, z = canvas.v.T
    stands = np.clip((above_skin_mm - 0.5) / 1.0, 0, 1)
    through = {"shaved": 0.25, "cropped": 0.9}.get(hair.style, 0.8)
    earless = Volume(head.phi_without_ears, head.origin_mm, head.spacing_mm)(canvas.v)
    cover = np.maximum(stands, through * scalp(hair, x, y, z) * np.clip(2 - earless, 0, 1))
    turn, reach = np.arctan2(x, y + 35), np.hypot(x, y + 35)
    strands = grain(np.stack([turn * 55, 0.12 * z, 0.12 * reach], axis=1), 0.9, looks.grains[10])
    locks = grain(np.stack([turn * 55, 0.3 * z, 0.3 * reach], axis=1), 5.0, looks.grains[11])
    tint = np.broadcast_to(np.array(hair.colour), (len(x), 3))
    if hair.beard == "full":
        tint = np.where(beard_region(hair, head, x, y, z)[:, None] > 0.3, np.array(hair.beard_colour), tint)
    canvas.lay(np.clip(tint * (1 + 0.16 * strands + 0.10 * locks)[:, None], 0.01, 1), cover)
    canvas.skin = canvas.skin * (1 - cover)
    canvas.gloss[cover > 0.5] = 0.10
    canvas.shine[cover > 0.5] = HAIR_SHINE


def _collar(canvas: Canvas, above_skin_mm: Array, looks: Looks) -> None:
    """The neck below a round collar, higher at the nape; a V-neck leaves the front bare."""
    _, y, z = canvas.v.T
    cloth = (z < COLLAR_MM + 0.15 * np.maximum(-y, 0)) & (y < 66) & (above_skin_mm < 1.5)
    cloth &= (looks.neckline_mm == 0) | (y < 0)
    canvas.colour[cloth] = looks.shirt
    canvas.gloss[cloth] = canvas.skin[cloth] = 0


def dressed(body: Paint, vertices_mm: Array, looks: Looks) -> Paint:
    """The body's paint with that of the clothes appended.

    Args:
        vertices_mm: (C, 3) vertices of the clothes.
    """
    x, y, z = vertices_mm.T
    edge = looks.neckline_mm * (1 - np.abs(x) / (0.5 * looks.neckline_mm + 24))
    bare = logistic((z - (COLLAR_MM - edge)) / 0.8) * (y > 0) * (looks.neckline_mm > 0)
    weave = 1 + 0.04 * grain(vertices_mm, 2.0, looks.grains[15])
    cloth = linear(looks.shirt * weave[:, None])
    n = len(vertices_mm)
    return Paint(
        albedo=np.concatenate([body.albedo, cloth + bare[:, None] * (linear(looks.skin * 0.97) - cloth)]),
        gloss=np.concatenate([body.gloss, 0.05 * bare]),
        shine=np.concatenate([body.shine, np.full(n, SKIN_SHINE)]),
        skin=np.concatenate([body.skin, bare]),
        eye=np.concatenate([body.eye, np.zeros(n)]),
    )
