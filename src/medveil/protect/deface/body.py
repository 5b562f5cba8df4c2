"""Body: the head and what it grows out of, without what it lies on.

    image ──3 mm grid──> solid ──opening──> pieces ──> the one with the brain ──> + its skin, nose and ears

Opening cuts what is thin: the shell of a couch, a strap, the arms of a head holder. It cuts noses and ears
as well, which are therefore taken back by their place.
"""

from __future__ import annotations

import numpy as np

from medveil.core.release import Mask
from medveil.locate.grid import bright, onto
from medveil.locate.head import looks_like_hounsfield
from medveil.protect.deface.parts import in_parts, near_brain
from medveil.protect.deface.site import Site

MM = 3.0
SOLID_HU = -500.0  # a foam has less; a skin that fills half a voxel, and a thin ear, have more
CUT = 2  # voxels of 3 mm: what is thinner than about 12 mm is cut off
TOUCHING = 2  # and what lies this near to the body is taken back: skin, and of a headrest no more


def body(site: Site) -> Mask:
    """(I, J, K) True in the body that the brain lies in, its airways, and one voxel of 3 mm around."""
    from scipy import ndimage as ndi

    grid, to_mni = site.outline.grid, site.outline.to_mni
    hounsfield = site.found.modality == "ct" and looks_like_hounsfield(site.image.values())
    solid = (grid.values > SOLID_HU if hounsfield else bright(grid.values, opened=False)) & grid.seen
    brain = near_brain(solid.shape, to_mni, 0.0, site.mm_per_mni)

    whole = _filled(solid)
    core = _piece_with(brain, ndi.binary_opening(np.pad(whole, CUT, mode="edge"), iterations=CUT), CUT)
    out = ndi.binary_dilation(core, iterations=TOUCHING) & whole
    thin = in_parts(("nose", "ears"), solid.shape, to_mni)
    out |= solid & (thin["nose"] | thin["ears"])
    return onto(ndi.binary_dilation(_filled(out)) | brain, grid, site.image.affine, site.shape)


def _filled(mask: Mask) -> Mask:
    """A mask with the holes of its slices filled: the airways open outwards in some slices only."""
    from scipy import ndimage as ndi

    out = mask.copy()
    for axis in range(3):
        for plane in np.moveaxis(out, axis, 0):
            plane |= ndi.binary_fill_holes(plane)
    return out


def _piece_with(brain: Mask, padded: Mask, by: int) -> Mask:
    """The connected piece of a padded mask that holds most of the brain."""
    from scipy import ndimage as ndi

    labels, n = ndi.label(padded[(slice(by, -by),) * 3])
    shares = np.bincount(labels[brain], minlength=n + 1)
    shares[0] = 0
    return np.asarray(labels == shares.argmax(), dtype=bool) if shares.any() else brain
