"""Grid: how an image's numbers lie and what they mean, as settings that a codec's decoder needs and may not trust.

data ──> whole numbers 0 .. span ──> slices along the thinnest axis, each coded by itself
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd, isfinite, prod
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import Refusal, VerificationFailed
from medveil.core.image import Array, Image

MOST_PIXELS = 1 << 26  # of one slice: 8192 x 8192; a forged size must not ask for all memory
MOST_VOXELS = 1 << 31
LARGEST = 1 << 62


@dataclass(frozen=True)
class Scale:
    """Stored number = low + step * v, v = 0 .. span; `step` takes out bits that are never used."""

    low: int
    step: int
    span: int

    @classmethod
    def of(cls, image: Image) -> Scale:
        """The scale of an image's numbers.

        Raises:
            Refusal: there is none of at most 16 bits.
        """
        data = image.data
        if data.dtype.kind not in "biuf" or data.dtype.itemsize > 8:
            raise Refusal("not an image of plain numbers", f"dtype {data.dtype}, expected integers")
        if not (isfinite(image.slope) and isfinite(image.intercept)):
            raise Refusal("the scaling is not finite", "slope and intercept must be numbers")
        if data.dtype.kind == "f" and not whole(data):
            raise Refusal(
                "numbers are not whole",
                f"dtype {data.dtype}; an exact level needs integers of 8 to 16 bits",
                hint="store the image as integers with slope and intercept, as most scanners do",
            )
        low, high = int(data.min()), int(data.max())
        step = 0 if -LARGEST < low <= high < LARGEST else 1
        for part in () if step else np.moveaxis(data, -1, 0):  # in parts, for the memory
            step = gcd(step, int(np.gcd.reduce((part.astype(np.int64) - low).ravel())))
            if step == 1:
                break
        step = step or 1
        if (high - low) // step > 0xFFFF or max(high, -low) >= LARGEST:
            raise Refusal(
                "more than 16 bits",
                "the largest number is more than 65,535 above the smallest",
                hint="clip outliers or store the image with 16 bits",
            )
        return cls(low, step, (high - low) // step)

    @property
    def bits(self) -> int:
        """Precision in the codestream, 8 or 16 (what Pillow has); empty bit planes cost next to nothing."""
        return 8 if self.span < 256 else 16

    @property
    def middle(self) -> int:
        """Added to v so that the values lie around the codec's zero: fewer bit planes, better aimed layers."""
        return (1 << self.bits - 1) - (self.span + 1) // 2

    def inside(self, plane: Array) -> Array:
        """Stored numbers as the codec's, uint8 or uint16."""
        v = (plane.astype(np.int64) - self.low) // self.step + self.middle
        return np.ascontiguousarray(v.astype(np.uint8 if self.bits == 8 else np.uint16))

    def cut_off(self, plane: Array) -> Array:
        """The codec's numbers without what a coarse level overshoots."""
        return plane.clip(self.middle, self.middle + self.span)

    def outside(self, plane: Array, dtype: np.dtype[Any]) -> Array:
        """The codec's numbers as stored ones."""
        v = self.cut_off(plane).astype(np.int64) - self.middle
        return (v * self.step + self.low).astype(dtype)

    def to_unit(self, plane: Array) -> npt.NDArray[np.float32]:
        """Stored numbers as 0 .. 1; a constant image is 0."""
        v = (plane.astype(np.int64) - self.low) // self.step
        return (v / max(self.span, 1)).astype(np.float32)

    def from_unit(self, plane: npt.NDArray[np.float32], dtype: np.dtype[Any]) -> Array:
        """0 .. 1 as the nearest stored numbers."""
        v = np.round(plane.astype(np.float64) * self.span).astype(np.int64)
        return (v * self.step + self.low).astype(dtype)


