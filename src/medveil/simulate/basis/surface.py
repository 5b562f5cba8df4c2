"""Surface: the skin of a head model, closed and made smooth, as matrices that do not depend on the person.

    skin (holes at eyes, mouth, neck) ──close──> no holes ──subdivide twice──> points 1 to 4 mm apart

The holes of eyes and mouth are capped by fans, the neck goes on straight down below every picture, and the
quads of a model are the cage of a smooth surface, which Loop's rules refine: flat facets a centimetre wide
would be seen as such, by people and by recognisers. All of it is linear in the vertices and the same for
everybody, so it is worked out once for a model and costs a product of sparse matrices a person.

A second matrix takes the ears away: their vertices fall to where a soap film across their roots would lie.
Hair grows on that head, and what stands out of it is an ear.

Source: Loop, "Smooth Subdivision Surfaces Based on Triangles", 1987 (weights 3/8, 1/8 and beta(n)).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import splu

from medveil.core.errors import InputRefused
from medveil.simulate.basis.layout import Layout

Array = npt.NDArray[Any]

ROUNDS = 2
NECK_STEP_MM, NECK_RINGS = 25.0, 6
CAP_MM = 9.0
"""The caps of the eyes are hollow so far: the eyeballs stand in them."""
# The ear on the mean head, seen from the side: its middle from the canal (forward, up), half axes, lean.
EAR_MIDDLE_MM, EAR_HALF_MM, EAR_LEAN_DEG = (-10.0, 1.0), (22.0, 35.0), 17.0
EAR_INWARD_MM = 25.0
"""Skin further inside than this from the canal is no ear, however near it looks from the side."""


@dataclass(frozen=True, eq=False, repr=False)
class Surface:
    """How skin becomes a closed smooth surface.

    Args:
        close: (C, S) sparse; the closed cage is close @ skin + shift.
        shift: (C, 3) mm.
        faces: (F, 3) triangles of the closed cage, counter-clockwise seen from outside.
        ears: numbers of the skin's vertices that belong to an ear.
        eye_holes: the rims of the eyes, vertex numbers in order round each hole, left then right.
    """

    close: sparse.csr_matrix
    shift: Array
    faces: Array
    ears: Array
    eye_holes: tuple[Array, Array]

    @classmethod
    def of(cls, triangles: Array, layout: Layout, mean: Array) -> Surface:
        """From a model's triangles and its mean head (V, 3) mm.

        Raises:
            InputRefused: the skin is no surface with an opening at the neck and one at each eye.
        """
        n = layout.skin
        faces = triangles[(triangles < n).all(axis=1)]
        skin = mean[:n].astype(np.float64)
        used = np.unique(faces)
        holes = _holes(faces)
        if len(holes) < 3 or len(used) != n:
            raise _no_surface()
        neck = min(range(len(holes)), key=lambda k: float(skin[holes[k], 2].mean()))
        balls = [mean[start:stop].mean(axis=0) for start, stop in layout.eyeballs]
        eyes = [
            min(range(len(holes)), key=lambda k: float(np.linalg.norm(skin[holes[k]].mean(axis=0) - ball)))
            for ball in balls
        ]
        if len({neck, *eyes}) < 3:
            raise _no_surface()
        close, shift, closed = _closed(faces, holes, neck, eyes, n)
        cage = close @ skin + shift
        if _volume(cage, closed) < 0:
            closed = closed[:, ::-1]
        ears = _ear_vertices(skin, layout)
        return cls(close, shift, closed, ears, (holes[eyes[0]], holes[eyes[1]]))

    @cached_property
    def refined(self) -> tuple[sparse.csr_matrix, Array]:
        """(P, C) sparse matrix from the cage to the smooth surface's points, and (Q, 3) its triangles."""
        matrix, faces = sparse.identity(self.close.shape[0], format="csr"), self.faces
        for _ in range(ROUNDS):
            step, faces = _loop(faces, matrix.shape[0])
            matrix = step @ matrix
        return matrix.tocsr(), faces

    @cached_property
    def _film(self) -> tuple[Any, sparse.csr_matrix]:
        """Factor of the ears' part of the graph's Laplacian, and its other part."""
        n, faces = self.close.shape[1], self.faces
        a, b = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
        inside = (a < n) & (b < n)
        links = sparse.coo_matrix((np.ones(inside.sum()), (a[inside], b[inside])), shape=(n, n)).tocsr()
        links = ((links + links.T) > 0).astype(np.float64)
        laplacian = (sparse.diags(np.asarray(links.sum(axis=1)).ravel()) - links).tocsr()
        rows = laplacian[self.ears]
        kept = np.ones(n)
        kept[self.ears] = 0
        return splu(rows[:, self.ears].tocsc()), rows @ sparse.diags(kept)

    def without_ears(self, skin: Array) -> Array:
        """(S, 3) mm: the skin (S, 3) with its ears pressed flat."""
        factor, rest = self._film
        out = skin.copy()
        out[self.ears] = factor.solve(-(rest @ skin))
        return out

    def points(self, skin: Array) -> tuple[Array, Array, Array]:
        """The smooth surface of one person.

        Returns:
            (P, 3) points mm, (P, 3) unit normals outwards, (P,) distance to the neighbouring points, mm.
        """
        matrix, faces = self.refined
        points = matrix @ (self.close @ skin + self.shift)
        a, b, c = (points[faces[:, k]] for k in range(3))
        across = np.cross(b - a, c - a)
        normals, near, count = np.zeros_like(points), np.zeros(len(points)), np.zeros(len(points))
        side = np.linalg.norm(b - a, axis=1)
        for k in range(3):
            for axis in range(3):
                normals[:, axis] += np.bincount(faces[:, k], across[:, axis], len(points))
            near += np.bincount(faces[:, k], side, len(points))
            count += np.bincount(faces[:, k], minlength=len(points))
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
        return points, normals, near / np.maximum(count, 1)

    def __repr__(self) -> str:
        return f"Surface({len(self.faces)} faces, {len(self.ears)} vertices of ears)"


