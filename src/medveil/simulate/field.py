"""A shape as a signed distance field on a grid: negative inside, in millimetres, sculpted in place.

Shapes are blended with a smooth minimum of compact support, so a union only touches the box of the shape
grown by its blending radius. That keeps a head of sixty parts at 1 mm to about a second, and everything
outside the box bit-identical. A box that is too tight would leave a straight seam on the skin, which is why
each shape carries its own bounds and nobody writes boxes by hand.

Sources: Quilez, "Distance functions" (ellipsoid bound, polynomial smooth minimum, public notes).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Grid = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
Point = Sequence[float] | Vector
Formula = Callable[[Grid, Grid, Grid], Grid]
"""Distance or displacement in mm at open (broadcast) coordinates: (I,1,1), (1,J,1), (1,1,K) to (I,J,K)."""


def smooth_min(a: Grid, b: Grid, k: float) -> Grid:
    """Minimum of two fields with a rounded seam: equal to the plain minimum where they differ by k or more.

    >>> float(smooth_min(np.float32(0), np.float32(5), 4)), float(smooth_min(np.float32(0), np.float32(0), 4))
    (0.0, -1.0)
    """
    h = np.maximum(np.float32(k) - np.abs(a - b), np.float32(0))
    return np.asarray(np.minimum(a, b) - h * h * np.float32(0.25 / k))


def smooth_max(a: Grid, b: Grid, k: float) -> Grid:
    """Maximum of two fields with a rounded seam of radius k."""
    return -smooth_min(-a, -b, k)


def logistic(x: npt.NDArray[np.floating[Any]]) -> Grid:
    """1 / (1 + exp(-x)): a soft step from 0 to 1."""
    out: Grid = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return out


def rotation(axis: int, radians: float) -> Vector:
    """(3, 3) right-handed rotation about one of the axes 0, 1, 2."""
    c, s = np.cos(radians), np.sin(radians)
    out = np.eye(3)
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[i, i] = out[j, j] = c
    out[i, j], out[j, i] = -s, s
    return out


def moved(point: Point, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Vector:
    """A point, so many mm further along each axis."""
    out: Vector = np.asarray(point, np.float64) + np.array([x, y, z])
    return out


@dataclass(frozen=True)
class Shape:
    """A formula and the box outside of which it is positive.

    Args:
        lo, hi: corners of the box, mm.
        distance: signed distance or a bound of it, mm.
    """

    lo: Vector
    hi: Vector
    distance: Formula


def ellipsoid(centre: Point, radii: Point, turned: Vector | None = None) -> Shape:
    """An ellipsoid; `turned` maps head axes to its own axes. The distance is a first-order bound."""
    c, r = np.asarray(centre, np.float64), np.asarray(radii, np.float64)
    axes = np.eye(3) if turned is None else np.asarray(turned, np.float64)
    half = np.sqrt(((axes * r[:, None]) ** 2).sum(axis=0))
    m = axes.astype(np.float32)
    c32, r32, tiny = c.astype(np.float32), r.astype(np.float32), np.float32(1e-8)

    def distance(x: Grid, y: Grid, z: Grid) -> Grid:
        dx, dy, dz = x - c32[0], y - c32[1], z - c32[2]
        along = (dx, dy, dz)
        if turned is not None:
            along = tuple(row[0] * dx + row[1] * dy + row[2] * dz for row in m)  # type: ignore[assignment]
        squares = [(a / r) ** 2 for a, r in zip(along, r32, strict=True)]
        # k0 is the distance in units of the radii, k1 its slope; both are kept off 0 at the very centre.
        k0 = np.sqrt(squares[0] + squares[1] + squares[2] + tiny)
        slopes = [s / r**2 for s, r in zip(squares, r32, strict=True)]
        k1 = np.sqrt(slopes[0] + slopes[1] + slopes[2] + tiny / r32.min() ** 2)
        out: Grid = k0 * (k0 - 1) / k1
        return out

    return Shape(c - half, c + half, distance)


def sphere(centre: Point, radius: float) -> Shape:
    """A ball."""
    return ellipsoid(centre, (radius, radius, radius))


def round_cone(a: Point, b: Point, radius_a: float, radius_b: float) -> Shape:
    """A capsule from a to b whose radius changes evenly on the way."""
    p, q = np.asarray(a, np.float64), np.asarray(b, np.float64)
    p32, v = p.astype(np.float32), (q - p).astype(np.float32)
    length2 = np.float32(v @ v)
    ra, rb = np.float32(radius_a), np.float32(radius_b)

    def distance(x: Grid, y: Grid, z: Grid) -> Grid:
        dx, dy, dz = x - p32[0], y - p32[1], z - p32[2]
        t = np.clip((dx * v[0] + dy * v[1] + dz * v[2]) / length2, 0, 1)
        far = np.sqrt((dx - t * v[0]) ** 2 + (dy - t * v[1]) ** 2 + (dz - t * v[2]) ** 2)
        out: Grid = far - (ra + (rb - ra) * t)
        return out

    lo = np.minimum(p - radius_a, q - radius_b)
    hi = np.maximum(p + radius_a, q + radius_b)
    return Shape(lo, hi, distance)


class Field:
    """A signed distance field on a regular grid whose planes fall on multiples of the spacing.

    Attributes:
        axes: three float32 arrays of mm, lengths I, J, K.
        phi: (I, J, K) float32, mm, negative inside.

    >>> f = Field((-20, -20, -20), (20, 20, 20), 2.0)
    >>> f.union(sphere((0, 0, 0), 10), 1.0)
    >>> f.phi.shape, float(f.phi[10, 10, 10]) < 0, float(f.phi[0, 0, 0]) > 0
    ((21, 21, 21), True, True)
    """

    def __init__(self, lo: Point, hi: Point, spacing_mm: float) -> None:
        self.spacing_mm = float(spacing_mm)
        first = np.floor(np.asarray(lo, np.float64) / spacing_mm).astype(int)
        last = np.ceil(np.asarray(hi, np.float64) / spacing_mm).astype(int)
        self.origin_mm: Vector = first * self.spacing_mm
        self.axes: tuple[Grid, Grid, Grid] = tuple(  # type: ignore[assignment]
            (np.arange(a, b + 1) * self.spacing_mm).astype(np.float32)
            for a, b in zip(first, last, strict=True)
        )
        self.phi: Grid = np.full(tuple(len(a) for a in self.axes), 1e3, np.float32)

    @classmethod
    def around(cls, phi: Grid, axes: tuple[Grid, Grid, Grid]) -> Field:
        """A field over a grid that exists already; `phi` is shared, not copied."""
        field = cls.__new__(cls)
        field.phi, field.axes = phi, axes
        field.spacing_mm = float(axes[0][1] - axes[0][0])
        field.origin_mm = np.array([float(a[0]) for a in axes])
        return field

    def coordinates(self, where: tuple[slice, ...] = (slice(None),) * 3) -> tuple[Grid, Grid, Grid]:
        """Open coordinates of a box of the grid, ready for a formula."""
        x, y, z = (a[s] for a, s in zip(self.axes, where, strict=True))
        return x[:, None, None], y[None, :, None], z[None, None, :]

    def box(self, lo: Point, hi: Point) -> tuple[slice, slice, slice]:
        """Slices of the voxels between two corners in mm, cut to the grid; may be empty."""
        out = []
        for axis in range(3):
            n, h, o = len(self.axes[axis]), self.spacing_mm, self.origin_mm[axis]
            start = int(np.clip(np.floor((lo[axis] - o) / h), 0, n))
            stop = int(np.clip(np.ceil((hi[axis] - o) / h) + 1, 0, n))
            out.append(slice(start, max(start, stop)))
        return out[0], out[1], out[2]

    def _reach(self, shape: Shape, k: float) -> tuple[slice, slice, slice]:
        """The box in which blending a shape over k mm can matter.

        On the skin (phi = 0) that is the shape's box grown by k. Skin that a later feature pushes out was
        outside before, at some phi > 0, and would keep the edge of a box that ends at k.
        """
        margin = k + max(3.0, 0.8 * k)
        return self.box(shape.lo - margin, shape.hi + margin)

    def fill(self, shape: Shape) -> None:
        """Begin with one shape, evaluated everywhere so that the far field has a slope to follow."""
        self.phi[...] = shape.distance(*self.coordinates())

    def union(self, shape: Shape, k: float) -> None:
        """Add a shape, blended over k mm."""
        where = self._reach(shape, k)
        if self.phi[where].size:
            self.phi[where] = smooth_min(self.phi[where], shape.distance(*self.coordinates(where)), k)

    def subtract(self, shape: Shape, k: float) -> None:
        """Take a shape away, its edge rounded over k mm."""
        where = self._reach(shape, k)
        if self.phi[where].size:
            self.phi[where] = smooth_max(self.phi[where], -shape.distance(*self.coordinates(where)), k)

    def displace(self, lo: Point, hi: Point, formula: Formula) -> None:
        """Push the surface: positive values dent it, negative raise it. The formula must fade at the box."""
        where = self.box(lo, hi)
        if self.phi[where].size:
            self.phi[where] += formula(*self.coordinates(where)).astype(np.float32)

    def bump(self, centre: Point, sigma: Point, height_mm: float) -> None:
        """Raise (or dent, if negative) the surface by height * exp(-((q - centre) / sigma)^2)."""
        c, s = np.asarray(centre, np.float32), np.asarray(sigma, np.float32)

        def formula(x: Grid, y: Grid, z: Grid) -> Grid:
            gx, gy, gz = (np.exp(-(((q - c[i]) / s[i]) ** 2)) for i, q in enumerate((x, y, z)))
            out: Grid = np.float32(-height_mm) * gx * gy * gz
            return out

        self.displace(c - 2.6 * s, c + 2.6 * s, formula)

    def drop_specks(self, lo: Point, hi: Point) -> None:
        """Turn inside out every piece of the shape that does not reach the border of this box."""
        from scipy.ndimage import label

        where = self.box(lo, hi)
        part = self.phi[where]
        pieces, _ = label(part < 0)
        rim = np.ones(part.shape, bool)
        rim[1:-1, 1:-1, 1:-1] = False
        keep = np.bincount(pieces[rim], minlength=pieces.max() + 1) > 0
        loose = ~keep[pieces] & (pieces > 0)
        part[loose] = -part[loose]
