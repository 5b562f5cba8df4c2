"""The template: the MNI152 brain that nilearn ships, and what lies how far around it.

The file is skull-stripped, so it has no face. What a head has between brain and air is drawn around
it as shells of falling brightness: mutual information does not care about their values, only that the
skull and scalp of a patient find something that moves with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from medveil.core.release import Mask
from medveil.locate.grid import Vector, Volume, block_mean

# (outer limit in mm from the brain, brightness): skull, fat and skin seen from inside.
SHELLS = ((2.0, 0.36), (5.0, 0.30), (8.5, 0.24), (12.5, 0.18), (17.0, 0.12), (22.0, 0.06), (26.0, 0.0))
FILE, BRAIN_SHADE = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz", 0.2
FINE_MM = 2.0
PAD_MM = 32.0


@dataclass(frozen=True, eq=False)
class Template:
    """The brain of MNI152 on an axis-aligned grid of MNI millimetres.

    Args:
        tissue: (I, J, K) T1 brightness, 0..1, 0 outside the brain.
        brain: (I, J, K) True inside.
        distance_mm: (I, J, K) distance to the nearest voxel centre of the brain, and inside it, negative,
            to the nearest one outside: the surface itself lies between them, at half a voxel.
        origin: (3,) MNI mm of voxel (0, 0, 0); `mm`: edge of a voxel.
    """

    tissue: Volume
    brain: Mask
    distance_mm: Volume
    origin: Vector
    mm: float

    def points(self, mask: Mask) -> Vector:
        """(N, 3) MNI mm of the voxels in a mask."""
        return np.asarray(np.argwhere(mask) * self.mm + self.origin, dtype=np.float64)

    @property
    def axes(self) -> tuple[Vector, Vector, Vector]:
        """MNI mm along the three axes, shaped to broadcast over the grid."""
        x, y, z = (self.origin[a] + self.mm * np.arange(n) for a, n in enumerate(self.brain.shape))
        return x[:, None, None], y[None, :, None], z[None, None, :]


def _file() -> Path:
    """The template's file in the installed nilearn."""
    spec = find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("nilearn")
    return Path(spec.submodule_search_locations[0], "datasets", "data", FILE)


@lru_cache(maxsize=1)
def _fine() -> tuple[Volume, Volume, Volume, Vector]:
    """Brightness, brain mask, distance and origin at 2 mm, padded so that 4 and 8 mm blocks fit."""
    import nibabel as nib
    from scipy import ndimage as ndi

    # What `nilearn.datasets` gives as template and brain mask, without the 1.4 s that importing it takes. Every other
    # voxel of the 1 mm grid is what it returns for 2 mm, without its resampling.
    image, every = nib.load(_file()), slice(None, None, int(FINE_MM))
    shades = np.asarray(image.dataobj, dtype=np.float32)
    shades /= shades.max()
    brain = shades[every, every, every] > BRAIN_SHADE
    tissue = shades[every, every, every] * brain
    pad = int(PAD_MM / FINE_MM)
    width = [(pad, pad + (-(n + 2 * pad)) % 4) for n in brain.shape]
    origin = np.asarray(image.affine[:3, 3], dtype=np.float64) - PAD_MM
    inside = np.pad(brain, width)
    outward, inward = (ndi.distance_transform_edt(m) * FINE_MM for m in (~inside, inside))
    distance = np.where(inside, -inward, outward).astype(np.float32)
    return np.pad(tissue, width), inside.astype(np.float32), distance, origin


@lru_cache(maxsize=4)
def template(mm: float = FINE_MM) -> Template:
    """The template at 2, 4 or 8 mm; the distances of the coarser ones are means of those at 2 mm."""
    tissue, brain, distance, origin = _fine()
    f = round(mm / FINE_MM)
    inside = block_mean(brain, (f, f, f)) > 0.5
    distance = block_mean(distance, (f, f, f))
    for array in (inside, distance):
        array.flags.writeable = False
    shades = block_mean(tissue, (f, f, f)) * inside
    return Template(shades, inside, distance, origin + (mm - FINE_MM) / 2, mm)


def shelled(t: Template) -> tuple[Volume, Mask]:
    """For the coarse stages: brain and shells, and where to compare.

    Compared are the brain with 4 mm around it, and the shells over the vault, where every head is alike.
    In front the vault's limit rises, because foreheads and sinuses are not alike.
    """
    values = np.where(t.brain, 0.42 + 0.58 * t.tissue, 0.0).astype(np.float32)
    inner = 0.0
    for outer, shade in SHELLS:
        values[(t.distance_mm > inner) & (t.distance_mm <= outer)] = shade
        inner = outer
    _, y, z = t.axes
    vault = (z > -20 + 0.55 * np.maximum(0, y + 20)) & ((y <= 40) | (z > 8))
    where = (t.distance_mm <= 4) | (vault & (t.distance_mm <= SHELLS[-1][0]))
    return values, np.asarray(where, dtype=bool)


def bare(t: Template) -> tuple[Volume, Mask]:
    """For the second stage, and to judge: the brain alone, compared inside it and 8 mm around."""
    return t.tissue, np.asarray(t.distance_mm <= 8, dtype=bool)


def rimmed(t: Template) -> tuple[Volume, Mask]:
    """For a search from afar: the brain, compared inside it and 4 mm around."""
    return t.tissue, np.asarray(t.distance_mm <= 4, dtype=bool)


def layered(t: Template) -> tuple[Volume, Mask]:
    """For the brain within its cavity in a CT: the brain, and shades of their own for what follows, to 9 mm."""
    values = np.where(t.distance_mm <= 0, 0.3 + 0.7 * t.tissue, 0.0).astype(np.float32)
    values[(t.distance_mm > 0) & (t.distance_mm <= 3)] = 0.2
    values[(t.distance_mm > 3) & (t.distance_mm <= 6)] = 0.1
    return values, np.asarray(t.distance_mm <= 9, dtype=bool)


def core(t: Template) -> tuple[Volume, Mask]:
    """For the last stage: the brain and nothing around it. Wrong places show next to none of its contrast, and bright
    fluid cannot draw its outline."""
    return t.tissue, t.brain


def cavity(t: Template) -> tuple[Volume, Mask]:
    """For CT: the cavity of the skull, its wall and the rest; compared inside and near it."""
    from scipy import ndimage as ndi

    values = np.where(t.distance_mm <= 2, 1.0, np.where(t.distance_mm <= 10, 0.5, 0.2)).astype(np.float32)
    reach = 8.0 if t.mm <= 4 else 12.0
    return ndi.gaussian_filter(values, 0.5), np.asarray(t.distance_mm <= reach, dtype=bool)
