"""GroupedLinear: the block-sparse linear map of the PRIMIS paper as a convolution, with its exact adjoint.

    features (B, F, tiles) ──W──> code (B, L, M, sites)        F = M with grouping "atom", F = L with "map"
    code ──W'──> features                                      <W f, z> = <f, W' z> to rounding

Every entry of a code map is the inner product of one window of one feature map with its own kernel; the decoder lays
the same kernels down again, so encoder and decoder are tied by construction (paper, Sec. 2.2; Fig. 3).
Features come in tiles of stride x stride pixels, (B, F, stride^2, rows, columns): a window is a few whole tiles, so
the map is one product of matrices and a sum of shifted results, several times faster on a CPU than a convolution with
one channel a group, and no pixel is held twice.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medveil.nn.settings import NetSettings


class GroupedLinear(nn.Module):
    """W, and its adjoint.

    Args:
        s: window, stride, atoms, grouping are taken from here.
        levels: L of this map.
    """

    def __init__(self, s: NetSettings, levels: int) -> None:
        super().__init__()
        self.by_map, self.ratio = s.grouping == "map", s.window // s.stride
        self.maps, self.per_map = (levels, s.atoms) if self.by_map else (s.atoms, levels)
        # Tile row and column within a window, feature map, kernel of that map, pixel of a tile.
        shape = (self.ratio, self.ratio, self.maps, self.per_map, s.stride**2)
        self.weight = nn.Parameter(torch.randn(shape) / s.window)

    def forward(self, tiles: Tensor) -> Tensor:
        """(B, F, stride^2, rows, columns) -> (B, L, M, sites)."""
        rows, cols = (n - self.ratio + 1 for n in tiles.shape[-2:])
        every = self._matrix() @ tiles.flatten(-2)  # (B, F, shifts * P, all tiles)
        every = every.unflatten(2, (self.ratio, self.ratio, self.per_map)).unflatten(-1, tiles.shape[-2:])
        code = torch.stack([every[:, :, i, j, :, i : i + rows, j : j + cols] for i, j in self._shifts()])
        code = code.sum(dim=0).flatten(-2)  # (B, F, P, sites)
        return code if self.by_map else code.transpose(1, 2)

    def adjoint(self, code: Tensor, rows: int, cols: int) -> Tensor:
        """(B, L, M, sites) -> (B, F, stride^2, rows, columns): the transpose of `forward`, nothing normalised."""
        code = code if self.by_map else code.transpose(1, 2)
        r = self.ratio - 1
        code = code.unflatten(-1, (rows - r, cols - r))
        laid = [F.pad(code, (j, r - j, i, r - i)) for i, j in self._shifts()]
        every = torch.stack(laid, dim=2).flatten(2, 3).flatten(-2)  # (B, F, shifts * P, all tiles)
        return (self._matrix().transpose(1, 2) @ every).unflatten(-1, (rows, cols))

    def _matrix(self) -> Tensor:
        return self.weight.permute(2, 0, 1, 3, 4).flatten(1, 3)  # (F, shifts * P, stride^2)

    def _shifts(self) -> list[tuple[int, int]]:
        return [(i, j) for i in range(self.ratio) for j in range(self.ratio)]


def tiled(features: Tensor, side: int) -> Tensor:
    """(B, F, h, w) -> (B, F, side^2, h / side, w / side)."""
    tiles = features.unflatten(-1, (-1, side)).unflatten(-3, (-1, side))  # (B, F, rows, y, columns, x)
    return tiles.permute(0, 1, 3, 5, 2, 4).flatten(2, 3)


def untiled(tiles: Tensor, side: int) -> Tensor:
    """Back from `tiled`."""
    features = tiles.unflatten(2, (side, side)).permute(0, 1, 4, 2, 5, 3)  # (B, F, rows, y, columns, x)
    return features.flatten(-2).flatten(-3, -2)