def _no_surface() -> InputRefused:
    return InputRefused("face basis: its skin is not one surface with openings at neck and eyes")


def _holes(faces: Array) -> list[Array]:
    """The rims of a surface's openings, each as vertex numbers in the order of its edges.

    Raises:
        InputRefused: more than two triangles on an edge, or rims that cross.
    """
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    size = int(faces.max()) + 1
    key, back = edges[:, 0] * size + edges[:, 1], edges[:, 1] * size + edges[:, 0]
    if len(np.unique(key)) != len(key):
        raise _no_surface()
    rim = edges[~np.isin(key, back)]
    follows = {int(a): int(b) for a, b in rim}
    if len(follows) != len(rim):
        raise _no_surface()
    out = []
    while follows:
        start, here = next(iter(follows.items()))
        loop = [start]
        del follows[start]
        while here != start:
            loop.append(here)
            if here not in follows:
                raise _no_surface()
            here = follows.pop(here)
        out.append(np.array(loop))
    return out


def _closed(
    faces: Array, holes: list[Array], neck: int, eyes: list[int], n: int
) -> tuple[sparse.csr_matrix, Array, Array]:
    """Caps on all holes, hollow ones at the eyes; below the neck first some rings that go straight down."""
    rows: list[sparse.csr_matrix] = [sparse.identity(n, format="csr")]
    shifts, parts, size = [np.zeros((n, 3))], [faces], n
    for k, rim in enumerate(holes):
        pick = sparse.csr_matrix((np.ones(len(rim)), (np.arange(len(rim)), rim)), shape=(len(rim), n))
        ring, down = rim, 0.0
        for _ in range(NECK_RINGS if k == neck else 0):
            down += NECK_STEP_MM
            lower = size + np.arange(len(rim))
            after, lower_after = np.roll(ring, -1), np.roll(lower, -1)
            parts += [np.stack([after, ring, lower], axis=1), np.stack([after, lower, lower_after], axis=1)]
            rows.append(pick)
            shifts.append(np.tile([0.0, 0.0, -down], (len(rim), 1)))
            ring, size = lower, size + len(rim)
        rows.append(sparse.csr_matrix(pick.mean(axis=0)))
        shifts.append(np.array([[0.0, -CAP_MM if k in eyes else 0.0, -down]]))
        parts.append(np.stack([np.roll(ring, -1), ring, np.full(len(ring), size)], axis=1))
        size += 1
    return sparse.vstack(rows).tocsr(), np.concatenate(shifts), np.concatenate(parts)


def _volume(points: Array, faces: Array) -> float:
    a, b, c = (points[faces[:, k]] for k in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def _ear_vertices(skin: Array, layout: Layout) -> Array:
    """Vertices that lie on or under the ear when the mean head is seen from the side."""
    lean = np.radians(EAR_LEAN_DEG)
    found = np.zeros(len(skin), bool)
    for canal in layout.canals:
        x, y, z = (skin - skin[canal]).T
        outward = x * np.sign(skin[canal, 0])
        forward, up = y - EAR_MIDDLE_MM[0], z - EAR_MIDDLE_MM[1]
        along, across = up * np.cos(lean) - forward * np.sin(lean), forward * np.cos(lean) + up * np.sin(lean)
        inside = (across / EAR_HALF_MM[0]) ** 2 + (along / EAR_HALF_MM[1]) ** 2 < 1
        found |= inside & (outward > -EAR_INWARD_MM)
    return np.flatnonzero(found)


def _loop(faces: Array, n: int) -> tuple[sparse.csr_matrix, Array]:
    """One round of Loop's subdivision of a closed surface: (N', n) weights and the four times as many faces."""
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    opposite = faces[:, [2, 0, 1]].ravel()
    keys, index = np.unique(edges[:, 0] * n + edges[:, 1], return_inverse=True)
    a, b, m = keys // n, keys % n, len(keys)
    index = index.ravel()
    links = sparse.coo_matrix((np.ones(2 * m), (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()
    valence = np.asarray(links.sum(axis=1)).ravel()
    beta = (0.625 - (0.375 + 0.25 * np.cos(2 * np.pi / np.maximum(valence, 1))) ** 2) / np.maximum(valence, 1)
    old = sparse.diags(1 - valence * beta) + sparse.diags(beta) @ links
    rows = np.r_[np.arange(m), np.arange(m), index]
    weights = np.r_[np.full(2 * m, 0.375), np.full(len(opposite), 0.125)]
    new = sparse.coo_matrix((weights, (rows, np.r_[a, b, opposite])), shape=(m, n))
    middle = index.reshape(-1, 3) + n  # of the edges 01, 12, 20
    c = faces
    four = [
        np.stack([c[:, 0], middle[:, 0], middle[:, 2]], axis=1),
        np.stack([middle[:, 0], c[:, 1], middle[:, 1]], axis=1),
        np.stack([middle[:, 2], middle[:, 1], c[:, 2]], axis=1),
        middle,
    ]
    return sparse.vstack([old, new]).tocsr(), np.concatenate(four)
