"""Stock-taking: what of a face was there, and what of it is gone, measured on the result itself.

Not what the volumes promise is counted but what the altered mask really took: it is brought, as any other
image, to an even grid and held against the head that was there before.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.locate.grid import Grid, Matrix, Volume, grid_affine, isotropic, volume_of
from medveil.protect.deface.outline import MM, crown_of
from medveil.protect.deface.parts import in_parts, mni_slices
from medveil.protect.deface.site import Site

BODY_OF_FACE = ("eyes", "nose", "cheeks", "mouth", "chin")
SKIN_BEHIND_MM = 72.0  # MNI y: in every intact face the skin of the midface lies further in front
SOLID_ASIDE_MM = 45.0
SOLID_BELOW_MM = -115.0


def take_stock(site: Site, altered: Mask, brain: Mask, volumes: tuple[str, ...]) -> dict[str, float]:
    """What the alteration took from the head.

    Args:
        altered: (I, J, K) what was altered; brain: (I, J, K) the brain with its margin, where nothing may be.
        volumes: names of parts.

    Returns:
        `removed_ml`: head removed. Per volume: `in_view_*`, the share of its usual place inside the field of
        view; `covered_*`, the share of its skin in view, its rim left out, that is gone (1 where there is none);
        `bare_*`, the share of what looks like its skin but is the brain's own surface, which is not counted
        in `covered_*`: an echo-planar image shows no scalp, and so the brain borders on air; `bare_crown`, the
        same share of the crown, which tells whether this is such an image;
        `spared_*`, the share of its tissue kept because the brain is near.
        `face_tissue`: the share of the place behind an intact face's skin that holds tissue: how much of a
        face there was to begin with.
    """
    lines, affine = site.skin_lines, site.to_skin_lines
    in_view = like(lines.grid, affine, np.ones(site.shape, dtype=bool)) > 0.5
    grid = replace(lines.grid, seen=lines.grid.seen & in_view)
    head, skin, to_mni = lines.head & grid.seen, lines.skin & grid.seen, lines.to_mni
    gone, near = like(grid, affine, altered), like(grid, affine, brain)
    kept, bare = near > 0.5, near > 0.05  # a voxel that is cut is neither gone nor kept
    masks = in_parts(volumes, head.shape, to_mni)

    out = {"removed_ml": float(gone[head].sum() * MM**3 / 1000)}
    for name, mask in masks.items():
        outer, tissue = _core(mask) & skin, mask & head
        out[f"in_view_{name}"] = _in_view(name, grid, to_mni)
        out[f"covered_{name}"] = _share(gone > 0.5, outer & ~bare, empty=1.0)
        out[f"bare_{name}"] = _share(bare, outer, empty=0.0)
        out[f"spared_{name}"] = _share(kept, tissue, empty=0.0)
    out["bare_crown"] = _share(bare, crown_of(head.shape, to_mni) & skin, empty=0.0)
    out["face_tissue"] = _share(head, _behind_faces(head.shape, to_mni) & grid.seen & ~kept, empty=1.0)
    return out


def like(grid: Grid, affine: Matrix, mask: Mask) -> Volume:
    """A mask of the image on the measuring grid, as the share of each voxel.

    Args:
        affine: (4, 4) voxel index of the mask to the RAS+ mm of the grid, which may be another image's.
    """
    from scipy import ndimage as ndi

    values, upright = volume_of(Image(mask.view(np.uint8), affine))
    small = isotropic(values, upright, grid.mm, outside=0.0)
    shift = np.linalg.inv(grid_affine(small.origin, small.mm)) @ grid_affine(grid.origin, grid.mm)
    if small.values.shape == grid.values.shape and np.allclose(shift, np.eye(4), atol=1e-6):
        return small.values
    return np.asarray(
        ndi.affine_transform(
            small.values, shift[:3, :3], shift[:3, 3], output_shape=grid.values.shape, order=1
        ),
        dtype=np.float32,
    )


def _core(part: Mask) -> Mask:
    """A part without its rim: at the rim a voxel of this grid lies half in the part, and so half gone."""
    from scipy import ndimage as ndi

    return np.asarray(ndi.binary_erosion(part, border_value=1), dtype=bool)


def _behind_faces(shape: tuple[int, ...], to_mni: Matrix) -> Mask:
    """Where every intact face holds tissue: behind the skin of the flattest one, between jaw and brow."""
    out = np.zeros(shape, dtype=bool)
    parts = in_parts(BODY_OF_FACE, shape, to_mni)
    for i, (x, y, z) in enumerate(mni_slices(shape, to_mni)):
        solid = (y < SKIN_BEHIND_MM) & (np.abs(x) < SOLID_ASIDE_MM) & (z > SOLID_BELOW_MM)
        out[i] = solid & np.any([p[i] for p in parts.values()], axis=0)
    return out


def _in_view(name: str, grid: Grid, to_mni: Matrix) -> float:
    """Share of a part's usual place that the field of view holds."""
    step, start, shape = 4.0, np.array([-94.0, -70.0, -140.0]), (48, 38, 56)
    lattice = grid_affine(start, step)
    points = np.argwhere(in_parts((name,), shape, lattice)[name]) * step + start
    from_mni = np.linalg.inv(to_mni)
    at = np.round(points @ from_mni[:3, :3].T + from_mni[:3, 3]).astype(int)
    inside = at[((at >= 0) & (at < grid.seen.shape)).all(1)]
    return float(grid.seen[inside[:, 0], inside[:, 1], inside[:, 2]].sum() / max(1, len(points)))


def _share(mask: Mask, of: Mask, empty: float) -> float:
    return float(mask[of].mean()) if of.any() else empty
