"""The auto-encoders of the PRIMIS paper: an image as L sparse code maps, and back.

    paper         image ── one trunk ──> features ──W──> L maps ─top S_x─> codes ──W'──> features ── one decoder ──> image
    independent   image ── trunk l, W_l ──> code l ── W_l', decoder l ──> image l;      image = mean of the images
    progressive   rest_0 = image;  rest_l = rest_(l-1) - image l;                       image = sum of the images
                  where image l comes from the code of rest_(l-1): fewer levels give a coarser image

Fully convolutional: an image of any size is coded whole, no tiles, no seams. Its sides are filled up to the pitch of
the sites and mirrored beyond the border, so that every pixel is seen by equally many windows.
Source: Shiri et al. 2024, Sec. 2.2 to 2.4, Figs. 1 to 3; what it leaves open is set in `NetSettings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from medveil.core.errors import UsageError
from medveil.nn.grouped import GroupedLinear, tiled, untiled
from medveil.nn.settings import NetSettings
from medveil.nn.sparsify import Chosen, sparsify
from medveil.nn.start import start
from medveil.nn.trunk import Down, Up, channels

# Rows of sites that go through the feature maps at a time: 256 maps of a whole film would take a GB.
STRIP = 8


class Pair(nn.Module):
    """One encoder and its decoder, for `levels` code maps together."""

    def __init__(self, s: NetSettings, levels: int) -> None:
        super().__init__()
        self.s, self.levels = s, levels
        self.linear = GroupedLinear(s, levels)
        self.down, self.up = Down(s), Up(s)
        self.into = nn.Conv2d(channels(s), self.linear.maps, 1, bias=False)
        self.out_of = nn.Conv2d(self.linear.maps, channels(s), 1, bias=False)
        start(self, s)

    def raw(self, image: Tensor) -> Tensor:
        """(B, 1, H, W), sides multiples of the pitch, -> (B, L, M, sites), not yet sparse."""
        tiles = tiled(self.down(mirrored(image, self.s.margin)), self.s.stride)
        edge = self.linear.ratio - 1  # tile rows that a row of sites sees beyond its own
        parts = []
        for first in range(0, tiles.shape[-2] - edge, STRIP):
            strip = tiles[..., first : first + STRIP + edge, :]
            maps = self.into(strip.flatten(-2)).unflatten(
                -1, strip.shape[-2:]
            )  # 1x1: the same at every pixel
            parts.append(self.linear(maps))
        return torch.cat(parts, dim=-1)

    def decode(self, codes: Tensor, height: int, width: int) -> Tensor:
        """(B, L, M, sites) -> (B, 1, height, width), sides multiples of the pitch."""
        edge = self.linear.ratio - 1
        rows, cols = height // self.s.pitch, width // self.s.pitch
        grid = codes.unflatten(-1, (rows + edge, cols + edge))
        parts = []
        for first in range(0, rows, STRIP):
            count = min(STRIP, rows - first)
            seen = grid[..., first : first + count + edge, :].flatten(
                -2
            )  # all sites whose windows reach these tiles
            maps = self.linear.adjoint(seen, count + 2 * edge, cols + 2 * edge)
            maps = maps[..., edge : edge + count, edge : edge + cols].flatten(-2)
            parts.append(self.out_of(maps).unflatten(-1, (count, cols)))
        return self.up(untiled(torch.cat(parts, dim=-2), self.s.stride))


class Bottleneck(nn.Module):
    """The variants `paper`, `independent` and `progressive`.

    Args:
        settings: its shape.
    """

    def __init__(self, settings: NetSettings) -> None:
        super().__init__()
        if settings.variant == "reference":
            raise UsageError("network: the layout `reference` is nn.reference.Reference")
        self.settings = settings
        joint = settings.variant == "paper"
        count = 1 if joint else settings.levels
        self.pairs = nn.ModuleList(Pair(settings, settings.levels if joint else 1) for _ in range(count))

    def encode(self, image: Tensor) -> list[Chosen]:
        """(B, 1, H, W) in [0, 1] -> what is kept at each level, the coarsest first."""
        image = filled(image, self.settings.pitch)
        if self.settings.variant == "paper":
            return [sparsify(raw, self.settings) for raw in self._first.raw(image).unbind(1)]
        rest, out = image, []
        for pair in self._each():
            chosen = sparsify(pair.raw(rest)[:, 0], self.settings)
            out.append(chosen)
            if self.settings.variant == "progressive" and len(out) < len(self.pairs):
                rest = rest - pair.decode(chosen.code[:, None], *image.shape[-2:])
        return out

    def decode(self, codes: Sequence[Tensor], height: int, width: int) -> Tensor:
        """Codes (B, M, sites) of the first levels -> image (B, 1, height, width); not clamped.

        With fewer than L levels, `paper` takes the missing ones as 0.
        """
        pitch = self.settings.pitch
        size = -(-height // pitch) * pitch, -(-width // pitch) * pitch
        if self.settings.variant == "paper":
            missing = [torch.zeros_like(codes[0])] * (self.settings.levels - len(codes))
            image = self._first.decode(torch.stack([*codes, *missing], dim=1), *size)
        else:
            parts = [p.decode(c[:, None], *size) for p, c in zip(self._each(), codes, strict=False)]
            image = torch.stack(parts).sum(dim=0)
            if self.settings.variant == "independent":
                image = image / len(parts)
        return image[..., :height, :width]

    def forward(self, image: Tensor) -> Tensor:
        """The image as it comes back from all levels; carries gradients."""
        return self.decode([c.code for c in self.encode(image)], image.shape[-2], image.shape[-1])

    @property
    def _first(self) -> Pair:
        return cast(Pair, self.pairs[0])

    def _each(self) -> Iterator[Pair]:
        return (cast(Pair, p) for p in self.pairs)


def filled(image: Tensor, pitch: int) -> Tensor:
    """Sides filled up to multiples of the pitch by mirroring the last rows and columns."""
    height, width = image.shape[-2:]
    return _mirrored(image, (0, -height % pitch), (0, -width % pitch))


def mirrored(image: Tensor, margin: int) -> Tensor:
    """The image with `margin` mirrored pixels at each side."""
    return _mirrored(image, (margin, margin), (margin, margin))


def _mirrored(image: Tensor, rows: tuple[int, int], cols: tuple[int, int]) -> Tensor:
    """The border pixel is doubled, as a DCT assumes; more than the image is wide is mirrored again and again."""
    for axis, edges in ((-2, rows), (-1, cols)):
        if any(edges):
            at = np.pad(np.arange(image.shape[axis]), edges, mode="symmetric")
            image = image.index_select(axis, torch.as_tensor(at, device=image.device))
    return image
