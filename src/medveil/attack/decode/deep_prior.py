"""decode.deep_prior: a picture that a small untrained network draws, fitted to the code.

    noise, fixed ──convolutions, untrained──> picture ──encoder──> components  =  published ones?
                        ^──────────────── gradient, few steps ────────┘

Such a network draws what looks like a picture long before it can draw what does not: stopped early it agrees with true
components more than with decoys (Ulyanov, Vedaldi & Lempitsky, Deep Image Prior, CVPR 2018).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components
from medveil.attack.decode.regression import Regression
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import PublicCode

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class DeepPrior:
    """Fits an untrained network to the code, and stops early.

    Args:
        steps: of the optimiser (Adam); more of them fit decoys too.
        width: channels of the network.
        rate: learning rate.
        seed: of the network and its noise.
    """

    steps: int = 200
    width: int = 24
    rate: float = 0.01
    seed: int = 0

    name: ClassVar[str] = "decode.deep_prior"
    summary: ClassVar[str] = "an untrained network that draws a picture which agrees with the code"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if min(self.steps, self.width) < 1 or not 0 < self.rate < 1:
            raise UsageError("decode.deep_prior: at least 1 step and 1 channel, and a rate between 0 and 1")

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code; its picture is the decoder's, of the components that miss least."""
        import torch

        from medveil.attack.decode.nets.agreement import Published, agreement

        out = []
        for code, first in zip(codes, Regression().run(codes, threat, condition=condition), strict=True):
            start = time.perf_counter()
            assert first.scores is not None  # noqa: S101 - for the type checker
            published = Published(code, threat.net, first.scores)
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.seed)
                net = _hourglass(self.width)
                noise = 0.1 * torch.rand(1, self.width, -(-code.height // 8), -(-code.width // 8))
            adam = torch.optim.Adam(net.parameters(), lr=self.rate)
            for _ in range(self.steps):
                adam.zero_grad()
                loss = published.loss(net(noise)[..., : code.height, : code.width])
                loss.backward()  # type: ignore[no-untyped-call]
                adam.step()
            with torch.inference_mode():
                scores = agreement(
                    first.scores, published.misses(net(noise)[..., : code.height, : code.width])
                )
            took = {
                "seconds": time.perf_counter() - start + first.notes["seconds"],
                "loss": float(loss.detach()),
            }
            out.append(by_components(code, scores, threat, self.name, condition, took))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return f"fit an untrained network to the code in {self.steps} steps, and score components by how far they miss"


def _hourglass(width: int) -> nn.Module:
    """(1, width, H / 8, W / 8) -> (1, 1, H, W) in [0, 1]: three times twice as large."""
    from torch import nn

    parts: list[nn.Module] = []
    for _ in range(3):
        parts += [nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(width)]
        parts += [nn.LeakyReLU(0.1), nn.Upsample(scale_factor=2, mode="bilinear")]
    parts += [nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect"), nn.BatchNorm2d(width)]
    return nn.Sequential(*parts, nn.LeakyReLU(0.1), nn.Conv2d(width, 1, 1), nn.Sigmoid())
