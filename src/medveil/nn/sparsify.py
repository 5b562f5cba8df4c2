"""Sparsify: the S_x components of largest magnitude at each site, their values in steps.

A value v becomes a number of steps q with sign(v) * (|q| - 1) * step, |q| from 1 to Q. So a chosen component is never
0, and +1 and -1 both mean none: a code always tells S_x components at a site, however flat the image is there.
Gradients pass the rounding as if it were not there (straight-through; Bengio, Leonard & Courville 2013).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from medveil.nn.settings import NetSettings


class Chosen(NamedTuple):
    """What is kept.

    Args:
        code: (B, M, sites) dense, values dequantised, 0 elsewhere; carries gradients.
        support: (B, S_x, sites) indices of the kept components, ascending.
        steps: (B, S_x, sites) their quantised values, never 0.
    """

    code: Tensor
    support: Tensor
    steps: Tensor


def sparsify(raw: Tensor, s: NetSettings) -> Chosen:
    """Keep S_x of the M components of (B, M, sites), the largest by magnitude."""
    raw = raw.float()  # in mixed precision the steps are finer than half precision
    size = raw.detach().abs().transpose(1, 2).contiguous()  # rows of atoms: much faster to search
    support = size.topk(s.nonzeros, dim=2).indices.sort(dim=2).values.transpose(1, 2)
    values = raw.gather(1, support)
    steps = quantise(values.detach(), s)
    inside = values.clamp(-s.step * (s.steps - 1), s.step * (s.steps - 1))
    through = inside + (dequantise(steps, s) - inside).detach()
    return Chosen(torch.zeros_like(raw).scatter(1, support, through), support, steps)


def quantise(values: Tensor, s: NetSettings) -> Tensor:
    """Values in steps, int16, of -Q .. -1, 1 .. Q."""
    size = (values.abs() / s.step).round().clamp(max=s.steps - 1) + 1
    return torch.where(values < 0, -size, size).to(torch.int16)


def dequantise(steps: Tensor, s: NetSettings) -> Tensor:
    """What the steps stand for."""
    return steps.sign() * (steps.abs().float() - 1) * s.step


def spread(support: Tensor, steps: Tensor, s: NetSettings) -> Tensor:
    """A dense code (B, M, sites) from what was kept, or from what somebody takes for it."""
    empty = torch.zeros(support.shape[0], s.atoms, support.shape[2], device=support.device)
    return empty.scatter(1, support.long(), dequantise(steps, s))
