"""decode.naive: decodes all that is published, decoys and all, as anybody does at once who has the network.

true + decoys ──network──> picture + what the decoys make
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from medveil.attack.decode.base import CodeThreat, render
from medveil.attack.decode.claim import check
from medveil.core.claims import Decoded
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class Naive:
    """The picture of all published components."""

    name: ClassVar[str] = "decode.naive"
    summary: ClassVar[str] = "decodes all published components as they are, decoys included"
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code."""
        check(codes, threat)
        pictures = (render(code.levels, threat, code.height, code.width) for code in codes)
        return [Decoded(None, picture, self.name, condition, {}) for picture in pictures]

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "decode all published components, true ones and decoys together"
