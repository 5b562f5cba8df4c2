"""Count: which components a network chooses on films, and what values they take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from medveil.nn.bottleneck import Bottleneck


@dataclass(frozen=True, eq=False)
class Counts:
    """See `share.base.Statistics`, which says what the arrays mean: chosen (L, M), values (L, M, 2 Q), sites."""

    chosen: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    sites: int


@torch.inference_mode()
def count(net: Bottleneck, images: Iterable[Tensor]) -> Counts:
    """Count over images (1, 1, H, W) in [0, 1]."""
    s = net.settings
    values = np.zeros((s.levels, s.atoms * 2 * s.steps), dtype=np.int64)
    sites = 0
    for image in images:
        levels = net.encode(image)
        sites += levels[0].support.shape[0] * levels[0].support.shape[2]
        for level, chosen in enumerate(levels):
            symbol = (
                chosen.steps.long() + s.steps - (chosen.steps > 0).long()
            )  # -Q .. -1, 1 .. Q -> 0 .. 2 Q - 1
            flat = (chosen.support.long() * 2 * s.steps + symbol).flatten().cpu().numpy()
            values[level] += np.bincount(flat, minlength=values.shape[1])
    shaped = values.reshape(s.levels, s.atoms, 2 * s.steps)
    return Counts(shaped.sum(axis=2), shaped, sites)
