"""Shear: one plane laid against the brain; all that lies before and below it becomes air.

    brain + margin ──largest piece──> convex hull ──> a plane per pitch, each touching the hull from below
    skin of the face ──> how much of every part lies beyond each plane ──> the best plane ──> erased

    (sagittal)      brain  brain                All planes are symmetric from left to right in MNI: what is
                 brain  brain  / forehead       chosen is the pitch, and the hull then says how far up the
                  brain  ___--/   eyes          plane can go. Of all that can be laid against this brain the
            stem  ___--- plane    nose          one is taken that takes most of the face.
          ___-----        mouth   chin

The idea is that of Quickshear (Schimke and Hale, 2011), which lays the line against a projection of the
brain, takes the first edge of its lower hull, and counts its buffer in voxels. Here the margin is in
millimetres, the plane is the best and not the first, it follows the head and not the image's axes, and a
stray voxel of a brain mask does not hold it back: only the largest piece of the mask does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.core.release import Mask
from medveil.locate.grid import Matrix, Vector, largest
from medveil.protect.deface.method import Change, Method
from medveil.protect.deface.parts import in_parts
from medveil.protect.deface.site import Site

AIMS = ("eyes", "nose", "cheeks", "mouth", "chin")
"""What a plane is chosen for; the size of a part does not count, or the large cheeks would decide alone."""
PROMISED, PROMISE = ("nose", "mouth"), 10.0
"""What is promised counts so many times as much as the rest."""
WEIGHTS = tuple(PROMISE if part in PROMISED else 1.0 for part in AIMS)
PITCHES_DEG = np.arange(10.0, 86.0)
"""Of the normal: 0 looks straight ahead, 90 straight down."""
UP, LOWEST_MM = np.array([0.0, 0.0, 1.0]), -215.0
"""MNI z down to which the plane cuts, as far as `parts.chin` reaches: of a body in view, no more goes."""
MM = 3.0
THINNED = 3.0
"""The hull is that of about one voxel in 3 mm; no voxel of the brain changes in any case."""


@dataclass(frozen=True, kw_only=True)
class Shear(Method):
    """Deface by one plane against the brain.

    Nothing of nose, mouth and throat is left behind the plane. The sides of the face, the ears, the brow and
    with it a good part of the eyes stay: `covered_*` says how much of each is gone.
    """

    name: ClassVar[str] = "deface.shear"
    summary: ClassVar[str] = "lay a plane against the brain and erase all that lies before and below it"

    @property
    def volumes(self) -> tuple[str, ...]:
        return PROMISED

    @property
    def leaving(self) -> tuple[str, ...]:
        return AIMS

    @property
    def watched(self) -> tuple[str, ...]:
        return ("eyes", "cheeks", "chin", "ears")

    def describe(self) -> str:
        return (
            "find the head, lay a plane against the brain from before and below, erase everything beyond it, "
            f"and change nothing within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        points = hull(site)
        faces = face_skin(site)
        if not len(points) or not any(len(f) for f in faces):  # no brain or no face is in view
            return Change(np.zeros(site.shape, dtype=bool), site.air)
        normal, limit = best_plane(points, faces, WEIGHTS)
        before = beyond(normal, limit, site.shape, site.to_mni)
        return Change(before & beyond(UP, LOWEST_MM, site.shape, site.to_mni), site.air)


def best_plane(
    hull_points: Vector, faces: list[Vector], weights: Sequence[float] = ()
) -> tuple[Vector, float]:
    """The plane against a hull that has most of the face beyond it.

    Args:
        hull_points: (N, 3) MNI mm of the protected region's corners.
        faces: for each part of the face (M, 3) MNI mm of its skin; a part without any does not count.
        weights: of the parts; all the same by default.

    Returns:
        normal (3,), of length 1, forward and down, and the largest `normal @ point` of the hull: what has
        more lies beyond the plane.
    """
    pitches = np.deg2rad(PITCHES_DEG)
    normals = np.stack([np.zeros_like(pitches), np.cos(pitches), -np.sin(pitches)])  # (3, P)
    limits = (hull_points @ normals).max(axis=0)
    taken = [
        weight * (skin @ normals > limits).mean(axis=0)
        for skin, weight in zip(faces, weights or [1.0] * len(faces), strict=True)
        if len(skin)
    ]
    best = int(np.sum(taken, axis=0).argmax())
    return normals[:, best], float(limits[best])


def beyond(normal: Vector, limit: float, shape: tuple[int, ...], to_mni: Matrix) -> Mask:
    """(I, J, K) True where an array's voxels lie beyond the plane `normal @ point = limit` in MNI mm."""
    row = normal @ to_mni[:3]  # (4,): the distance is linear in the voxel's indices
    i, j, k = (r * np.arange(n) for r, n in zip(row[:3], shape, strict=True))
    return np.asarray(i[:, None, None] + j[None, :, None] + k[None, None, :] > limit - row[3], dtype=bool)


def hull(site: Site) -> Vector:
    """(N, 3) MNI mm: the corners of the convex hull of the brain and its margin."""
    from scipy.spatial import ConvexHull

    steps = np.array([max(1, int(THINNED / s)) for s in site.image.spacing_mm])
    thin = largest(site.brain[tuple(slice(None, None, s) for s in steps)])
    at = np.argwhere(thin) * steps
    points = at @ site.to_mni[:3, :3].T + site.to_mni[:3, 3]
    if len(points) < 4 or np.linalg.matrix_rank(points - points[0], tol=1.0) < 3:
        return np.asarray(points, dtype=np.float64)
    return np.asarray(points[ConvexHull(points).vertices], dtype=np.float64)


def face_skin(site: Site) -> list[Vector]:
    """For each part of `AIMS`, (M, 3) MNI mm of its skin in view."""
    lines, to_mni = site.outline, site.outline.to_mni
    masks = in_parts(AIMS, lines.head.shape, to_mni)
    return [np.argwhere(masks[name] & lines.skin) @ to_mni[:3, :3].T + to_mni[:3, 3] for name in AIMS]
