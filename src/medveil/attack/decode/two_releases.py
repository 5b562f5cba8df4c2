"""decode.two_releases: two codes of one image, with fresh decoys each: what both publish is true.

    release 1    a  B  c  D  e        capitals are true
    release 2    B  D  f  g  h        both: B D

Looks among the codes that it is given for others of the same image, by their overlap: the S_x true components of every
site are in both, while two strangers share hardly all of them at any site. Which is why `share encode` keeps a ledger,
and refuses to publish an image in a second way. Of a code without another release nothing is claimed: every score is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components, check
from medveil.core.claims import Decoded
from medveil.core.sparse import PublicCode, SparseLevel


@dataclass(frozen=True)
class TwoReleases:
    """Score: how many other releases of the image publish this component with this value."""

    name: ClassVar[str] = "decode.two_releases"
    summary: ClassVar[str] = "what two codes of one image both publish, if the attacker has two"
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code; `releases` in its notes says how many other codes of its image were found."""
        check(codes, threat)
        keys = [[_keys(level) for level in code.levels] for code in codes]
        out = []
        for n, code in enumerate(codes):
            scores = [np.zeros(level.support.shape) for level in code.levels]
            found = 0
            for k, other in enumerate(codes):
                if k == n or (other.height, other.width) != (code.height, code.width):
                    continue
                both = [np.isin(a, b) for a, b in zip(keys[n], keys[k], strict=False)]
                least = min(code.nonzeros, other.nonzeros)
                if both and all((b.sum(axis=1) >= least).all() for b in both):
                    found += 1
                    for score, b in zip(scores, both, strict=False):
                        score += b
            out.append(self._claim(code, scores, found, threat, condition))
        return out

    def _claim(
        self,
        code: PublicCode,
        scores: list[npt.NDArray[np.float64]],
        found: int,
        threat: CodeThreat,
        condition: str,
    ) -> Decoded:
        notes = {"releases": float(found)}
        if found:
            return by_components(code, scores, threat, self.name, condition, notes)
        return Decoded(tuple(s.astype(np.float32) for s in scores), None, self.name, condition, notes)

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "look for other codes of the same image, and take what they have in common for the true components"


def _keys(level: SparseLevel) -> npt.NDArray[np.int64]:
    """One number for site, component and value."""
    site = np.arange(level.sites, dtype=np.int64)[:, None] * level.atoms
    return (site + level.support) * 65536 + (level.values.astype(np.int64) + 32768)
