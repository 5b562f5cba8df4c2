"""Scramble: the skin of a face blurred, replaced by noise or rippled; the weakest way of defacing.

    image ──> mm outward of the skin ──moved──> another skin ──> grey levels of that depth, or noise
              altered = parts, from `depth_mm` under the old or the new skin out to the edge of the image

What is under the shell stays, and with it the shape of the bones that carry the face; what is blurred is
still a blurred picture of this person. A network trained on such pairs undoes a blur better than it invents
an erased face (Abramian and Eklund 2019). It exists because others use its like, and to be measured.

Of the three, `smooth` filters along the skin as mask_face does (Milchenko and Marcus 2013), `noise` fills the
shell with uniform noise between the 40th and 80th percentile of its tissue as AnonyMI does, and `ripple`
shifts the skin by a smooth random field, an option that mideface has. None of them is the tool it is named
after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.release import Mask
from medveil.locate.grid import Vector, Volume, grid_affine
from medveil.protect.deface.layers import Layers, layers_of, points_of, profile, stream_of
from medveil.protect.deface.method import Change, Method, check_parts
from medveil.protect.deface.outline import MM
from medveil.protect.deface.parts import FACE, in_parts
from medveil.protect.deface.site import Site

How = Literal["smooth", "noise", "ripple"]
WORDS: dict[How, str] = {
    "smooth": "blur the skin of",
    "noise": "fill with noise the shell of",
    "ripple": "ripple the skin of",
}

LEAST_MM, MOST_MM = 5.0, 30.0  # a thinner shell does not reach through the voxels of the skin
ALONG = 1.5  # of `depth_mm`: the blur along the skin, and of the skin itself
RIPPLE = 0.5  # of `depth_mm`: standard deviation of the ripple; twice that at most
RIPPLE_MM = 12.0  # its smoothness: waves some 40 mm long, like a nose or a cheek
RIM_MM = 12.0  # within it the moved skin runs into the one that is kept
BLEND_MM = 2.0
NOISE_PERCENTILES = (40.0, 80.0)


@dataclass(frozen=True, kw_only=True)
class Scramble(Method):
    """Deface by scrambling the skin of named parts: weaker than all other ways.

    The ripple and the noise grow from a digest of every stored number of the image, the altered ones included.
    So the same image gives the same bytes, and no seed is kept that could be lost or stolen: whoever holds the
    original can repeat the draws, and need not; from the release alone they can't be computed. That
    does not make a ripple safe: whoever knows how smooth faces are can estimate it.

    Args:
        parts: which of eyes, nose, cheeks, mouth, chin, ears.
        how: `smooth`, `noise` or `ripple`.
        depth_mm: how far under the skin the shell reaches; also sets how far the skin is moved.
    """

    name: ClassVar[str] = "deface.scramble"
    summary: ClassVar[str] = "blur or ripple the skin of the face; the weakest way of defacing"

    parts: tuple[str, ...] = tuple(FACE)
    how: How = "smooth"
    depth_mm: float = 8.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        check_parts(self.name, self.parts)
        if self.how not in get_args(How):
            raise UsageError(
                f"{self.name}: no way to scramble {self.how}", hint="known are " + ", ".join(get_args(How))
            )
        if not LEAST_MM <= self.depth_mm <= MOST_MM:
            raise UsageError(f"{self.name}: depth_mm must lie between {LEAST_MM:g} and {MOST_MM:g}")
        super().__post_init__()

    @property
    def volumes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.parts))

    def describe(self) -> str:
        return (
            f"find the head, {WORDS[self.how]} {', '.join(self.volumes)} {self.depth_mm:g} mm deep (the weakest "
            f"way of defacing), and change nothing within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        region = site.parts(self.volumes)
        values = np.zeros(site.image.data.shape, dtype=np.float32)
        if not region.any():
            return Change(region, values)
        points = points_of(region, site.image.affine)
        layers = layers_of(site, points)
        rng = stream_of(self.name, site.image.data)
        moved = layers.outward_mm + _taper(site, layers, self.volumes) * self._shift(layers, rng)
        before, after = layers.sample(layers.outward_mm, points), layers.sample(moved, points)

        reached = np.maximum(before, after) > -self.depth_mm
        altered = np.zeros_like(region)
        altered[region] = reached
        series = site.image.values()[region]  # (N[, T])
        out = np.empty_like(series[reached])
        for volume in np.ndindex(series.shape[1:]):
            own = series[(slice(None), *volume)]
            if self.how == "noise":
                new = self._noise(before, after, own, site.air, rng)
            else:
                new = self._blurred(layers, points, before, after, own)
            out[(slice(None), *volume)] = new[reached]
        values[altered] = out
        return Change(altered, values)

    def _shift(self, layers: Layers, rng: np.random.Generator) -> Volume:
        """(I, J, K) mm by which the skin moves inward, over the grid of the layers."""
        from scipy import ndimage as ndi

        if self.how == "ripple":
            waves = rng.standard_normal(layers.outward_mm.shape, dtype=np.float32)
            waves = ndi.gaussian_filter(waves, RIPPLE_MM / MM)
            return np.asarray(
                np.clip(waves / waves.std(), -2, 2) * np.float32(RIPPLE * self.depth_mm), dtype=np.float32
            )
        smooth = ndi.gaussian_filter(layers.outward_mm, ALONG * self.depth_mm / MM)
        return np.asarray(smooth - layers.outward_mm, dtype=np.float32)

    def _noise(
        self, before: Volume, after: Volume, own: Volume, air: float, rng: np.random.Generator
    ) -> Volume:
        """(N,) uniform noise of the shell's tissue behind the new skin, air before it."""
        shell = own[(before < 0) & (before > -self.depth_mm)]
        low, high = np.percentile(shell, NOISE_PERCENTILES) if shell.size else (air, air)
        noise = rng.uniform(low, high, own.shape)
        return np.asarray(np.where(after < 0, noise, air), dtype=np.float32)

    def _blurred(self, layers: Layers, points: Vector, before: Volume, after: Volume, own: Volume) -> Volume:
        """(N,) what is usual at the new depth, run into the image's own values where both skins are far."""
        usual = profile(
            layers, points, before, own, deepest_mm=self.depth_mm, along_mm=ALONG * self.depth_mm
        )  # fmt: skip
        share = np.clip((np.maximum(before, after) + self.depth_mm) / BLEND_MM, 0, 1)
        return np.asarray(own + share * (usual.at(points, after) - own), dtype=np.float32)


def _taper(site: Site, layers: Layers, names: tuple[str, ...]) -> Volume:
    """(I, J, K) 0 at the rim of the parts to 1 inside, so that the moved skin meets the one that is kept."""
    from scipy import ndimage as ndi

    to_mni = site.affine_to_mni @ grid_affine(layers.grid.origin, MM)
    shape = layers.outward_mm.shape
    inside: Mask = np.any(list(in_parts(names, shape, to_mni).values()), axis=0)
    if inside.all():
        return np.ones(shape, dtype=np.float32)
    return np.asarray(np.clip(ndi.distance_transform_edt(inside) * MM / RIM_MM, 0, 1), dtype=np.float32)
