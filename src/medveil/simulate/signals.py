"""Signals: brightness on a head's grid before any scanner has touched it.

Each tissue has its grey level in the contrast, a little different on every day. Echo-planar images lose
signal where air under the brain disturbs the field; their geometric distortion is not simulated, so that
brain and face stay where the truth says they are.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from medveil.simulate.features.geometry import SIDES
from medveil.simulate.field import Field, Grid
from medveil.simulate.head import Head
from medveil.simulate.tissues import CONTRASTS, EPI, UNI_MAX, Contrast, Tissue, Tissues, filled

PET_BLUR_MM = 2.5
STEADY: tuple[Contrast, ...] = ("CT", "UNIT1")
"""Contrasts whose levels have a meaning of their own and hardly differ between days."""


def signals(head: Head, tissues: Tissues, contrast: Contrast, rng: np.random.Generator) -> tuple[Grid, ...]:
    """Brightness on the head's grid: one volume, or for UNIT1 the signals of its two inversions."""
    spread = 0.02 if contrast in STEADY else 0.1
    gains = {
        int(t): float(g)
        for t, g in zip(Tissue, rng.uniform(1 - spread, 1 + spread, len(Tissue)), strict=True)
    }
    # The brain's two kinds of matter are neighbours in brightness: one gain for both keeps their order.
    gains[Tissue.WHITE] = gains[Tissue.GREY]
    gains[Tissue.AIR] = 1.0
    level = _skinned(head, tissues, contrast, gains)
    if contrast == "pet":
        return (gaussian_filter(level, PET_BLUR_MM / head.spacing_mm),)
    if contrast == "UNIT1":
        return _inversions(level, _skinned(head, tissues, "PDw", {}))
    if contrast in EPI:
        return (level * _kept_signal(head),)
    return (level,)


def _skinned(head: Head, tissues: Tissues, contrast: Contrast, gains: dict[int, float]) -> Grid:
    """Grey levels; the skin's edge is blended with air as far as its voxels are filled.

    Labels would leave terraces on the skin. The field knows its distance to every voxel, so the share of
    a voxel that is head follows from that.
    """
    level = gaussian_filter(tissues.grey_levels(contrast, gains), 0.5)
    air = np.float32(CONTRASTS[contrast][Tissue.AIR])
    out: Grid = air + (level - air) * filled(head.phi, head.spacing_mm)
    return out


def _inversions(level: Grid, amplitude: Grid) -> tuple[Grid, Grid]:
    """Two signals a, b whose uniform image a b / (a^2 + b^2) is the level, and b the amplitude."""
    u = np.clip(level / UNI_MAX - 0.5, -0.499, 0.499)
    # a / b solves u r^2 - r + u = 0; the smaller root, in the form that is exact near u = 0.
    ratio = 2 * u / (1 + np.sqrt(1 - 4 * u * u))
    second = np.maximum(amplitude - CONTRASTS["PDw"][Tissue.AIR], 0)
    return ratio * second, second


def _kept_signal(head: Head) -> Grid:
    """Share of an echo-planar signal that is left above the nasal cavity and above the ear canals, 0 to 1."""
    lost: Grid = np.zeros_like(head.phi)
    x, y, z = Field.around(head.phi, head.axes).coordinates()
    face = float(head.profile(head.levels["tip_z"]))
    places = [((0.0, face - 30.0, 0.0), (19.0, 22.0, 15.0))]
    places += [((side * 53.0, 4.0, -14.0), (15.0, 19.0, 13.0)) for side in SIDES]
    for (cx, cy, cz), (sx, sy, sz) in places:
        far = ((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2 + ((z - cz) / sz) ** 2
        lost = np.maximum(lost, np.exp(-(far**2) / 2).astype(np.float32))
    out: Grid = 1 - np.float32(0.94) * lost
    return out
