"""Crops: random squares of films for training, the same ones again for the same seed and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from medveil.core.errors import UsageError


@dataclass(frozen=True, eq=False, repr=False)
class Crops:
    """Squares of `side` pixels from films, mirrored left to right at random.

    Every film is taken equally often, however large it is.

    Args:
        films: each (H, W) in [0, 1].
        side: of a square, pixels; smaller films are refused.
        batch: squares a step.
        seed: together with the step it decides what is drawn, so a resumed training sees what an unbroken one sees.

    Raises:
        UsageError: no film, or one that is too small.
    """

    films: Sequence[npt.NDArray[np.float32]]
    side: int = 128
    batch: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.films or min(min(f.shape) for f in self.films) < self.side:
            raise UsageError(
                f"training: expected films of at least {self.side} x {self.side} pixels",
                hint="leave smaller ones out, or train on smaller squares",
            )

    def __call__(self, step: int) -> Tensor:
        """(B, 1, side, side) float32 in [0, 1]."""
        draw = np.random.default_rng([self.seed, step])
        out = np.empty((self.batch, 1, self.side, self.side), dtype=np.float32)
        for n in range(self.batch):
            film = self.films[int(draw.integers(len(self.films)))]
            i, j = (draw.integers(size - self.side + 1) for size in film.shape)
            square = film[i : i + self.side, j : j + self.side]
            out[n, 0] = square[:, ::-1] if draw.random() < 0.5 else square
        return torch.from_numpy(out)
