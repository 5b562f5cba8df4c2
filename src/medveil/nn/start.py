"""Start: networks begin as a transform that is known to be good, and training improves on it.

Blocks of 4 x 4 pixels go through a DCT, and each of its 16 functions over neighbouring blocks through a lapped
orthogonal transform: together 256 orthonormal functions at a pitch of 16 pixels, one for each atom. What is not linear
begins at 0. So a network is a classical codec at step 0, and minutes on two cores are enough.
Source of the lapped transform: Malvar & Staelin, The LOT: transform coding without blocking effects (IEEE Trans. ASSP
37, 1989), without the rotation of its odd functions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from medveil.nn.settings import NetSettings
from medveil.nn.trunk import BLOCK

if TYPE_CHECKING:
    from medveil.nn.bottleneck import Pair

# The mean of a window is much larger than its other coefficients; made smaller it fits the same quantiser.
MEAN_GAIN = 1 / 8
# Where several code maps share an encoder, each begins with its own part of the functions and a share of the others.
FOREIGN_GAIN = 0.02


def dct(n: int) -> Tensor:
    """(n, n) orthonormal DCT-II: row k is the k-th function."""
    at = torch.arange(n) + 0.5
    rows = torch.cos(math.pi / n * torch.arange(n)[:, None] * at) * math.sqrt(2 / n)
    rows[0] /= math.sqrt(2)
    return rows


def lapped(stride: int, window: int) -> Tensor:
    """(stride, window) functions of a modulated lapped transform, orthonormal when laid every `stride` samples.

    Exact for window = 2 * stride; for a longer window the functions stand in its middle.
    """
    if window < 2 * stride:
        return dct(stride) if window == stride else torch.eye(stride, window)
    n, half = stride, stride // 2
    rows = dct(n)
    even, odd, back = rows[0::2], rows[1::2], torch.eye(n).flip(0)
    d = even - odd
    out = torch.cat([torch.cat([d, d @ back], 1), torch.cat([d, -d @ back], 1)]) / 2
    order = torch.arange(n).reshape(2, half).T.flatten()
    out = out[order]
    left = (window - 2 * stride) // 2
    return nn.functional.pad(out, (left, window - 2 * stride - left))


@torch.no_grad()
def start(pair: Pair, s: NetSettings) -> None:
    """Set an encoder and its decoder, in place, to the transform named above."""
    rows = dct(BLOCK)
    basis = torch.einsum("ai,bj->abij", rows, rows).reshape(BLOCK**2, 1, BLOCK, BLOCK)
    for blocks in (pair.down.blocks, pair.up.blocks):
        blocks.weight.copy_(basis)
    last = pair.up.curved[-1]
    assert isinstance(last, nn.Conv2d)  # noqa: S101 - for the type checker
    assert last.bias is not None  # noqa: S101 - likewise
    last.weight.zero_()
    last.bias.zero_()
    if s.grouping == "map" or s.atoms < BLOCK**2:
        return  # With so few feature maps there is no such basis.
    for mix, columns in ((pair.into.weight, 1), (pair.out_of.weight, 0)):
        mix.mul_(0.05)
        mix.narrow(columns, 0, BLOCK**2).zero_()
    ratio, n = s.window // s.stride, s.stride
    patterns = torch.einsum("ai,bj->abij", *[lapped(n, s.window)] * 2).reshape(n**2, ratio, n, ratio, n)
    patterns = patterns.permute(0, 1, 3, 2, 4).flatten(
        -2
    )  # as the weight: tile row, tile column, pixel of a tile
    # Atom m looks at function m % 16 of the blocks with pattern m // 16.
    for m in range(min(s.atoms, BLOCK**2 * n**2)):
        block, pattern = m % BLOCK**2, m // BLOCK**2
        gain = MEAN_GAIN if m == 0 else 1.0
        pair.into.weight[m, block] += gain
        pair.out_of.weight[block, m] += 1 / gain
        for level in range(pair.levels):
            own = 1.0 if (block + pattern) % pair.levels == level else FOREIGN_GAIN
            noise = 0.002 * torch.randn(ratio, ratio, n**2)
            pair.linear.weight[:, :, m, level] = own * patterns[pattern] + noise
