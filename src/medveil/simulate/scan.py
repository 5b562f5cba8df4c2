"""A scan: a person's head laid into a scanner on one day.

    head field -> tissues -> grey levels -> partial volume at the skin -> pose -> bias -> noise -> int16

Another visit of the same person has another pose, noise, bias and thickness of fat; another contrast of the
same visit shares the pose and the fat. Whoever attacks such a scan has to find the face in this volume;
the field it came from stays here.

Frames: head millimetres (see `person.py`) and scanner millimetres (RAS+); `Scan.pose` maps the first to the
second and is the truth for every test of registration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, gaussian_filter

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.simulate.anatomy import tissues_of
from medveil.simulate.field import Grid, Vector, rotation
from medveil.simulate.head import Head, build_head
from medveil.simulate.person import Person
from medveil.simulate.tissues import CONTRASTS, Contrast, Labels, Tissue, Tissues, filled

VIEW_LO_MM, VIEW_HI_MM = (-104.0, -128.0, -135.0), (104.0, 140.0, 146.0)
"""Corners of the field of view in scanner millimetres; it ends in the neck."""
GAIN = 4.0
"""Stored units per grey level of the contrast table, for all but CT: keeps int16 from rounding the noise."""
PET_BLUR_MM = 2.5
CT_NOISE = 4.0
"""A CT's noise in Hounsfield units per unit of `Scanner.noise`."""


@dataclass(frozen=True)
class Scanner:
    """Settings of a scanner and of the day.

    Args:
        contrast: what kind of image; CT comes in Hounsfield units.
        spacing_mm: voxel size, one number or one per axis.
        tilt_deg: sd of the head's pitch; roll has .4 and yaw .6 of it.
        shift_mm: sd of the head's place along each axis.
        noise: sd of the noise, on the scale where fat has 190 (Rician; Gaussian, and x4, for CT).
        bias: strength of the smooth brightness field of a coil; twice the sd of its coefficients.
        ghost: share of a copy shifted by half the field of view, as breathing leaves it behind.
        crop_below_mm: the field of view begins at this height (scanner mm) instead of in the neck.
        crop_top_mm: and ends at this height, as a slab that misses the top of the head does.
        crop_front_mm: and ends this far forward, as a field of view that cuts the nose off does.
    """

    contrast: Contrast = "T1w"
    spacing_mm: float | tuple[float, float, float] = 2.0
    tilt_deg: float = 6.0
    shift_mm: float = 3.0
    noise: float = 3.0
    bias: float = 0.15
    ghost: float = 0.0
    crop_below_mm: float | None = None
    crop_top_mm: float | None = None
    crop_front_mm: float | None = None

    def __post_init__(self) -> None:
        if self.contrast not in CONTRASTS:
            raise ValueError(f"contrast: expected one of {', '.join(CONTRASTS)}")
        if min(self.spacings_mm) <= 0:
            raise ValueError("spacing_mm: expected positive numbers")

    @property
    def spacings_mm(self) -> tuple[float, float, float]:
        """Voxel size along x, y and z."""
        if isinstance(self.spacing_mm, tuple):
            return self.spacing_mm
        return self.spacing_mm, self.spacing_mm, self.spacing_mm

    def view_mm(self) -> tuple[Vector, Vector]:
        """Corners of the field of view after cropping, scanner mm."""
        lo, hi = np.array(VIEW_LO_MM), np.array(VIEW_HI_MM)
        if self.crop_below_mm is not None:
            lo[2] = max(lo[2], self.crop_below_mm)
        if self.crop_top_mm is not None:
            hi[2] = min(hi[2], self.crop_top_mm)
        if self.crop_front_mm is not None:
            hi[1] = min(hi[1], self.crop_front_mm)
        if (hi - lo).min() <= max(self.spacings_mm):
            raise ValueError("crop: leaves nothing to see")
        return lo, hi


@dataclass(frozen=True, eq=False, repr=False)
class Scan:
    """A simulated scan with its truth.

    Args:
        image: int16, slope 1.
        pose: (4, 4) head mm to scanner mm.
        brain_mask: bool, the image's grid.
        labels: uint8, values of `Tissue`, the image's grid.
    """

    image: Image
    pose: Vector
    brain_mask: npt.NDArray[np.bool_]
    labels: Labels

    def __repr__(self) -> str:
        return f"Scan({self.image!r})"


def draw_pose(rng: np.random.Generator, tilt_deg: float, shift_mm: float) -> Vector:
    """A head's place in the scanner: (4, 4) head mm to scanner mm."""
    pitch, roll, yaw = np.radians(rng.normal(0.0, 1.0, 3) * tilt_deg * [1.0, 0.4, 0.6])
    out = np.eye(4)
    out[:3, :3] = rotation(0, pitch) @ rotation(1, roll) @ rotation(2, yaw)
    out[:3, 3] = rng.normal(0.0, 1.0, 3) * shift_mm
    return out