@dataclass(frozen=True, eq=False)
class Grid:
    """Kind, shape, type, scale and place of an image.

    Args:
        kind, affine, slope, intercept: as in `Image`.
        shape, dtype: of its data.
        scale: of its numbers.
    """

    kind: Any
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: Scale
    affine: Array
    slope: float
    intercept: float

    @staticmethod
    def of(image: Image) -> Grid:
        """The grid of an image.

        Raises:
            Refusal: numbers that are not whole or span more than 16 bits, or too large a slice.
        """
        data, scale = image.data, Scale.of(image)
        grid = Grid(
            image.kind,
            data.shape,
            data.dtype,
            scale,
            image.affine,
            float(image.slope),
            float(image.intercept),
        )
        if prod(grid.plane) > MOST_PIXELS:
            raise Refusal(
                "too large a slice", f"more than {MOST_PIXELS} pixels", hint="crop it or cut it into parts"
            )
        return grid

    @staticmethod
    def read(s: Mapping[str, Any], codec: str) -> Grid:
        """Back from settings, each one checked: they may come from anyone.

        Raises:
            VerificationFailed: not what `to_json` writes; says of which codec.
        """
        try:
            grid = Grid(
                s["kind"],
                tuple(whole_number(n, 1, MOST_PIXELS) for n in s["shape"]),
                np.dtype(str(s["dtype"])),
                Scale(
                    whole_number(s["low"], -LARGEST, LARGEST),
                    whole_number(s["step"], 1, LARGEST),
                    whole_number(s["span"], 0, 0xFFFF),
                ),
                np.array(s["affine"], dtype=np.float64),
                float(s["slope"]),
                float(s["intercept"]),
            )
            sound = grid._sound()
        except (KeyError, TypeError, ValueError, OverflowError, SyntaxError) as error:
            raise VerificationFailed(f"{codec}: settings are not what this codec writes") from error
        if not sound:
            raise VerificationFailed(f"{codec}: settings are not what this codec writes")
        return grid

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "dtype": self.dtype.str,
            "low": self.scale.low,
            "step": self.scale.step,
            "span": self.scale.span,
            "affine": self.affine.tolist(),
            "slope": self.slope,
            "intercept": self.intercept,
        }

    @property
    def flat(self) -> bool:
        """Whether it is a picture, not a volume."""
        return self.kind in ("photo", "film")

    @property
    def colour(self) -> bool:
        """Whether its planes hold three colours, coded together."""
        return self.flat and len(self.shape) == 3 and self.shape[2] == 3 and self.scale.bits == 8

    @property
    def slices(self) -> int:
        """How many planes `planes` gives."""
        if self.flat:
            return 1 if len(self.shape) == 2 or self.colour else self.shape[2]
        return self.shape[thinnest(self.shape)] * (self.shape[3] if len(self.shape) == 4 else 1)

    @property
    def plane(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        if self.flat:
            return self.shape[0], self.shape[1]
        rows, cols = (n for axis, n in enumerate(self.shape[:3]) if axis != thinnest(self.shape))
        return rows, cols

    def planes(self, data: Array) -> Iterator[Array]:
        """The slices that are coded each by itself, as views (H, W), or (H, W, 3) where they are coloured.

        Args:
            data: of this grid's shape.
        """
        if self.flat:
            if data.ndim == 2 or self.colour:
                yield data
            else:
                yield from np.moveaxis(data, 2, 0)
            return
        for volume in np.moveaxis(data, 3, 0) if data.ndim == 4 else (data,):
            yield from np.moveaxis(volume, thinnest(data.shape), 0)

    def image(self, data: Array) -> Image:
        """Numbers on this grid."""
        return Image(data, self.affine, self.kind, self.slope, self.intercept)

    def _sound(self) -> bool:
        top = self.scale.low + self.scale.step * self.scale.span
        return bool(
            self.kind in ("intensity", "labels", "photo", "film")
            and len(self.shape) in ((2, 3) if self.flat else (3, 4))
            and prod(self.shape) <= MOST_VOXELS
            and prod(self.plane) <= MOST_PIXELS
            and self.dtype.kind in "biuf"
            and self.dtype.itemsize <= 8
            and (self.dtype.kind == "f" or lowest(self.dtype) <= self.scale.low <= top <= highest(self.dtype))
            and abs(top) < LARGEST
            and self.affine.shape == (4, 4)
            and np.isfinite(self.affine).all()
            and abs(np.linalg.det(self.affine[:3, :3])) >= 1e-9
            and isfinite(self.slope)
            and isfinite(self.intercept)
        )


def thinnest(shape: Sequence[int]) -> int:
    """The axis of space with the fewest voxels, the last one of them."""
    return max(range(3), key=lambda axis: (-shape[axis], axis))


def whole(data: Array) -> bool:
    """Whether all numbers are whole, finite and survive a trip through integers (-0.0 does not)."""
    fits = (
        np.isfinite(data)
        & (np.abs(data).astype(np.float64) < 2.0**53)
        & (data == np.round(data))
        & ~((data == 0) & np.signbit(data))
    )
    return bool(fits.all())


def whole_number(value: Any, least: int, most: int) -> int:
    """A whole number between two bounds.

    Raises:
        ValueError: it is not.
    """
    if type(value) is not int or not least <= value <= most:
        raise ValueError
    return value


def lowest(dtype: np.dtype[Any]) -> int:
    """Smallest number of an integer or boolean dtype."""
    return 0 if dtype.kind == "b" else int(np.iinfo(dtype).min)


def highest(dtype: np.dtype[Any]) -> int:
    """Largest number of an integer or boolean dtype."""
    return 1 if dtype.kind == "b" else int(np.iinfo(dtype).max)
