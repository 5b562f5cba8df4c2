"""Drawer: the network of `decode.translate`; from published components straight to the picture.

components ──present, value──> (L M) maps each ──1x1──> C ── 3x3 ── 3x3 ──> a vector every pitch
  ── the windows of a block ──pixels apart──> 32 channels every 4 pixels ── 3x3 ── 3x3 ──pixels apart──> picture
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medveil.attack.decode.nets.reader import in_sizes, spread, usual_size
from medveil.core.sparse import Statistics
from medveil.nn.settings import NetSettings
from medveil.nn.trunk import BLOCK

FINE = 32  # channels on the grid of 4 pixels


class Drawer(nn.Module):
    """(B, 2, L, K, rows, columns), which component and its value in steps, -> (B, 1, H, W).

    Args:
        s: of the network that made the codes.
        statistics: from which it knows how large a value is for its component.
        width: C.
    """

    size: Tensor

    def __init__(self, s: NetSettings, statistics: Statistics, width: int) -> None:
        super().__init__()
        self.s = s
        self.register_buffer("size", usual_size(s, statistics))
        self.into = nn.Conv2d(2 * s.levels * s.atoms, width, 1)
        self.near = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.block = nn.Conv2d(width, FINE * s.stride**2, s.window // s.stride)
        self.fine = nn.ModuleList(nn.Conv2d(FINE, FINE, 3, padding=1) for _ in range(2))
        self.pixels = nn.Conv2d(FINE, BLOCK**2, 1)
        nn.init.normal_(self.into.weight, std=(s.levels * s.nonzeros) ** -0.5 / 4)

    def forward(self, told: Tensor) -> Tensor:
        """See the class."""
        which = told[:, 0].long()
        value = in_sizes(told[:, 1], which, self.size)
        y = self.into(torch.cat([spread(f, which, self.s) for f in (torch.ones_like(value), value)], dim=1))
        for conv in self.near:
            y = y + F.leaky_relu(conv(y), 0.1)
        y = F.pixel_shuffle(self.block(y), self.s.stride)  # (B, 32, H / 4, W / 4)
        for conv in self.fine:
            y = y + F.leaky_relu(conv(y), 0.1)
        return 0.5 + F.pixel_shuffle(self.pixels(y), BLOCK)
