"""Light: what a painted surface sends to the camera, worked out at its vertices.

Two suns and a sky. The sky reaches less far into hollows (ambient occlusion), and the first sun casts soft
shadows; both are read off the signed distance that made the head, at a few steps from each vertex. A
recogniser needs them: sockets, nostrils, the lips' line and the chin's shadow are most of what it sees.
Skin lets light through, so its shadows end softly and reddish.

All in linear light; `expose` turns it into what a picture stores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.scene.camera import direction
from medveil.simulate.bust import Bust
from medveil.simulate.canvas import DISPLAY_GAMMA, Paint

Array = npt.NDArray[Any]

REACHES = ((2.5, 0.34), (6.0, 0.36), (14.0, 0.36), (30.0, 0.16))  # mm, weight
STEPS_MM = (2.5, 4.0, 6.0, 9.0, 13.0, 18.0, 25.0, 34.0, 46.0, 62.0)
SOFTNESS = 7.0  # how sharp the edge of a cast shadow is: distance over reach times this
LUMA = np.array([0.30, 0.59, 0.11])


@dataclass(frozen=True)
class Lighting:
    """The light of one picture.

    Args:
        key_deg, fill_deg: azimuth and elevation of the two suns (see `medveil.scene.camera.Light`).
        key, fill, sky: their strengths; only their proportions matter, exposure follows.
        key_colour: (3,) tint of the first sun, about 1.
        exposure: 1 is a well exposed face; above it is brighter.
    """

    key_deg: tuple[float, float]
    fill_deg: tuple[float, float]
    key: float
    fill: float
    sky: float
    key_colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    exposure: float = 1.0


def occlusion(bust: Bust) -> Array:
    """(V,) 0..1: share of the sky that hollows keep from each vertex."""
    v, n = bust.vertices, bust.normals
    total = np.zeros(len(v), dtype=np.float32)
    for reach, weight in REACHES:
        total += weight * np.clip((reach - bust.solid(v + n * np.float32(reach))) / reach, 0, 1)
    return np.asarray(np.clip(total, 0, 0.92))


def lit(bust: Bust, towards: Array, where: Array) -> Array:
    """(V,) 0..1: how much of a sun reaches each vertex past the head; computed only `where` True."""
    out = np.ones(len(bust.vertices), dtype=np.float32)
    start = bust.vertices[where] + np.float32(1.2) * bust.normals[where]
    free = np.ones(len(start), dtype=np.float32)
    for step in STEPS_MM:
        clear = bust.solid(start + np.float32(step) * towards.astype(np.float32))
        free = np.minimum(free, 0.5 + 0.5 * np.clip(SOFTNESS * clear / step, -1, 1))
    out[where] = free * free * (3 - 2 * free)
    return out


def shade(bust: Bust, paint: Paint, relief: Array, lighting: Lighting, to_camera: Array) -> Array:
    """Light that leaves each vertex towards the camera, linear, any scale.

    Args:
        relief: (V, 3) unit normals for shading: the bust's own, bent by wrinkles.
        to_camera: (3,) unit vector.

    Returns:
        (V, 3) float.
    """
    sky = 1 - occlusion(bust)
    red = paint.skin[:, None] * np.array([-0.25, 0.0, 0.04])
    ambient = lighting.sky * (0.7 + 0.3 * relief[:, 2:3]) * sky[:, None] ** (1.0 + red)
    gloss = np.zeros(len(sky))
    total = ambient
    for angles, strength, tint, casts in (
        (lighting.key_deg, lighting.key, np.array(lighting.key_colour), True),
        (lighting.fill_deg, lighting.fill, np.ones(3), False),
    ):
        towards = direction(*angles)
        facing = relief @ towards
        shadow = lit(bust, towards, facing > -0.3) if casts else sky**0.5
        wrap = paint.skin[:, None] * np.array([0.32, 0.14, 0.10])
        soft = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, 1)
        total = total + strength * tint * soft * shadow[:, None] * (0.6 + 0.4 * sky[:, None])
        half = towards + to_camera
        half = half / np.linalg.norm(half)
        mirror = np.clip(relief @ half, 0, 1) ** paint.shine
        gloss += strength * paint.gloss * mirror * shadow * (facing > 0)
    return np.asarray(paint.albedo * total + gloss[:, None])


def expose(light: Array, face: Array, exposure: float) -> Array:
    """Linear light to display, 0..1: a camera brightens or darkens until the face is near middle grey.

    Args:
        light: (V, 3).
        face: (V,) True for vertices the camera meters on.
        exposure: correction by the photographer.
    """
    mean = float((light[face] @ LUMA).mean()) if face.any() else 0.2
    # Dark skin stays darker in a picture: meters correct about two thirds of the difference.
    gain = exposure * 0.27 / 0.27 ** (1 / 3) / max(mean, 1e-3) ** (2 / 3)
    seen = light * gain
    seen = seen / (1 + 0.25 * seen**2)  # highlights roll off instead of clipping
    return np.asarray(np.clip(seen, 0, 1) ** (1 / DISPLAY_GAMMA))
