"""Reference: the layout that was released with the PRIMIS paper, errors included, to compare with.

    64x64 tile ─┬─ block, /2 ─┬─ block, /2 ── 64 ─┐
                │             └─ side, /2 ─── 64 ─┼─ 192 ─ 1x1 ─> 1024 maps, 16 x 16 ── W ──> 1024 x 25 ─ 4 codes
                └─ side, /4 ───────────────── 64 ─┘

    4 codes ── W, used as if it were W' ──> 1024 maps ─ 1x1 ─> 192 ─┬─ block, x2 ─ + ─ block, x2 ─ + ─> tile
                                                                    ├─ side, x2 ───┘               │
                                                                    └─ side, x4 ───────────────────┘

Written from a description of that release, not from its code, which has no licence. As in the release:

- an image is cut into 64x64 tiles that know nothing of each other; a window sees 8x8 features, one every 2, nothing
  beyond the tile, so a corner feature is seen by 1 window and the centre by 16;
- at each of the 25 positions each code keeps the k largest and the k smallest of its 256 values: 2 k non-zeros, real
  numbers;
- encoder and decoder share one weight, but channel `4 c + m` of the encoder (component c of code m) is channel
  `256 m + c` of the decoder, so a component comes back through the kernels of others: W' is not the transpose of W.

The description gives kernels, strides and ends of the branches; what lies between is chosen so that everything adds up
to the 988,210 parameters it names. It also adds up to 485.8 million products a tile, where the description says 485;
here 480.4, since the skip of a side up comes before its interpolation, which gives the same image.

    maps to codes      W, shared 1024 x 4 x 8 x 8, and a bias for the encoder              263,168
    1x1, with bias     192 -> 1024; 1024 -> 192                                            394,432
    blocks down        3x3 a -> a, 5x5 /2 a -> b, 1x1 /2 a -> b; ab = 1 32, 32 64           63,305
    sides down         3x3 a -> a, 5x5 a -> b, 1x1 b -> 64, 1x1 a -> 64; ab as above        69,481
    batch norm         a gain and an offset for 32 + 64 + 64 + 64 channels                     448
    blocks up          5x5 a -> a, 3x3 a -> b, 1x1 a -> b; ab = 64 32, 32 1                148,800
    sides up           1x1 192 -> b, 5x5 b -> 32, 3x3 32 -> b, 1x1 192 -> b; b = 32, 1      48,576

No other convolution has a bias. The blocks up begin with the first 64 of the 192 channels.
Other arrangements add up to the same count, so branches may differ from the release in widths that nobody printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medveil.core.errors import UsageError
from medveil.nn.settings import NetSettings

TILE = 64
SIDE = TILE // 4  # of a tile's feature maps
WIDTHS = (1, 32, 64)  # channels at full, half and quarter size
JOINED = 3 * WIDTHS[2]

RELEASED = NetSettings(variant="reference", levels=4, atoms=256, nonzeros=32, window=8, stride=2)


class Kept(NamedTuple):
    """What one code keeps.

    Args:
        code: (B, M, sites) dense, 0 where nothing is kept; carries gradients.
        support: (B, 2 k, sites) indices of the kept components, ascending.
        values: (B, 2 k, sites) their values; real numbers, not quantised.
    """

    code: Tensor
    support: Tensor
    values: Tensor


class Reference(nn.Module):
    """See the module.

    Args:
        settings: levels, atoms, nonzeros (2 k), window and stride are taken from here; the rest has no meaning.

    Raises:
        UsageError: settings of another variant, an odd number of non-zeros, or a window that no tile holds.
    """

    def __init__(self, settings: NetSettings = RELEASED) -> None:
        super().__init__()
        s = self.settings = settings
        if s.variant != "reference" or s.grouping != "atom" or s.nonzeros % 2 or s.window > SIDE:
            raise UsageError(
                "network: the reference layout needs variant reference, grouping atom, an even number of non-zeros "
                f"(k largest and k smallest) and a window of at most {SIDE}"
            )
        maps = s.atoms * s.levels
        a, b, c = WIDTHS
        self.down = nn.ModuleList([_BlockDown(a, b), _BlockDown(b, c)])
        self.down_sides = nn.ModuleList([_SideDown(a, b, 4), _SideDown(b, c, 2)])
        self.into = nn.Conv2d(JOINED, maps, 1)
        self.linear = nn.Conv2d(maps, maps, s.window, stride=s.stride, groups=s.atoms)
        self.drop = nn.Dropout2d(0.08)
        self.out_of = nn.Conv2d(maps, JOINED, 1)
        self.up = nn.ModuleList([_BlockUp(c, b), _BlockUp(b, a)])
        self.up_sides = nn.ModuleList([_SideUp(b, 2), _SideUp(a, 4)])

    @property
    def positions(self) -> int:
        """Sites of a tile."""
        return ((SIDE - self.settings.window) // self.settings.stride + 1) ** 2

    def encode(self, image: Tensor) -> list[Kept]:
        """(B, 1, H, W) in [0, 1] -> what each code keeps; sites tile by tile, row by row."""
        s = self.settings
        tiles = _tiles(image)  # (B * tiles, 1, 64, 64)
        half = self.down[0](tiles)
        joined = [self.down[1](half), self.down_sides[0](tiles), self.down_sides[1](half)]
        raw = self.drop(self.linear(self.into(torch.cat(joined, dim=1))))
        raw = raw.unflatten(1, (s.atoms, s.levels)).flatten(
            -2
        )  # channel 4 c + m: (B * tiles, M, L, positions)
        raw = raw.unflatten(0, (image.shape[0], -1)).permute(3, 0, 2, 1, 4).flatten(-2)  # (L, B, M, sites)
        return [_extremes(one, s.nonzeros // 2) for one in raw]

    def decode(self, codes: Sequence[Tensor], height: int, width: int) -> Tensor:
        """Codes (B, M, sites), missing ones taken as 0, -> image (B, 1, height, width); not clamped."""
        s = self.settings
        missing = [torch.zeros_like(codes[0])] * (s.levels - len(codes))
        code = torch.stack([*codes, *missing], dim=1)  # (B, L, M, sites)
        count, side = code.shape[0], int(self.positions**0.5)
        code = code.unflatten(-1, (-1, self.positions)).permute(0, 3, 1, 2, 4).flatten(0, 1)
        code = code.flatten(1, 2).unflatten(-1, (side, side))  # channel 256 m + c, which is the mismatch
        maps = F.conv_transpose2d(code, self.linear.weight, stride=s.stride, groups=s.atoms)
        missed = SIDE - maps.shape[-1]  # 0 as released
        joined = self.out_of(F.pad(maps, (0, missed, 0, missed)))
        half = self.up[0](joined[:, : WIDTHS[2]]) + self.up_sides[0](joined)
        tiles = self.up[1](half) + self.up_sides[1](joined)  # (B * tiles, 1, 64, 64)
        rows, cols = -(-height // TILE), -(-width // TILE)
        image = (
            tiles.reshape(count, rows, cols, TILE, TILE).transpose(2, 3).reshape(count, 1, rows * TILE, -1)
        )
        return image[..., :height, :width]

    def forward(self, image: Tensor) -> Tensor:
        """The image as it comes back from all codes; carries gradients."""
        return self.decode([k.code for k in self.encode(image)], image.shape[-2], image.shape[-1])


class _BlockDown(nn.Module):
    """(B, a, h, w) -> (B, b, h / 2, w / 2)."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.curved = nn.Sequential(
            nn.Conv2d(a, a, 3, padding=1, bias=False),
            nn.LeakyReLU(),
            nn.Conv2d(a, b, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(b),
        )
        self.skip = nn.Conv2d(a, b, 1, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.curved(x) + self.skip(x)


class _SideDown(nn.Module):
    """(B, a, h, w) -> (B, 64, h / stride, w / stride)."""

    def __init__(self, a: int, b: int, stride: int) -> None:
        super().__init__()
        self.curved = nn.Sequential(
            nn.Conv2d(a, a, 3, padding=1, bias=False),
            nn.LeakyReLU(),
            nn.Conv2d(a, b, 5, padding=2, bias=False),
            nn.Conv2d(b, WIDTHS[2], 1, stride=stride, bias=False),
            nn.BatchNorm2d(WIDTHS[2]),
        )
        self.skip = nn.Conv2d(a, WIDTHS[2], 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.curved(x) + self.skip(x)


class _BlockUp(nn.Module):
    """(B, a, h, w) -> (B, b, 2 h, 2 w)."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.curved = nn.Sequential(
            nn.Conv2d(a, a, 5, padding=2, bias=False),
            nn.LeakyReLU(),
            nn.Conv2d(a, b, 3, padding=1, bias=False),
        )
        self.skip = nn.Conv2d(a, b, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = _larger(x, 2)
        return self.curved(x) + self.skip(x)


class _SideUp(nn.Module):
    """(B, 192, h, w) -> (B, b, times h, times w)."""

    def __init__(self, b: int, times: int) -> None:
        super().__init__()
        self.times = times
        self.narrow = nn.Conv2d(JOINED, b, 1, bias=False)
        self.curved = nn.Sequential(
            nn.Conv2d(b, WIDTHS[1], 5, padding=2, bias=False),
            nn.LeakyReLU(),
            nn.Conv2d(WIDTHS[1], b, 3, padding=1, bias=False),
        )
        self.skip = nn.Conv2d(JOINED, b, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.curved(_larger(self.narrow(x), self.times)) + _larger(self.skip(x), self.times)


def _larger(x: Tensor, times: int) -> Tensor:
    return F.interpolate(x, scale_factor=times, mode="bilinear", align_corners=False)


def _extremes(raw: Tensor, k: int) -> Kept:
    """The k largest and the k smallest of (B, M, sites)."""
    order = raw.detach().argsort(dim=1)
    support = torch.cat([order[:, :k], order[:, -k:]], dim=1).sort(dim=1).values
    values = raw.gather(1, support)
    return Kept(torch.zeros_like(raw).scatter(1, support, values), support, values)


def _tiles(image: Tensor) -> Tensor:
    """(B, 1, H, W) -> (B * tiles, 1, 64, 64), right and bottom filled by reflection."""
    for axis in (-2, -1):
        n = image.shape[axis]
        at = np.pad(np.arange(n), (0, -n % TILE), mode="reflect")
        image = image.index_select(axis, torch.as_tensor(at, device=image.device))
    return image.unflatten(-1, (-1, TILE)).unflatten(-3, (-1, TILE)).transpose(-3, -2).flatten(0, 3)[:, None]
