"""Agreement: how far the encoder's components of a picture are from the published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from medveil.attack.decode.base import best
from medveil.core.sparse import PublicCode
from medveil.nn.bottleneck import filled
from medveil.nn.sparsify import dequantise, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from medveil.nn.bottleneck import Bottleneck, Pair


GAIN = 4.0  # log odds that a factor e in how far a component misses counts


class Published:
    """The components of a code as tensors, and what a picture must give at each level.

    Args:
        code: public.
        net: the network.
        chances: of each level (sites, S_x + S_n), from an attack before this one.
    """

    def __init__(self, code: PublicCode, net: Bottleneck, chances: Sequence[npt.NDArray[np.float32]]) -> None:
        self.net, self.s = net, net.settings
        self.support = [_turned(level.support) for level in code.levels]
        self.values = [dequantise(_turned(level.values), self.s) for level in code.levels]
        self.weights = [torch.from_numpy(np.ascontiguousarray(c.T)) for c in chances]
        size = (-(-n // self.s.pitch) * self.s.pitch for n in (code.height, code.width))
        # What the levels below took away from the picture, by the components that are the surest there.
        taken, gone = torch.zeros(1, 1, *size), []
        with torch.inference_mode():
            for number, level in enumerate(best(code, chances)):
                gone.append(taken)
                if self.s.variant == "progressive":
                    dense = spread(_turned(level.support)[None], _turned(level.values)[None], self.s)
                    taken = taken + self._pair(number).decode(dense[:, None], *taken.shape[-2:])
        self.gone = [g.clone() for g in gone]

    def _pair(self, level: int) -> Pair:
        return cast("Pair", self.net.pairs[0 if self.s.variant == "paper" else level])

    def misses(self, picture: Tensor) -> list[Tensor]:
        """Picture (1, 1, H, W) -> of each level (S_x + S_n, sites): the encoder's component less the published, in steps."""
        image = filled(picture, self.s.pitch)
        if self.s.variant == "paper":
            raws = list(self._pair(0).raw(image)[0])
        else:
            raws = [self._pair(n).raw(image - gone)[0, 0] for n, gone in enumerate(self.gone)]
        each = zip(raws, self.support, self.values, strict=True)
        return [(raw.gather(0, at.long()) - value) / self.s.step for raw, at, value in each]

    def loss(self, picture: Tensor) -> Tensor:
        """Mean over true components, as far as they are known, of what a miss beyond half a step costs (Huber)."""
        total = torch.zeros(())
        for miss, weight in zip(self.misses(picture), self.weights, strict=True):
            over = (miss.abs() - 0.5).clamp(min=0)
            total = (
                total + (weight * torch.where(over < 2, over.square() / 2, 2 * over - 2)).sum() / weight.sum()
            )
        return total / len(self.weights)


def rough(picture: Tensor) -> Tensor:
    """Mean total variation of (1, 1, H, W), edges of 0.01 and more counted by their height."""
    across, down = picture.diff(dim=-1)[..., :-1, :], picture.diff(dim=-2)[..., :-1]
    return (across.square() + down.square() + 1e-4).sqrt().mean()


def agreement(
    chances: Sequence[npt.NDArray[np.float32]], misses: Sequence[Tensor]
) -> list[npt.NDArray[np.float32]]:
    """Scores, of each level (sites, S_x + S_n): log odds of the chances, less how far the picture misses, in steps.

    A miss counts by its logarithm: of a large component a few steps are little.
    """
    out = []
    for chance, miss in zip(chances, misses, strict=True):
        p = chance.astype(np.float64).clip(1e-6, 1 - 1e-6)
        far = np.log1p(miss.detach().abs().numpy().T)
        out.append((np.log(p / (1 - p)) - GAIN * far).astype(np.float32))
    return out


def likely(scores: Sequence[npt.NDArray[np.float32]], nonzeros: int) -> list[npt.NDArray[np.float32]]:
    """Scores as log odds -> chances that sum to S_x at each site."""
    out = []
    for score in scores:
        low, high = np.full((len(score), 1), -60.0), np.full((len(score), 1), 60.0)
        for _ in range(40):
            middle = (low + high) / 2
            few = expit(score + middle).sum(axis=1, keepdims=True) < nonzeros
            low, high = np.where(few, middle, low), np.where(few, high, middle)
        out.append(expit(score + middle).astype(np.float32))
    return out


def _turned(a: npt.NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(a.T).astype(np.int32))
