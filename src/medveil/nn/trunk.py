"""Trunk: an image as channels of a quarter of its sides, and back.

                ┌─ 4x4 blocks, linear ────────────────┐
    image ──────┤                                      ├──> C channels ─ 1x1 ─> F feature maps ─ GroupedLinear ─> codes
                └─ 5x5 /2 ─ 5x5 /2 ─ 3x3, not linear ─┘

    codes ─ adjoint ─> F feature maps ─ 1x1 ─> C channels ─┬──────────────────────┬─ + ─ 4x4 blocks, linear ─> image
                                                           └─ 3x3 ─ 3x3, not linear ┘

What both sides begin with is in `start`.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from medveil.nn.settings import NetSettings

BLOCK = 4


def channels(s: NetSettings) -> int:
    """C, how many channels the trunk has where it meets the feature maps."""
    return BLOCK**2 + 2 * s.width


class Down(nn.Module):
    """(B, 1, H, W) -> (B, C, H / 4, W / 4), H and W multiples of 4."""

    def __init__(self, s: NetSettings) -> None:
        super().__init__()
        w = s.width
        self.blocks = nn.Conv2d(1, BLOCK**2, BLOCK, stride=BLOCK, bias=False)
        self.curved = nn.Sequential(
            nn.Conv2d(1, w // 2, 5, stride=2, padding=2),
            nn.LeakyReLU(0.1),
            nn.Conv2d(w // 2, 2 * w, 3, stride=2, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2 * w, 2 * w, 3, padding=1),
            nn.LeakyReLU(0.1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return torch.cat([self.blocks(image), self.curved(image)], dim=1)


class Up(nn.Module):
    """(B, C, h, w) -> (B, 1, 4 h, 4 w)."""

    def __init__(self, s: NetSettings) -> None:
        super().__init__()
        w = s.width
        self.blocks = nn.ConvTranspose2d(BLOCK**2, 1, BLOCK, stride=BLOCK, bias=False)
        self.curved = nn.Sequential(
            nn.Conv2d(BLOCK**2 + 2 * w, 2 * w, 3, padding=1),
            nn.LeakyReLU(0.1),
            nn.Conv2d(2 * w, BLOCK**2, 3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        return self.blocks(features[:, : BLOCK**2] + self.curved(features))
