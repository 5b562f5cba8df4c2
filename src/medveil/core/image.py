"""Image: numbers on a grid in space, and nothing about whose they are.

`data` keeps the numbers exactly as they are stored; `slope` and `intercept` say what they mean. A step
that changes some voxels therefore leaves all others bit-identical, and a writer never re-quantises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused

Kind = Literal["intensity", "labels", "photo", "film"]
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False, repr=False)
class Image:
    """A volume (I, J, K[, T]) or a picture (H, W[, 3]) with its place in space.

    Args:
        data: stored numbers, read-only from here on. Real value = slope * data + intercept.
        affine: (4, 4), voxel index to RAS+ millimetres; the identity for photographs.
        kind: what the numbers are: intensity, labels, photo or film.
        slope, intercept: the scaling declared by the file.

    Raises:
        InputRefused: wrong number of axes, an affine that is not finite or not invertible.
    """

    data: Array
    affine: Array
    kind: Kind = "intensity"
    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise InputRefused("affine: expected a finite 4x4 matrix")
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9:
            raise InputRefused(
                "affine: is singular, voxels have no place in space",
                hint="repair the sform or qform of the file, then run again",
            )
        allowed = (2, 3) if self.kind in ("photo", "film") else (3, 4)
        if self.data.ndim not in allowed or 0 in self.data.shape:
            raise InputRefused(
                f"image: has shape {self.data.shape}, expected {allowed[0]} or {allowed[1]} non-empty axes",
                hint="medveil protects volumes; a single slice has no head to find",
            )
        data = self.data.view()
        data.flags.writeable = False
        affine.flags.writeable = False
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "affine", affine)

    @cached_property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along the three spatial axes."""
        s = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return float(s[0]), float(s[1]), float(s[2])

    def values(self) -> npt.NDArray[np.float32]:
        """Real values, float32, the shape of `data`; not-a-number and infinities become 0."""
        out = self.data.astype(np.float32)
        if (self.slope, self.intercept) != (1.0, 0.0):
            out = out * np.float32(self.slope) + np.float32(self.intercept)
        return np.nan_to_num(out, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def store(self, value: float) -> Any:
        """The stored number, of `data`'s dtype, that comes closest to a real value."""
        raw = (value - self.intercept) / self.slope
        if np.issubdtype(self.data.dtype, np.integer):
            info = np.iinfo(self.data.dtype)
            raw = min(max(round(raw), info.min), info.max)
        return self.data.dtype.type(raw)

    def with_data(self, data: Array) -> Image:
        """The same grid and scaling with other stored numbers."""
        return replace(self, data=data)

    def __repr__(self) -> str:
        spacing = "x".join(f"{s:.3g}" for s in self.spacing_mm)
        return f"Image({self.kind}, shape={self.data.shape}, spacing_mm={spacing}, dtype={self.data.dtype})"
