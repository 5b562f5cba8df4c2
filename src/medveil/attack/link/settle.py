"""Settle: the last millimetre of an alignment, so that two scans of one brain end at the same place.

    brain at an affine ──difference to the template──> twelve small corrections ──better? else half──> affine

A fit by mutual information at 4 mm ends a millimetre or two from where it would have ended from another start, and
two scans of one person scatter by that: enough to hide smooth differences between people. Here the two images
already have one contrast, so least squares applies. What each of the 12 corrections does to the TEMPLATE does
not depend on the scan, so it is worked out once for all of them, and a step costs a resampling and a product
of matrices. Only steps after which brain and template agree better are taken.

The inverse compositional method of Baker & Matthews, IJCV 56 (2004), on brains smoothed to about a centimetre's detail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from medveil.attack.link.lattice import Array, Lattice, lattice
from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Volume
from medveil.locate.register import CENTRE, apart_mm

FINE_MM, COARSE_MM = 3.0, 18.0  # sd of the Gaussians between which template and brain are compared
REACH_MM = 50.0  # from the middle of the brain, where a unit of each correction moves as much as a unit shift
MOST_STEPS, ARRIVED_MM = 10, 0.03
SHARES = (1.0, 0.5, 0.25)  # of a step


@dataclass(frozen=True, eq=False)
class Normal:
    """What is worked out once for a lattice.

    Args:
        shown: (V,) the template in the band that is compared, 0 at the edge of the brain.
        inner: (V,) True where it is compared.
        solve: (12, V) differences to corrections, row-major (3, 4): shift and three slopes of each axis.
    """

    shown: Volume
    inner: Mask
    solve: Array


@lru_cache(maxsize=4)
def _normal(mm: float) -> Normal:
    grid = lattice(mm)
    inner = grid.inner()
    shown = _banded(grid.tissue, grid)
    slopes = grid.gradient(shown) / mm  # (3, V) per MNI mm
    places = np.concatenate([np.ones((len(shown), 1)), (grid.points - CENTRE) / REACH_MM], axis=1)  # (V, 4)
    moved = (slopes.T[:, :, None] * places[:, None, :]).reshape(len(shown), 12)
    # The last two columns take up brightness and contrast, which no correction of the place should.
    columns = np.column_stack([moved, shown, np.ones(len(shown))]) * inner[:, None]
    return Normal(shown * inner, inner, np.linalg.pinv(columns)[:12].astype(np.float32))


def settled(at: Callable[[Matrix], Volume], affine: Matrix, mm: float) -> Matrix:
    """An affine that is nearly right, moved to where brain and template agree best.

    Args:
        at: harmonised (V,) values of the image under an affine, NaN out of view.
        affine: (4, 4) MNI mm to the image's RAS+ mm.
        mm: of the lattice.
    """
    grid, normal = lattice(mm), _normal(mm)

    def seen(affine: Matrix) -> tuple[Volume, float]:
        values = np.where(normal.inner, _banded(at(affine), grid), np.float32(0))
        return values, _agreement(values, normal.shown)

    values, here = seen(affine)
    for _ in range(MOST_STEPS):
        if not here > 0:  # nothing of a brain in view: there is nothing to follow
            break
        scale = float(values @ normal.shown) / float(values @ values)
        corrections = (normal.solve @ (scale * values - normal.shown)).reshape(3, 4)
        tried = ((m, *seen(m)) for m in (affine @ _undone(share * corrections) for share in SHARES))
        better = next((t for t in tried if t[2] > here), None)
        if better is None:
            break
        arrived = apart_mm(better[0], affine) < ARRIVED_MM
        affine, values, here = better
        if arrived:
            break
    return affine


def _banded(values: Volume, grid: Lattice) -> Volume:
    return grid.band(values, FINE_MM / grid.mm, COARSE_MM / grid.mm)


def _agreement(a: Volume, b: Volume) -> float:
    """Cosine; 0 if one side shows nothing."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length > 1e-12 else 0.0


def _undone(corrections: Array) -> Matrix:
    """(4, 4) MNI mm to MNI mm: the inverse of what the corrections do."""
    out = np.eye(4)
    slopes = corrections[:, 1:] / REACH_MM
    out[:3, :3] += slopes
    out[:3, 3] = corrections[:, 0] - slopes @ CENTRE
    return np.asarray(np.linalg.inv(out), dtype=np.float64)
