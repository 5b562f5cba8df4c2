"""Tissues: the labels of a simulated scan, and how bright each of them is per modality.

Grey levels are round numbers chosen to keep the order that textbooks give for each contrast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from medveil.simulate.brain import Brain
from medveil.simulate.field import Grid

Contrast = Literal["T1w", "T2w", "FLAIR", "PDw", "CT", "pet", "T2starw", "UNIT1", "bold", "asl", "dwi"]
EPI: tuple[Contrast, ...] = ("bold", "asl", "dwi")
"""Contrasts read out by echo-planar imaging: coarse, fat suppressed, signal lost where air is near."""
Labels = npt.NDArray[np.uint8]


class Tissue(IntEnum):
    """Labels of a simulated scan."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    BONE = 4
    CSF = 5
    GREY = 6
    WHITE = 7
    EYE = 8
    LENS = 9
    TOOTH = 10
    CARTILAGE = 11
    MARROW = 12
    TONGUE = 13


_ORDER = tuple(Tissue)
CONTRASTS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        # air, skin, fat, muscle, bone, csf, grey, white, eye, lens, tooth, cartilage, marrow, tongue
        "T1w": (2, 95, 190, 85, 28, 35, 104, 148, 30, 70, 12, 65, 112, 98),
        "T2w": (2, 75, 140, 50, 16, 235, 128, 92, 240, 45, 8, 80, 85, 62),
        "FLAIR": (2, 85, 150, 75, 20, 26, 150, 122, 28, 60, 8, 75, 80, 88),
        "PDw": (2, 110, 165, 118, 28, 150, 172, 142, 150, 95, 10, 100, 110, 125),
        "CT": (-1000, 30, -95, 55, 1000, 8, 38, 29, 12, 90, 1900, 110, 320, 45),  # Hounsfield units
        "pet": (0, 22, 7, 26, 14, 18, 200, 72, 10, 10, 8, 16, 34, 60),
        "T2starw": (2, 70, 105, 62, 10, 190, 132, 112, 185, 55, 6, 70, 38, 72),
        # UNIT1: 0 to 4095 like the scanner's; the middle is where noise over noise has its mean.
        "UNIT1": (2048, 2100, 3650, 1750, 1300, 380, 1900, 2950, 420, 1500, 1300, 1700, 3000, 2000),
        # Echo-planar images: b0 or T2*, with the fat suppressed, so that the scalp is faint but there.
        "bold": (2, 30, 24, 36, 6, 175, 130, 105, 165, 45, 4, 36, 12, 44),
        "asl": (0, 7, 3, 9, 1, 3, 62, 21, 2, 2, 1, 5, 6, 14),
        "dwi": (2, 26, 20, 32, 6, 215, 112, 84, 205, 40, 4, 34, 10, 42),
    }
)
"""Grey level of each tissue, in the order of `Tissue`; CT in Hounsfield units, the others arbitrary.
`asl` is the difference of control and label, that is perfusion; `dwi` is the image without diffusion weighting."""
UNI_MAX = 4095
"""Largest stored value of a UNIT1; see `acquire`."""

SKIN_MM = 1.8
PSF_VOXELS = 0.5
"""Standard deviation of the scanner's blur."""


def filled(distance_mm: Grid, spacing_mm: float) -> Grid:
    """Share of a voxel that lies inside a surface at this signed distance (negative inside), 0 to 1.

    A scanner blurs by about half a voxel; a sharper edge would alias into terraces on smooth skin.
    """
    out: Grid = ndtr(distance_mm * np.float32(-1 / (PSF_VOXELS * spacing_mm)))
    return out


@dataclass(frozen=True, eq=False, repr=False)
class Tissues:
    """A head's labels, and the shares of matter inside its brain.

    Args:
        labels: (I, J, K) uint8, values of `Tissue`.
        brain: the brain on its part of the grid.
        phi: (I, J, K) the head's signed distance, mm.
        spacing_mm: of the grid.
        fat_mm: thickness of the fat under the skin.
    """

    labels: Labels
    brain: Brain
    phi: Grid
    spacing_mm: float
    fat_mm: float

    def grey_levels(self, contrast: Contrast, gains: Mapping[int, float] | None = None) -> Grid:
        """Brightness of every voxel in one contrast, float32, without noise or partial volume.

        Inside the brain the shares of grey matter, white matter and fluid are mixed. Skin, fat and the
        muscle next to them are thinner than many a voxel, so their shares are read from the distance to the
        skin: labels alone would ripple the forehead. Elsewhere the label decides. `gains` multiplies
        single tissues. Outside the head the skin goes on; whoever blends it with air knows how far.
        """
        table = np.array(CONTRASTS[contrast], np.float32)
        for tissue, gain in (gains or {}).items():
            table[tissue] *= np.float32(gain)
        out: Grid = table[self.labels]
        h, fat_edge = self.spacing_mm, np.float32(-SKIN_MM - self.fat_mm)
        layers = (self.phi > fat_edge - h) & (self.labels <= Tissue.MUSCLE)
        depth = self.phi[layers]
        fat_share, skin_share = filled(fat_edge - depth, h), filled(-SKIN_MM - depth, h)
        skin, fat, muscle = (table[t] for t in (Tissue.SKIN, Tissue.FAT, Tissue.MUSCLE))
        out[layers] = muscle + (fat - muscle) * fat_share + (skin - fat) * skin_share
        b, where = self.brain, self.brain.where
        fluid = np.clip(b.inside - b.grey - b.white, 0, 1)
        total = np.maximum(b.grey + b.white + fluid, 1e-3)
        mixed = table[Tissue.GREY] * b.grey + table[Tissue.WHITE] * b.white + table[Tissue.CSF] * fluid
        view = out[where]
        inside = b.inside > 0.5
        view[inside] = (mixed / total)[inside]
        return out
