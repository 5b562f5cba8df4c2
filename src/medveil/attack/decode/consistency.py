"""decode.consistency: a picture whose own code holds the published components.

    code ──decode.regression──> chances ──> picture ──encoder──> components  =  published ones, to half a step?
                                               ^──────── gradient, pixels ───────┘   and few edges (total variation)

In steps of the quantiser a true component misses by half at most. Sites hold hardly more numbers than pixels, so a
picture can agree with false ones too: what it can't agree with, or only with more edges, scores low.
Source: strategy 1 of Shiri et al. (2024, Sec. 2.5), by optimisation through the encoder.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components
from medveil.attack.decode.regression import Regression
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class Consistency:
    """Optimises pixels until the encoder gives what is published, weighted by the regression's chances.

    Args:
        rounds: how often the chances are taken from the picture anew.
        steps: of the optimiser (Adam), a round.
        smoothness: weight of total variation.
        rate: learning rate, in units of the picture's range.
    """

    rounds: int = 3
    steps: int = 100
    smoothness: float = 60.0
    rate: float = 0.01

    name: ClassVar[str] = "decode.consistency"
    summary: ClassVar[str] = "a picture whose encoding agrees with the code, found through the encoder"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if min(self.rounds, self.steps) < 1 or self.smoothness < 0 or not 0 < self.rate < 1:
            raise UsageError(
                "decode.consistency: at least 1 round and step, smoothness from 0, and a rate between 0 and 1"
            )

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code; its picture is the decoder's, of the components that miss least."""
        import torch

        from medveil.attack.decode.nets.agreement import Published, agreement, likely, rough

        out = []
        for code, first in zip(codes, Regression().run(codes, threat, condition=condition), strict=True):
            start = time.perf_counter()
            assert first.scores is not None  # noqa: S101 - for the type checker
            assert first.picture is not None  # noqa: S101 - likewise
            scores: Sequence[npt.NDArray[np.float32]] = first.scores
            chances, picture = scores, torch.from_numpy(first.picture.copy())[None, None].requires_grad_(True)
            for _ in range(self.rounds):
                published = Published(code, threat.net, chances)
                adam = torch.optim.Adam([picture], lr=self.rate)
                for _ in range(self.steps):
                    adam.zero_grad()
                    loss = published.loss(picture) + self.smoothness * rough(picture)
                    loss.backward()  # type: ignore[no-untyped-call]
                    adam.step()
                with torch.inference_mode():
                    scores = agreement(first.scores, published.misses(picture.clamp(0, 1)))
                chances = likely(scores, code.nonzeros)
            took = {
                "seconds": time.perf_counter() - start + first.notes["seconds"],
                "loss": float(loss.detach()),
            }
            out.append(by_components(code, scores, threat, self.name, condition, took))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return f"fit a picture through the encoder in {self.rounds} rounds of {self.steps} steps, and score components by how far they miss"
