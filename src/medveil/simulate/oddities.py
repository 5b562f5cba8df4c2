"""Oddities: images that hold no head, or not one, and that somebody will send all the same.

A tool that finds a brain in a melon will one day cut a real one in the wrong place. Each function makes one
such image; loop over `ODDITIES` to try them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.ndimage import gaussian_filter

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.simulate.acquire import acquire, draw_coil
from medveil.simulate.features.geometry import SIDES
from medveil.simulate.field import Field, Grid, Point, Shape, ellipsoid, round_cone, sphere
from medveil.simulate.person import draw_person
from medveil.simulate.scan import scan
from medveil.simulate.scanner import VIEW_HI_MM, VIEW_LO_MM, Scanner
from medveil.simulate.tissues import filled

Oddity = Callable[[float, Seeds], Image]
"""Voxel size in mm and randomness, to a T1-weighted image: int16, affine in RAS+ mm."""

AIR, WATER, BRIGHT, SOFT, BONE = 2.0, 70.0, 190.0, 100.0, 26.0
"""Grey levels on the scale of the contrast table."""


class _Canvas:
    """A field of view of air into which shapes are painted, soft at their edges."""

    def __init__(self, spacing_mm: float, lo: Point = VIEW_LO_MM, hi: Point = VIEW_HI_MM) -> None:
        self.field = Field(lo, hi, spacing_mm)
        self.level: Grid = np.full(self.field.phi.shape, AIR, np.float32)

    def paint(self, shape: Shape, level: float | Grid) -> None:
        distance = np.asarray(shape.distance(*self.field.coordinates()), np.float32)
        self.level += (level - self.level) * filled(distance, self.field.spacing_mm)

    def texture(self, rng: np.random.Generator, level: float, spread: float, grain_mm: float) -> Grid:
        """Grey levels with smooth grain."""
        grain = gaussian_filter(
            rng.standard_normal(self.level.shape).astype(np.float32), grain_mm / self.field.spacing_mm
        )
        out: Grid = level + np.float32(spread) * grain / max(float(grain.std()), 1e-6)
        return out

    def image(self, rng: np.random.Generator) -> Image:
        scanner = Scanner(spacing_mm=self.field.spacing_mm)
        affine = np.diag([self.field.spacing_mm] * 3 + [1.0])
        affine[:3, 3] = self.field.origin_mm
        return Image(acquire((self.level,), scanner, draw_coil(scanner, rng), rng), affine)


def _stream(name: str, seeds: Seeds) -> np.random.Generator:
    return seeds.stream(f"simulate/oddities/{name}")


def zeros(spacing_mm: float, seeds: Seeds) -> Image:
    """Nothing: a file whose numbers were lost on the way. `seeds` is not used."""
    canvas = _Canvas(spacing_mm)
    affine = np.diag([spacing_mm] * 3 + [1.0])
    affine[:3, 3] = canvas.field.origin_mm
    return Image(np.zeros(canvas.level.shape, np.int16), affine)


def noise(spacing_mm: float, seeds: Seeds) -> Image:
    """A scanner that saw nobody."""
    return _Canvas(spacing_mm).image(_stream("noise", seeds))


def ball(spacing_mm: float, seeds: Seeds) -> Image:
    """A ball of gel of the size of a head, as scanners are tested with."""
    canvas = _Canvas(spacing_mm)
    canvas.paint(sphere((0.0, 5.0, 10.0), 85.0), 140.0)
    return canvas.image(_stream("ball", seeds))


def bottle(spacing_mm: float, seeds: Seeds) -> Image:
    """A bottle of water with its neck up and an air bubble at its top."""
    canvas = _Canvas(spacing_mm)
    body = round_cone((0, 0, -62), (0, 0, 55), 58, 58)
    base = Shape(body.lo, body.hi, lambda x, y, z: np.maximum(body.distance(x, y, z), -100.0 - z))
    canvas.paint(base, WATER)
    canvas.paint(round_cone((0, 0, 95), (0, 0, 128), 19, 14), WATER)
    canvas.paint(ellipsoid((0, 12, 124), (15, 12, 6)), AIR)
    return canvas.image(_stream("bottle", seeds))


def fruit(spacing_mm: float, seeds: Seeds) -> Image:
    """A melon: skin, dark rind, mottled flesh, and seeds around a core, as concentric as a head."""
    rng, canvas = _stream("fruit", seeds), _Canvas(spacing_mm)
    for shrink, level in ((0.0, 150.0), (4.0, 45.0), (11.0, canvas.texture(rng, 120.0, 9.0, 5.0))):
        canvas.paint(ellipsoid((0, 0, 5), (88 - shrink, 92 - shrink, 104 - shrink)), level)
    canvas.paint(ellipsoid((0, 0, 5), (34, 36, 62)), canvas.texture(rng, 85.0, 12.0, 4.0))
    for i, (around, height) in enumerate(rng.uniform((0, -50), (2 * np.pi, 60), (70, 2))):
        out = 28.0 + 7.0 * (i % 3)
        centre = (out * np.cos(around), out * np.sin(around), height)
        canvas.paint(ellipsoid(centre, (2.4, 2.4, 5.5)), 35.0)
    canvas.paint(round_cone((0, 0, 106), (4, 2, 124), 5, 3), 60.0)  # its stalk
    return canvas.image(rng)


def hand(spacing_mm: float, seeds: Seeds) -> Image:
    """A hand with its bones, fingers up."""
    rng, canvas = _stream("hand", seeds), _Canvas(spacing_mm)
    wrist, palm = (0.0, 0.0, -95.0), (0.0, 0.0, -30.0)
    bones: list[tuple[Point, Point, float]] = [
        (wrist, (x, 0.0, 8.0), 6.0) for x in (-30.0, -10.0, 10.0, 30.0)
    ]
    fingers = [(-30.0, -42.0, 62.0), (-10.0, -14.0, 88.0), (10.0, 13.0, 92.0), (30.0, 38.0, 78.0)]
    soft = [round_cone((0, 0, -130), wrist, 27, 26), ellipsoid(palm, (46, 17, 55))]
    for base_x, tip_x, tip_z in fingers:
        root, tip = (base_x, 0.0, 5.0), (tip_x, 8.0, tip_z)
        soft.append(round_cone(root, tip, 11.5, 8.5))
        middle = tuple(0.5 * (a + b) for a, b in zip(root, tip, strict=True))
        bones += [(root, middle, 4.5), (middle, tip, 3.6)]
    soft.append(round_cone((34, 4, -60), (74, 14, 8), 16, 9.5))
    bones.append(((34.0, 4.0, -60.0), (74.0, 14.0, 8.0), 5.0))
    for shape in soft:
        canvas.paint(shape, canvas.texture(rng, SOFT, 6.0, 4.0))
    for a, b, radius in bones:
        canvas.paint(round_cone(a, b, radius, radius), BONE)
        canvas.paint(round_cone(a, b, 0.6 * radius, 0.6 * radius), 110.0)
    return canvas.image(rng)


def chest(spacing_mm: float, seeds: Seeds) -> Image:
    """A trunk with lungs, heart, liver, spine and ribs, the arms beside it."""
    rng = _stream("chest", seeds)
    canvas = _Canvas(spacing_mm, (-230, -150, -160), (230, 150, 160))
    long = 400.0

    def column(x: float, y: float, half_x: float, half_y: float) -> Shape:
        return ellipsoid((x, y, 0), (half_x, half_y, long))

    canvas.paint(column(0, 0, 168, 108), BRIGHT)
    canvas.paint(column(0, 0, 156, 96), canvas.texture(rng, 85.0, 6.0, 6.0))
    for side in SIDES:
        canvas.paint(column(side * 200, -10, 26, 30), BRIGHT)
        canvas.paint(column(side * 200, -10, 21, 25), 85.0)
        canvas.paint(column(side * 200, -10, 9, 9), 105.0)
        canvas.paint(ellipsoid((side * 76, 2, 20), (60, 78, 125)), 12.0)
        for low in range(-120, 130, 26):
            start, end = (side * 20, -86, low + 12), (side * 146, 10, low - 12)
            canvas.paint(round_cone(start, end, 4.5, 4.5), BONE)
    canvas.paint(ellipsoid((-24, 34, -30), (58, 46, 62)), 95.0)
    canvas.paint(ellipsoid((-26, 34, -34), (32, 24, 40)), 150.0)
    canvas.paint(ellipsoid((74, 10, -130), (82, 78, 62)), 118.0)
    canvas.paint(column(0, -62, 19, 18), 112.0)
    canvas.paint(column(0, -84, 8, 7), 35.0)
    return canvas.image(rng)


def two_heads(spacing_mm: float, seeds: Seeds) -> Image:
    """Two people side by side in one field of view, as when two scans were glued together."""
    scanner = Scanner(spacing_mm=spacing_mm, shift_mm=0.0)
    left, right = (scan(draw_person(seeds, i), seeds, scanner=scanner).image for i in (0, 1))
    return Image(np.concatenate([left.data, right.data]), left.affine)


ODDITIES: Mapping[str, Oddity] = MappingProxyType(
    {f.__name__: f for f in (zeros, noise, ball, bottle, fruit, hand, chest, two_heads)}
)
"""Every oddity by its name."""