def scan(
    person: Person,
    seeds: Seeds,
    *,
    visit: int = 0,
    scanner: Scanner | None = None,
    head: Head | None = None,
) -> Scan:
    """Scan a person.

    Args:
        person: who.
        seeds: root of the randomness.
        visit: number of the visit; another one is a rescan of the same person.
        scanner: settings; a 2 mm T1-weighted scan by default.
        head: the person's head from `build_head`, eyes shut, if it is at hand already.
    """
    scanner = scanner or Scanner()
    spacing = np.array(scanner.spacings_mm)
    day = seeds.stream("simulate/scan/visit", person.index, visit)
    pose = draw_pose(day, scanner.tilt_deg, scanner.shift_mm)
    fat_mm = float(day.uniform(2.0, 5.0))
    rng = seeds.stream(f"simulate/scan/{scanner.contrast}", person.index, visit)
    if head is None:
        head = build_head(person, float(np.clip(spacing.min(), 1.0, 2.0)))
    tissues = tissues_of(head, fat_mm=fat_mm)

    lo, hi = scanner.view_mm()
    shape = tuple(int(n) for n in np.ceil((hi - lo) / spacing))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = lo
    from_voxel = np.linalg.inv(head.affine) @ np.linalg.inv(pose) @ affine
    clear = _grey_levels(head, tissues, scanner.contrast, rng)
    blur = np.maximum(spacing / head.spacing_mm - 1, 0) * 0.45
    if blur.max() > 0.02:
        clear = gaussian_filter(clear, blur)
    outside = CONTRASTS[scanner.contrast][Tissue.AIR] if scanner.contrast == "CT" else 0.0
    seen = affine_transform(
        clear, from_voxel[:3, :3], from_voxel[:3, 3], output_shape=shape, order=1, cval=outside
    )
    stored = _acquire(seen, scanner, rng)
    labels = affine_transform(
        tissues.labels, from_voxel[:3, :3], from_voxel[:3, 3], output_shape=shape, order=0
    )
    mask = _resampled_brain(tissues, from_voxel, shape)
    return Scan(Image(stored, affine), pose, mask, labels)


def _grey_levels(head: Head, tissues: Tissues, contrast: Contrast, rng: np.random.Generator) -> Grid:
    """Brightness on the head's grid; the skin's edge is blended with air as far as its voxels are filled.

    Labels would leave terraces on the skin. The field knows its distance to every voxel, so the share of
    a voxel that is head follows from that.
    """
    spread = 0.02 if contrast == "CT" else 0.1
    gains = {
        int(t): float(g)
        for t, g in zip(Tissue, rng.uniform(1 - spread, 1 + spread, len(Tissue)), strict=True)
    }
    # The brain's two kinds of matter are neighbours in brightness: one gain for both keeps their order.
    gains[Tissue.WHITE] = gains[Tissue.GREY]
    gains[Tissue.AIR] = 1.0
    level = gaussian_filter(tissues.grey_levels(contrast, gains), 0.5)
    air = np.float32(CONTRASTS[contrast][Tissue.AIR])
    out: Grid = air + (level - air) * filled(head.phi, head.spacing_mm)
    if contrast == "pet":
        out = gaussian_filter(out, PET_BLUR_MM / head.spacing_mm)
    return out


def _acquire(seen: Grid, scanner: Scanner, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """What the scanner makes of it: bias, ghost, noise, whole numbers."""
    shape = seen.shape
    if scanner.contrast == "CT":
        seen = seen + np.float32(CT_NOISE * scanner.noise) * rng.standard_normal(shape, np.float32)
        return np.clip(np.rint(seen), -1024, 3071).astype(np.int16)
    x, y, z = (
        np.linspace(-1, 1, n, dtype=np.float32).reshape([-1 if i == k else 1 for k in range(3)])
        for i, n in enumerate(shape)
    )
    q = rng.normal(0.0, scanner.bias / 2, 5).astype(np.float32)
    gain = np.float32(GAIN * rng.uniform(0.85, 1.15))
    if scanner.contrast != "pet":
        seen = seen * np.exp(q[0] * x + q[1] * y + q[2] * z + q[3] * z * z + q[4] * y * y)
    if scanner.ghost > 0:
        seen = seen + np.float32(scanner.ghost) * np.roll(seen, shape[1] // 2, axis=1)
    sd = np.float32(scanner.noise)
    if scanner.contrast == "pet":  # counts: the noise grows with the square root of the uptake
        seen = seen + 0.15 * sd * np.sqrt(np.maximum(seen, 1)) * rng.standard_normal(shape, np.float32)
    else:  # Rician: the magnitude of a complex signal with Gaussian noise in both parts
        real = seen + sd * rng.standard_normal(shape, np.float32)
        seen = np.hypot(real, sd * rng.standard_normal(shape, np.float32))
    stored: npt.NDArray[np.int16] = np.clip(np.rint(gain * seen), 0, 32767).astype(np.int16)
    return stored


def _resampled_brain(tissues: Tissues, from_voxel: Vector, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The brain's share of each voxel of the scan, cut at one half."""
    start = np.array([s.start for s in tissues.brain.where])
    share = affine_transform(
        tissues.brain.inside, from_voxel[:3, :3], from_voxel[:3, 3] - start, output_shape=shape, order=1
    )
    out: npt.NDArray[np.bool_] = share > 0.5
    return out
