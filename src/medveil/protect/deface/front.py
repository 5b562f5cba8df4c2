"""Front: the air before a face, and how deep under it everything lies.

    from before, along MNI -y:   air air air | skin fat bone brain      a column of air ends at the first tissue;
                                 air | skin fat bone | sinus | brain    what lies near to such air is skin

No brain lies so near to the air in front of a face: under the skin of the brow there are fat and bone. Where
a brain was fitted a few millimetres too far forward, or a forehead is flat, its margin would still reach
into that skin and keep an eyebrow. So the margin ends before the skin. Nose, sinuses and mouth are no such
air: something lies before them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, grid_affine, largest
from medveil.protect.deface.outline import MM, Outline
from medveil.protect.deface.parts import mni_slices

BROW_MM, FOREHEAD_MM = (-20.0, 12.5), (-12.0, 8.0)
"""(MNI z, depth in MNI mm): skin, and what lies under it, is so deep from the brow down, and from the forehead up; between
them it thins evenly. In six simulated heads the skin of the eyes ended at 12.7 and the brain began at 13.1 below the
brow; above it the brain began at 8.5."""
FIRST_MM, LAST_MM = np.array([-80.0, 30.0, -220.0]), np.array([80.0, 170.0, 70.0])
"""Corners of the lattice, MNI mm."""
FLATTEST_MM = 70.0
"""MNI y: the middle of every intact face lies before it."""


@dataclass(frozen=True, eq=False)
class Front:
    """A face as it is met from before, on a lattice of MNI mm, 3 mm apart.

    Args:
        met: (X, Z) MNI y of the foremost tissue; nan where there is none, or where it may go on out of view.
        depth_mm: (X, Y, Z) distance to the air before the face.
    """

    met: npt.NDArray[np.float64]
    depth_mm: npt.NDArray[np.float32]

    @property
    def is_a_face(self) -> bool:
        """Whether the middle of the face lies where every face does, and not further back, as if cut off."""
        x, z = (f + MM * np.arange(n) for f, n in zip(FIRST_MM[[0, 2]], self.met.shape, strict=True))
        middle = self.met[np.ix_(np.abs(x) < 30.0, (z > -75.0) & (z < -25.0))]
        known = middle[np.isfinite(middle)]
        return known.size > middle.size / 2 and float(np.median(known)) > FLATTEST_MM

    def skin(self, shape: tuple[int, ...], to_mni: Matrix) -> Mask:
        """(I, J, K) True in the skin of the face, what lies right under it, and the air before it."""
        out = np.zeros(shape, dtype=bool)
        size = self.depth_mm.shape
        for i, xyz in enumerate(mni_slices(shape, to_mni)):
            at = [np.rint((c - f) / MM).astype(np.int32) for c, f in zip(xyz, FIRST_MM, strict=True)]
            known = np.all([(a >= 0) & (a < n) for a, n in zip(at, size, strict=True)], axis=0)
            deepest = np.interp(xyz[2], (BROW_MM[0], FOREHEAD_MM[0]), (BROW_MM[1], FOREHEAD_MM[1]))
            out[i][known] = (
                self.depth_mm[tuple(a[known] for a in at)] <= np.broadcast_to(deepest, known.shape)[known]
            )
        return out


def front_of(lines: Outline) -> Front:
    """The face of a head as seen from before."""
    from scipy import ndimage as ndi

    grid = lines.grid
    # Bridged are lids, which are thin and have dark eyes behind them. Holes are not filled slice by slice: the
    # socket of an eye is one, as seen from before.
    closed = ndi.binary_closing(np.pad(lines.tissue, 1, mode="edge"))[1:-1, 1:-1, 1:-1]
    head = largest(closed) & grid.seen
    shape = tuple(int(n) for n in (LAST_MM - FIRST_MM) / MM + 1)
    into = np.linalg.inv(lines.to_mni) @ grid_affine(FIRST_MM, MM)

    def on_the_lattice(mask: Mask) -> Mask:
        got = ndi.affine_transform(
            mask.view(np.uint8), into[:3, :3], into[:3, 3], output_shape=shape, order=0
        )
        return np.asarray(got > 0, dtype=bool)

    tissue, seen = on_the_lattice(head), on_the_lattice(grid.seen)
    foremost = shape[1] - 1 - tissue[:, ::-1].argmax(axis=1)
    y = np.arange(shape[1])[None, :, None]
    # Skin borders on air that was seen: where the field of view ends, nobody knows how far the head goes on.
    ends = np.minimum(foremost + 1, shape[1] - 1)[:, None]
    met = tissue.any(axis=1) & np.take_along_axis(seen & ~tissue, ends, axis=1)[:, 0]
    air = (y > foremost[:, None]) & met[:, None]
    depth = ndi.distance_transform_edt(~air) * MM if air.any() else np.full(shape, np.inf)
    return Front(np.where(met, FIRST_MM[1] + MM * foremost, np.nan), depth.astype(np.float32))
