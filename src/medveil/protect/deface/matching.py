"""Matching: grey levels for another face, read from the kept voxels around it.

    kept ring ──which label lies where──> level of each label ──> smooth field of the coil ──> rest at the seam
              └──air and differences of neighbours──> noise

A factor for the whole face, as AFNI's refacer has, fits one tissue and one place. Here each tissue has a level
of its own, held to a textbook table where the ring shows little of it; what varies slowly is the coil's field,
and what is left near the seam is carried a few millimetres inward. All of it is estimated from kept voxels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medveil.locate.grid import Grid, Vector, Volume
from medveil.protect.deface.faces import Face
from medveil.protect.deface.graft import Graft
from medveil.protect.deface.layers import sample
from medveil.protect.deface.shares import Shares, filled, shares

PRIOR_VOXELS = 150.0  # the textbook level of a tissue counts as much as so many voxels of it
ROUNDS = 6
COATS_MM = (1.5, 2.25, 3.0, 4.0, 5.5, 8.0)  # thicknesses of fat that are tried
SHALLOW_MM = 12.0
FIELD_MM = 22.0
SEAM_MM = 4.0
SEAM_HOLD = 0.4  # of the ring's density: what stands against carrying the rest inward
FIELD_LIMITS = (0.4, 2.5)
RAYLEIGH = (1.6, 2.3)  # mean over standard deviation of the air of a magnitude image: 1.91 in theory
STRAY = 4.0  # times the median of the air: brighter is no noise, 1 in 60,000 of it at most
MAD = 1.4826  # median absolute deviation to standard deviation


@dataclass(frozen=True, eq=False, repr=False)
class Ring:
    """Kept voxels near the region, as many as are needed.

    Args:
        points: (N, 3) RAS+ mm; at: (N, 3) the same in voxels of the bent face.
        outward_mm: (N,) of the kept skin.
        shares: (N,) the labels of the bent face there.
        tissue, air: (N,) inside the head; clearly outside.
    """

    points: Vector
    at: Vector
    outward_mm: Volume
    shares: Shares
    tissue: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    air: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True, eq=False, repr=False)
class Noise:
    """What a scanner adds.

    Args:
        air: grey level of the air before noise; `least`: no kept voxel is darker.
        sd_air, sd_tissue: standard deviations; of a magnitude image (`rician`) before the magnitude.
    """

    air: float
    least: float
    sd_air: float
    sd_tissue: float
    rician: bool

    def add(self, clear: Volume, inside: Volume, rng: np.random.Generator) -> Volume:
        """Noise on (N,) grey levels above air, of voxels of which the share `inside` is head."""
        sd = np.float32(self.sd_air) + np.float32(self.sd_tissue - self.sd_air) * inside
        real = clear + sd * rng.standard_normal(clear.shape, dtype=np.float32)
        if self.rician:
            real = np.hypot(real, sd * rng.standard_normal(clear.shape, dtype=np.float32))
        return np.maximum(real + np.float32(self.air), np.float32(self.least))


@dataclass(frozen=True, eq=False, repr=False)
class Look:
    """How one volume looks, for a face to be given the same looks.

    Args:
        levels: (L,) above air.
        field, rest: (I, J, K) on `grid`: factor of the coil; what is added near the seam.
    """

    levels: Volume
    field: Volume
    rest: Volume
    grid: Grid
    noise: Noise

    def paint(self, shares: Shares, inside: Volume, field: Volume, rest: Volume) -> Volume:
        """(N,) grey levels above air of points of which the share `inside` is head."""
        return np.asarray((shares.levels(self.levels) * field + rest) * inside, dtype=np.float32)


def in_coats(ring: Ring, values: Volume, face: Face, blur_mm: float) -> tuple[Ring, Face]:
    """Ring and face with the innermost coat as thick as the fat under the kept skin around them.

    Args:
        values: (N,) of the ring.
    """
    if not face.coats:
        return ring, face
    (*outer, (label, _)), best, least = face.coats, face, np.inf
    above = outer[-1][1] if outer else 0.0
    shallow = ring.tissue & (ring.outward_mm > -SHALLOW_MM)
    shown = values[shallow] - np.float32(np.median(values[ring.air]) if ring.air.any() else 0.0)
    at, outward = ring.at[shallow], ring.outward_mm[shallow]
    for thick_mm in COATS_MM if shown.size else ():
        tried = replace(face, coats=(*outer, (label, above + thick_mm)))
        mix = shares(tried, at, outward, blur_mm).matrix(face.levels.shape[1])
        mix *= filled(outward, blur_mm)[:, None]
        error = float(np.abs(shown - mix @ _levels(shown, mix, _textbook(face, shown, mix))).mean())
        if error < least:
            best, least = tried, error
    return replace(ring, shares=shares(best, ring.at, ring.outward_mm, blur_mm)), best


def look_of(
    values: Volume,
    beside: Volume,
    ring: Ring,
    graft: Graft,
    blur_mm: float,
    *,
    hounsfield: bool,
    magnitude: bool,
) -> Look:
    """Learn the looks of a volume.

    Args:
        values: (N,) of the ring; beside: (N,) of each voxel's neighbour.
        hounsfield: levels are known but for small change, and no coil bends them.
        magnitude: of a complex signal, as most MR images are.
    """
    noise = _noise(values, beside, ring, magnitude)
    shown = values[ring.tissue] - np.float32(noise.air)
    mix = ring.shares.matrix(graft.face.levels.shape[1]) * filled(ring.outward_mm, blur_mm)[:, None]
    mix = mix[ring.tissue]
    points = ring.points[ring.tissue]
    field = np.ones(len(shown), dtype=np.float32)
    fields = np.ones(graft.grid.values.shape, dtype=np.float32)
    units = graft.face.hounsfield if hounsfield else None
    levels = _levels(shown, mix, _textbook(graft.face, shown, mix) if units is None else units)
    for _ in range(2 if units is None else 0):
        usual_here = np.asarray(mix @ levels, dtype=np.float32)
        fields = _spread(graft.grid, points, shown * usual_here, usual_here**2, FIELD_MM, hold=1e-3, far=1.0)
        fields = np.clip(fields, *FIELD_LIMITS)
        field = sample(fields, graft.grid.indices(points))
        levels = _levels(shown / field, mix, _textbook(graft.face, shown / field, mix))
    left = shown - (mix @ levels) * field
    limit = 3 * MAD * float(np.median(np.abs(left))) if left.size else 0.0
    rest = _spread(
        graft.grid, points, np.clip(left, -limit, limit), np.ones_like(left), SEAM_MM, hold=SEAM_HOLD
    )
    return Look(levels, fields, rest, graft.grid, noise)


def _textbook(face: Face, shown: Volume, mix: Volume) -> Volume:
    """(L,) the table of the contrast that is most like what the ring shows, in its units."""
    best: Volume = face.levels[0]
    least = np.inf
    for table in face.levels:
        usual = mix @ table
        gain = float((usual * shown).sum() / max(float((usual * usual).sum()), 1e-6))
        error = float(np.abs(shown - gain * usual).mean())
        if error < least:
            best, least = np.asarray(table * np.float32(gain)), error
    return best


def _levels(shown: Volume, mix: Volume, usual: Volume) -> Volume:
    """(L,) levels by robust least squares, held to the usual ones where few voxels speak."""
    levels = usual.astype(np.float64)
    for _ in range(ROUNDS):
        off = np.abs(shown - mix @ levels)
        limit = 1.5 * MAD * np.median(off) + 1e-6
        weight = np.minimum(1.0, limit / np.maximum(off, limit))[:, None] * mix
        left = mix.T @ weight + PRIOR_VOXELS * np.eye(len(usual))
        levels = np.linalg.solve(left, weight.T @ shown + PRIOR_VOXELS * usual)
    levels[usual == 0] = 0  # air stays air, whatever the turbinates of a patient mix into it
    return np.asarray(levels, dtype=np.float32)


def _spread(
    grid: Grid, points: Vector, above: Volume, below: Volume, mm: float, *, hold: float, far: float = 0.0
) -> Volume:
    """(I, J, K) ratio of two sums over neighbours; `far` where there are none.

    Args:
        hold: what stands against the neighbours, as a share of their usual weight.
    """
    from scipy import ndimage as ndi

    shape = grid.values.shape
    cell = np.clip(np.rint(grid.indices(points)), 0, np.array(shape) - 1).astype(np.int64)
    flat = np.ravel_multi_index(tuple(cell.T), shape)
    size = int(np.prod(shape))
    top = ndi.gaussian_filter(np.bincount(flat, above, size).reshape(shape), mm / grid.mm, truncate=3)
    weight = np.bincount(flat, below, size).reshape(shape)
    held = hold * float(weight.sum() / max(1, np.count_nonzero(weight)))
    weight = ndi.gaussian_filter(weight, mm / grid.mm, truncate=3)
    return np.asarray((top + far * held) / (weight + held + 1e-12), dtype=np.float32)


def _noise(values: Volume, beside: Volume, ring: Ring, magnitude: bool) -> Noise:
    """Noise of tissue from neighbours that differ; of air from the air itself.

    The darker half of the tissue is asked: the noise of counts grows with them, and a face is no brain.
    """
    dark = ring.tissue & (values <= np.median(values[ring.tissue])) if ring.tissue.any() else ring.tissue
    apart = np.abs(values - beside)[dark]
    sd_tissue = float(MAD * np.median(apart) / np.sqrt(2)) if apart.size else 0.0
    air, least = values[ring.air], float(values.min()) if values.size else 0.0
    if air.size == 0:
        return Noise(least, least, 0.0, sd_tissue, rician=False)
    middle = float(np.median(air))
    if middle > 0:  # an ear that a head mask left out is no air
        air = air[air <= STRAY * middle]
    mean, sd = float(air.mean()), float(air.std())
    if magnitude and least >= 0 and sd > 0 and RAYLEIGH[0] < mean / sd < RAYLEIGH[1]:
        sd = float(np.sqrt((air.astype(np.float64) ** 2).mean() / 2))
        return Noise(0.0, 0.0, sd, sd, rician=True)
    return Noise(middle, least, MAD * float(np.median(np.abs(air - middle))), sd_tissue, rician=False)
