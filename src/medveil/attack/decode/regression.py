"""decode.regression: the picture that most published components agree on, with no training data.

    code ──chances──> picture they would make ──expected components──> chances, a few rounds ──S_x best──> picture

Strategy 1 of Shiri et al. (2024, Sec. 2.5), with the leaked network and the counts in its file: true components are
measurements of one picture, decoys of none. Where sites measure a picture more often than it has pixels, fitting it
robustly finds them; ours hardly do (256 components every 16 x 16 pixels, and borders), so what binds components is the
kind of picture that films are: see `field`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components, check
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class Regression:
    """Chances of all components together, from their sizes, their picture and how decoys are drawn.

    Args:
        rounds: how often the chances are refined; 0 is how often the model chooses a component.
        smoothness: weight of the picture's smoothness; 0 looks at no picture.
        copied: how much more often decoys take the image's own values than those of the model's training images; 16 is
            what `obfuscate` does, 0 an attacker who does not know its program.
    """

    rounds: int = 24
    smoothness: float = 1.0
    copied: float = 16.0

    name: ClassVar[str] = "decode.regression"
    summary: ClassVar[str] = "the components that agree on one smooth picture; needs no codes of others"
    learns: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.rounds < 0 or not 0 <= self.smoothness <= 10 or not 0 <= self.copied <= 1000:
            raise UsageError(
                "decode.regression: rounds must be at least 0, smoothness 0 to 10, and copied 0 to 1000"
            )

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code; scores are chances, 0 to 1."""
        from medveil.attack.decode.nets.field import Field, Shapes, fits

        check(codes, threat)
        fits(codes, threat)
        shapes, out = Shapes.of(threat.net), []
        for code in codes:
            start = time.perf_counter()
            field = Field(code, threat, shapes, copied=self.copied, smoothness=self.smoothness)
            for number in range(self.rounds):
                field.step(0.5, min(1.0, max(0.0, (number - 3) / 6)))  # the picture counts once there is one
            took = {"seconds": time.perf_counter() - start}
            out.append(
                by_components(code, of_code(code, field.chances.numpy()), threat, self.name, condition, took)
            )
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        what = "sizes, decoys and a smooth picture" if self.smoothness else "sizes and decoys"
        return f"refine in {self.rounds} rounds how likely each component is true, from {what}"


def of_code(code: PublicCode, dense: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    """(L, M, sites) -> of each level (sites, S_x + S_n), in the order of its support."""
    return [
        np.take_along_axis(part, level.support.T.astype(np.intp), axis=0).T
        for level, part in zip(code.levels, dense, strict=True)
    ]
