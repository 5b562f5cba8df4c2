"""decode.by_magnitude: takes the S_x published components of largest magnitude at each site.

The encoder keeps the largest of M; decoys whose values were drawn without care are smaller. Ones that were drawn too
large turn the order round, which `decode.by_value` sees and this attack does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components, check
from medveil.core.claims import Decoded
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class ByMagnitude:
    """Score: |value| in steps."""

    name: ClassVar[str] = "decode.by_magnitude"
    summary: ClassVar[str] = "takes the components of largest magnitude at each site"
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code."""
        check(codes, threat)
        return [
            by_components(
                c, [np.abs(x.values.astype(np.float64)) for x in c.levels], threat, self.name, condition
            )
            for c in codes
        ]

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "take the S_x components of largest magnitude at each site for the true ones"
