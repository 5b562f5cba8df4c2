"""Wrapped: a face that leaves the view at one edge and comes in again at the opposite one.

    back edge                          front edge │ beyond the view
    │ nose   air   occiput   brain   eyes   mouth │ nose
      ▲                                              │
      └──────────── folded: N voxels back ───────────┘

A scanner folds what lies beyond the view onto the other side of it. There no volume of the face looks for it. So
the volumes go on beyond each edge at which tissue of the face leaves, and are folded as the scanner folds.
Plane N of a head follows on plane N - 1, so what came in touches the opposite edge, at the place of the cut. Where
nothing is there, nothing came in: a view that only ends before the face loses nothing.

What came in is mostly a piece of its own, with air around it: the head itself is then spared. Where it cannot be
told from the head, all goes that lies as far in as a face can reach.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, bright, grid_affine, largest, onto
from medveil.protect.deface.motion import over_all
from medveil.protect.deface.outline import MM
from medveil.protect.deface.parts import PARTS, in_parts, mni_slices
from medveil.protect.deface.site import Site
from medveil.protect.deface.stock import like

REACH_MM = 60.0  # beyond an edge; a head of which more is missing is not found
LEAST_MM2 = 40.0  # of tissue on an edge; less is a speckle, or the last mm of a nose
PIECE_MM2 = 300.0  # of the cut where something else than the head lies; 8 mm of a nose have 450
MERGED_MM2 = (
    1000.0  # of the cut that is also the head's own other side; a nose and a nape that only touch have less
)
SAME_SHARE = 0.2  # of the cut at one edge that is tissue at the other: a head that wraps has more
FARTHEST_MM = (116.0, 125.0, -185.0)  # MNI |x|, y, z: no ear, nose or chin lies further out
USUAL_MM = (104.0, 110.0, -165.0)  # and hardly one lies here
WRAPPED_LEFT_ML = 0.1
NAMES = (
    ("the left", "the right"),
    ("the back", "the front"),
    ("the bottom", "the top"),
)  # ends of x, y, z in RAS

Plane = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Wrap:
    """What came in at one edge of an image.

    Args:
        altered: (I, J, K) where it may lie.
        likely: (I, J, K) where it lies in most people; the same, where it is a piece of its own.
        beyond: (3,) RAS mm from where it lies to where it belongs.
        left, entered: the edge where it left and the one where it came in, in words.
    """

    altered: Mask
    likely: Mask
    beyond: npt.NDArray[np.float64]
    left: str
    entered: str

    def remark(self) -> str:
        """For people."""
        return f"the face leaves the view at {self.left}; what may have come in at {self.entered} was erased"

    def moved(self, affine: Matrix, moves: tuple[Matrix, ...]) -> Wrap:
        """Where it lies in any volume of a series; the head moves where it belongs."""
        there = np.eye(4)
        there[:3, 3] = self.beyond
        here = tuple(np.linalg.inv(there) @ m @ there for m in moves)
        altered, likely = (over_all(m, affine, here) for m in (self.altered, self.likely))
        return replace(self, altered=altered, likely=likely)


def wraps(site: Site, names: tuple[str, ...]) -> tuple[Wrap, ...]:
    """What of the named volumes came in again, for each edge where it did.

    A CT and a PET do not fold. An edge without tissue of the face costs a look at one plane. From left to right only
    pieces of their own are looked for: sagittal views cut both ears and both cheeks.
    """
    from scipy import ndimage as ndi

    if site.found.modality != "mr":
        return ()
    tissue = _tissue(site)
    near = np.asarray(ndi.binary_dilation(site.outline.head), dtype=bool)  # and no speckle elsewhere
    found = (_wrap(site, names, tissue, near, axis, high) for axis, high in product(range(3), (False, True)))
    return tuple(w for w in found if w is not None)


def _wrap(site: Site, names: tuple[str, ...], tissue: Mask, near: Mask, axis: int, high: bool) -> Wrap | None:
    """What left at one end of an axis and came in at the other."""
    n = site.shape[axis]
    last, first, step = (n - 1, 0, 1) if high else (0, n - 1, -1)
    cut, area_mm2 = _plane(site, axis, last)
    leaves = _at(tissue & near, cut, site, axis, -step) & _named(names, cut, site)
    if leaves.sum() * area_mm2 < LEAST_MM2:
        return None
    entry, beyond = _plane(site, axis, first)[0], _plane(site, axis, last + step)[0]
    comes = _at(tissue, entry, site, axis, step) & _named(names, beyond, site)
    if (leaves & comes).sum() * area_mm2 < LEAST_MM2:  # plane N follows on plane N - 1
        return None

    # The body of the head is closed and filled, and may have swallowed a piece on the way.
    lines = site.outline
    head = lines.head & (largest(lines.tissue) | ~lines.tissue)
    of_head = _at(head, entry, site, axis, step)
    same = (leaves & comes).sum() >= SAME_SHARE * leaves.sum()
    sideways = axis == int(np.abs(site.image.affine[0, :3]).argmax())
    merged = bool(not sideways and same and (leaves & comes & of_head).sum() * area_mm2 >= MERGED_MM2)
    if not merged and (leaves & comes & ~of_head).sum() * area_mm2 < PIECE_MM2:
        return None  # the head's own other side
    if merged:
        mask, likely = (_folded(site, names, axis, high, limits) for limits in (FARTHEST_MM, USUAL_MM))
    else:
        mask = _folded(site, names, axis, high)
        mask &= ~_spared(site, tissue, head, mask)
        likely = mask
    if not mask.any():
        return None
    world = site.image.affine[:3, axis] * (n * step)
    ends = NAMES[int(np.abs(world).argmax())]
    forward = bool(world[np.abs(world).argmax()] > 0)
    return Wrap(mask, likely, world, ends[forward], ends[not forward])


def _tissue(site: Site) -> Mask:
    """(I, J, K) tissue on the even grid, thin things and what lies at an edge included."""
    lines = site.outline
    return np.asarray(bright(lines.grid.values, opened=False) & lines.grid.seen | lines.tissue, dtype=bool)


def _plane(site: Site, axis: int, index: int) -> tuple[Plane, float]:
    """(4, P) voxel indices, homogeneous, about 3 mm apart in a plane across an axis, and the mm2 of each."""
    spacing = site.image.spacing_mm
    steps = [max(1, round(MM / s)) for s in spacing]
    lines = [np.arange(0, n, s, dtype=np.float64) for n, s in zip(site.shape, steps, strict=True)]
    lines[axis] = np.array([float(index)])
    area = float(np.prod([s * t for a, (s, t) in enumerate(zip(spacing, steps, strict=True)) if a != axis]))
    points = np.stack([c.ravel() for c in np.meshgrid(*lines, indexing="ij")])
    return np.vstack([points, np.ones((1, points.shape[1]))]), area


def _at(mask: Mask, plane: Plane, site: Site, axis: int, inward: int) -> npt.NDArray[np.bool_]:
    """(P,) whether a mask on the even grid is True at a plane of the image or within 3 mm behind it."""
    grid = site.outline.grid
    into = np.linalg.inv(grid_affine(grid.origin, grid.mm)) @ site.image.affine
    out = np.zeros(plane.shape[1], dtype=bool)
    for depth_mm in (0.0, MM / 2, MM):
        at = into @ plane + (into[:, axis] * inward * depth_mm / site.image.spacing_mm[axis])[:, None]
        cell = np.rint(at[:3]).astype(int)
        inside = ((cell >= 0) & (cell < np.array(mask.shape)[:, None])).all(0)
        out[inside] |= mask[tuple(cell[:, inside])]
    return out


def _named(names: tuple[str, ...], plane: Plane, site: Site) -> npt.NDArray[np.bool_]:
    """(P,) whether points of a plane lie in any of the named volumes."""
    x, y, z = (site.to_mni @ plane)[:3]
    return np.asarray(np.any([PARTS[name](x, y, z) for name in names], axis=0), dtype=bool)


def _folded(
    site: Site,
    names: tuple[str, ...],
    axis: int,
    high: bool,
    limits: tuple[float, float, float] | None = None,
) -> Mask:
    """(I, J, K) the named volumes beyond an edge, where they come in; perhaps only as far out as some limits."""
    n = site.shape[axis]
    depth = min(int(np.ceil(REACH_MM / site.image.spacing_mm[axis])), n // 2)
    slab = tuple(depth if a == axis else m for a, m in enumerate(site.shape))
    to_slab = np.eye(4)
    to_slab[axis, 3] = n if high else -depth
    to_mni = site.to_mni @ to_slab
    volumes = np.any(list(in_parts(names, slab, to_mni).values()), axis=0)
    if limits is not None:
        aside, ahead, below = limits
        for i, (x, y, z) in enumerate(mni_slices(slab, to_mni)):
            volumes[i] &= (np.abs(x) < aside) & (y < ahead) & (z > below)
    out = np.zeros(site.shape, dtype=bool)
    entered = slice(0, depth) if high else slice(n - depth, n)
    out[tuple(entered if a == axis else slice(None) for a in range(3))] = volumes
    return out


def _spared(site: Site, tissue: Mask, head: Mask, folded: Mask) -> Mask:
    """(I, J, K) the head with its rim, but nothing that is as near to what came in."""
    from scipy import ndimage as ndi

    rim = ndi.binary_dilation(head)
    pieces = (tissue & ~rim | site.outline.tissue & ~head) & (
        like(site.outline.grid, site.image.affine, folded) > 0
    )
    out = head | rim & ~ndi.binary_dilation(pieces, iterations=2)
    return onto(np.asarray(out, dtype=bool), site.outline.grid, site.image.affine, site.shape)


def wrapped_stock(site: Site, wrapped: tuple[Wrap, ...], altered: Mask) -> dict[str, float]:
    """Tissue at the places where something came in, in millilitres, measured on the result.

    Args:
        wrapped: not empty; altered: (I, J, K) what was altered.

    Returns:
        `wrapped_ml`: gone; `wrapped_left_ml`: still there though it likely came in, because the brain is protected.
    """
    tissue, ml = _tissue(site), MM**3 / 1000
    gone = np.any([w.altered for w in wrapped], axis=0) & altered
    left = np.any([w.likely for w in wrapped], axis=0) & ~altered
    return {
        "wrapped_ml": float(like(site.outline.grid, site.image.affine, gone)[tissue].sum() * ml),
        "wrapped_left_ml": float(like(site.outline.grid, site.image.affine, left)[tissue].sum() * ml),
    }
