"""decode.random_support: a floor. Takes S_x of the published components of each site at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components, check
from medveil.core.claims import Decoded
from medveil.core.seeds import Seeds
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class RandomSupport:
    """Scores by chance.

    Args:
        seed: of the chance.
    """

    seed: int = 0

    name: ClassVar[str] = "decode.random_support"
    summary: ClassVar[str] = "a floor: some S_x of the published components of each site, at random"
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code."""
        check(codes, threat)
        out = []
        for n, code in enumerate(codes):
            draw = Seeds(self.seed).stream("attack/decode/random_support", n)
            scores = [draw.random(level.support.shape) for level in code.levels]
            out.append(by_components(code, scores, threat, self.name, condition))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "guess at each site which of the published components are true, by chance"
