"""Bust: the surface that a photograph shows, a head with its hair on a clothed neck.

    Head + Hair ──bust──> triangles, normals, height above the skin

The head's grid may be coarse; the triangles about eyes, brows, nose and mouth are split once more, because
a recogniser looks there and the iris is only eight voxels wide. Frame: head coordinates, RAS+ mm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.simulate.hair import Hair, grow
from medveil.simulate.head import Head

Array = npt.NDArray[Any]

BEHIND_MM = -84.0  # nothing behind this y is seen in a portrait, so no triangles are spent on it

UNDER_CLOTHES_MM = -147.0  # the neck is left out below this height: the shirt is there


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """A signed distance on a grid that can be asked anywhere; beyond the grid its border is continued."""

    phi: Array
    origin_mm: Array
    spacing_mm: float

    def __call__(self, points_mm: Array) -> Array:
        """(V,) float32 mm at (V, 3) points."""
        from scipy.ndimage import map_coordinates

        at = ((points_mm - self.origin_mm) / self.spacing_mm).T
        return np.asarray(map_coordinates(self.phi, at, order=1, mode="nearest"))


@dataclass(frozen=True, eq=False, repr=False)
class Bust:
    """A surface to paint and light.

    Args:
        vertices: (V, 3) mm; the first `body` of them belong to head and hair, the others to the clothes.
        normals: (V, 3) unit, outward.
        faces: (F, 3) indices.
        above_skin_mm: (V,) distance to the bare head.
        body: see above.
        solid: head with hair, for shadows.
    """

    vertices: Array
    normals: Array
    faces: Array
    above_skin_mm: Array
    body: int
    solid: Volume


def make_bust(head: Head, hair: Hair) -> Bust:
    """Triangulate a head with its hair, refine the face, add shoulders."""
    from skimage.measure import marching_cubes

    phi = grow(head, hair)
    start = int(np.searchsorted(head.axes[1], BEHIND_MM))
    vertices, faces, normals, _ = marching_cubes(phi[:, start:], 0.0, allow_degenerate=False)
    origin = head.origin_mm + np.array([0.0, start * head.spacing_mm, 0.0])
    vertices = vertices * head.spacing_mm + origin
    solid = Volume(phi, head.origin_mm, head.spacing_mm)
    normals = normals * _outward(solid, vertices, normals)
    vertices, normals, faces = refine(vertices, normals, faces, _worth_refining(head, vertices))
    above = Volume(head.phi, head.origin_mm, head.spacing_mm)(vertices)
    clothed = (vertices[:, 2] < UNDER_CLOTHES_MM) & (above < 1)
    faces = faces[~clothed[faces].all(axis=1)]
    cloth, cloth_normals, cloth_faces = shoulders(head, solid)
    return Bust(
        vertices=np.concatenate([vertices, cloth]).astype(np.float32),
        normals=np.concatenate([normals, cloth_normals]).astype(np.float32),
        faces=np.concatenate([faces, cloth_faces + len(vertices)]),
        above_skin_mm=np.concatenate([above, np.zeros(len(cloth))]).astype(np.float32),
        body=len(vertices),
        solid=solid,
    )


def _outward(solid: Volume, vertices: Array, normals: Array) -> float:
    """+1 if these normals leave the solid, -1 if they enter it (asked at every hundredth vertex)."""
    at, along = vertices[::100], normals[::100]
    return 1.0 if float((solid(at + along) - solid(at - along)).sum()) > 0 else -1.0


def _worth_refining(head: Head, v: Array) -> Array:
    """(V,) True about the eyes with their brows and about nose and mouth."""
    x, y, z = v.T
    eyes = (np.abs(x) < 58) & (z > -22) & (z < 36) & (y > 62)
    mouth = (np.abs(x) < 36) & (z > head.levels["sto_z"] - 20) & (z <= -22) & (y > 72)
    return np.asarray(eyes | mouth)


def refine(vertices: Array, normals: Array, faces: Array, worth: Array) -> tuple[Array, Array, Array]:
    """Split each triangle whose corners are all `worth` it into four.

    Midpoints lie on their edges, so coarse neighbours need no change: no gap opens between them.

    Returns:
        Vertices, unit normals and faces; old vertices keep their places in front.
    """
    split = worth[faces].all(axis=1)
    few = faces[split]  # (S, 3)
    if not len(few):
        return vertices, normals, faces
    edges = np.sort(few[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)  # (3 S, 2)
    pairs, index = np.unique(edges[:, 0] * len(vertices) + edges[:, 1], return_inverse=True)
    a, b = pairs // len(vertices), pairs % len(vertices)
    middle = (vertices[a] + vertices[b]) / 2
    tilt = normals[a] + normals[b]
    tilt /= np.maximum(np.linalg.norm(tilt, axis=1, keepdims=True), 1e-9)
    m = index.reshape(-1, 3) + len(vertices)  # midpoints of 01, 12, 20
    c = few
    four = [
        np.stack([c[:, 0], m[:, 0], m[:, 2]], axis=1),
        np.stack([m[:, 0], c[:, 1], m[:, 1]], axis=1),
        np.stack([m[:, 2], m[:, 1], c[:, 2]], axis=1),
        m,
    ]
    return (
        np.concatenate([vertices, middle]),
        np.concatenate([normals, tilt]),
        np.concatenate([faces[~split], *four]),
    )


def shoulders(head: Head, solid: Volume, around: int = 72, along: int = 36) -> tuple[Array, Array, Array]:
    """A shirt: rings from the collar down to the chest, kept outside the neck.

    Returns:
        (V, 3) vertices mm, (V, 3) unit normals, (F, 3) faces.
    """
    p = head.geometry.p
    wide = 1.0 if head.person.sex > 0 else 0.88
    r, back = p["neck_r"], p["neck_y"]
    #           half width   half depth  middle y    height
    rings = np.array(
        [
            (r + 0.5, r + 0.5, back - 4, -137),
            (r + 3.5, r + 3.0, back - 5, -142),
            (r + 10, r + 7, back - 7, -150),
            (r + 28, r + 12, back - 10, -159),
            (108 * wide, 70, back - 12, -168),
            (150 * wide, 78, back - 14, -182),
            (178 * wide, 88, back - 14, -206),
            (190 * wide, 98, back - 12, -250),
            (192 * wide, 102, back - 12, -300),
        ]
    )
    steps = np.linspace(0, len(rings) - 1, along)
    a, b, middle, z = (np.interp(steps, np.arange(len(rings)), rings[:, k])[:, None] for k in range(4))
    turn = np.linspace(0, 2 * np.pi, around, endpoint=False)[None]
    fall = np.clip((z + 170) / 33, 0, 1)  # a collar is higher at the nape
    height = z - 0.08 * r * fall * np.cos(turn)
    grid = np.stack([a * np.sin(turn), middle + b * np.cos(turn), height], axis=-1)  # (along, around, 3)
    for _ in range(3):  # a collar inside the neck would be dark and show only in part
        gap = np.clip(1.2 - solid(grid.reshape(-1, 3)).reshape(along, around), 0, 8)
        grid = grid + gap[..., None] * np.stack([np.sin(turn), np.cos(turn), 0 * turn], axis=-1)
    down = np.gradient(grid, axis=0)
    right = np.roll(grid, -1, axis=1) - np.roll(grid, 1, axis=1)
    normals = np.cross(right, down)
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    outwards = (normals * (grid - np.array([0, back, -300.0]))).sum() > 0
    normals = normals if outwards else -normals
    i, j = np.meshgrid(np.arange(along - 1), np.arange(around), indexing="ij")
    here, next_ = i * around + j, i * around + (j + 1) % around
    faces = np.concatenate(
        [
            np.stack([here, next_, here + around], axis=-1).reshape(-1, 3),
            np.stack([next_, next_ + around, here + around], axis=-1).reshape(-1, 3),
        ]
    )
    return grid.reshape(-1, 3), normals.reshape(-1, 3), faces
