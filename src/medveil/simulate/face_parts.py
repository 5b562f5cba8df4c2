"""Face parts: which voxels of a scan are the skin of eyes, nose, cheeks, mouth, chin and ears.

The truth against which a defacer is judged. It comes from the person's own measures and from nothing that a
defacer may use: no template, no box in a common space, no grey level. Skin here is the outermost layer of
voxels that are at least half head; nasal cavity and throat have none. Where voxels are larger than an ear
is thick, only the thick of the ear is marked.

What wraps around to the other edge of a view is not marked.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from scipy.ndimage import affine_transform, binary_erosion

from medveil.simulate.field import Grid, Vector
from medveil.simulate.head import Head
from medveil.simulate.scan import Scan
from medveil.simulate.tissues import Labels

EYE_MM = 20.0
"""Lids, lashes and corners of an eye lie within this distance of its centre."""
NOSE_MM, MOUTH_MM, CHIN_MM = 18.0, 30.0, 28.0
"""Half widths; nose and mouth grow with a person who has wider ones."""
FOLD_MM = 16.0
"""How far under the line of the mouth the fold above the chin runs."""
EAR_MM = 1.5
"""Skin that stands out of the head without ears by this much belongs to an ear."""
ORBIT_Z_MM, TRAGUS_MM = -12.0, 6.0
"""The cheek begins under the orbit, and this far in front of the ear."""


class FacePart(IntEnum):
    """Values of the map of `face_parts`; 0 is everything else."""

    EYES = 1
    NOSE = 2
    CHEEKS = 3
    MOUTH = 4
    CHIN = 5
    EARS = 6


def face_parts(head: Head, seen: Scan, *, volume: int = 0) -> Labels:
    """The skin of each part of the face, on the grid of a scan.

    Args:
        head: whose scan it is, from `head_for` or `build_head`.
        seen: the scan.
        volume: which one of several; each has its own pose.

    Returns:
        (I, J, K) uint8, values of `FacePart`.
    """
    shape = seen.labels.shape
    to_head = np.linalg.inv(seen.poses[volume]) @ seen.image.affine
    to_grid = np.linalg.inv(head.affine) @ to_head

    def sampled(phi: Grid) -> Grid:
        # Beyond its box the neck goes on as it left: its cut is no skin.
        out: Grid = affine_transform(
            phi, to_grid[:3, :3], to_grid[:3, 3], output_shape=shape, order=1, mode="nearest"
        )
        return out

    inside = sampled(head.phi) < 0
    skin = inside & ~binary_erosion(inside, np.ones((3, 3, 3), bool), border_value=1)
    voxels = np.argwhere(skin)
    at_mm = voxels @ to_head[:3, :3].T + to_head[:3, 3]
    beyond_head = sampled(head.phi_without_ears)[tuple(voxels.T)]
    out = np.zeros(shape, np.uint8)
    out[tuple(voxels.T)] = _named(head, at_mm, beyond_head > EAR_MM)
    return out


def _named(head: Head, at_mm: Vector, ears: npt.NDArray[np.bool_]) -> Labels:
    """Part of each point (N, 3) of the skin, head mm."""
    p, level = head.person.shape, head.levels
    x, y, z = at_mm.T
    aside, eyes_y = np.abs(x), float(np.mean([c[1] for c in head.eye_centres]))
    fold_z, nose_z = level["sto_z"] - FOLD_MM, level["sub_z"] - 2.0
    front = y > eyes_y - 40.0
    between = z > fold_z
    # The edge of the lower jaw runs from its angle to the chin; what lies under it is neck.
    jaw_z = np.interp(y, [6.0, 84.0 + p["chin_p"]], [p["gon_z"], level["ment_z"]])
    near_eye = np.zeros(len(x), bool)
    for centre in head.eye_centres:
        near_eye |= (np.linalg.norm(at_mm - centre, axis=1) < EYE_MM) & (y > centre[1])
    before_ear = p["ear_y"] + TRAGUS_MM
    out = np.zeros(len(x), np.uint8)
    out[between & (z > jaw_z) & (z < ORBIT_Z_MM) & (y > before_ear)] = FacePart.CHEEKS
    out[front & (aside < CHIN_MM) & (z >= level["ment_z"]) & ~between] = FacePart.CHIN
    out[front & (aside < max(MOUTH_MM, p["mouth_w"] + 4.0)) & between & (z < nose_z)] = FacePart.MOUTH
    nose_half = max(NOSE_MM, p["ala_w"] + 2.0)
    out[front & (aside < nose_half) & (z >= nose_z) & (z < 4.0)] = FacePart.NOSE
    out[near_eye] = FacePart.EYES
    out[ears] = FacePart.EARS
    return out
