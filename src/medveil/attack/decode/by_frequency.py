"""decode.by_frequency: how often the encoder chooses a component, and with what values, in training.

    score = log odds of component m in training + log of  share of v among true values of m  :  among published ones

The first says which components images use at all; decoys that are drawn evenly are mostly rare ones. The second counts only
against a component: octaves of values that it shows here more often than in training. Needs no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.by_value import places
from medveil.attack.decode.claim import Floats, by_components, check, log_odds
from medveil.core.claims import Decoded
from medveil.core.sparse import PublicCode, SparseLevel

_PRIOR = 20  # published values of a component before its histogram counts as much as that of training


@dataclass(frozen=True)
class ByFrequency:
    """Score: log-likelihood of component and value.

    Args:
        values: count values too, not only which component it is.
    """

    values: bool = True

    name: ClassVar[str] = "decode.by_frequency"
    summary: ClassVar[str] = (
        "takes the components that images choose most often, with the values they take then"
    )
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code."""
        check(codes, threat)
        return [
            by_components(
                code,
                [self.scores(level, threat, n) for n, level in enumerate(code.levels)],
                threat,
                self.name,
                condition,
            )
            for code in codes
        ]

    def scores(self, level: SparseLevel, threat: CodeThreat, index: int) -> Floats:
        """(sites, S_x + S_n) of one level."""
        odds = log_odds(threat, index)[level.support]
        return odds + _of_values(level, threat.statistics.values[index]) if self.values else odds

    def describe(self) -> str:
        """In words, what the attack will do."""
        what = "components and values" if self.values else "components"
        return f"take the {what} that were most frequent in training for the true ones"


def _of_values(level: SparseLevel, counts: npt.NDArray[np.int64]) -> Floats:
    """log of true : published share of a value's octave, by component; never above 0."""
    kinds = counts.shape[1]
    steps = np.concatenate([np.arange(-(kinds // 2), 0), np.arange(1, kinds // 2 + 1)])
    octave = np.floor(np.log2(np.abs(steps))).astype(np.intp) * 2 + (
        steps > 0
    )  # sign and octave: some 16 kinds
    true = np.zeros((level.atoms, octave.max() + 1))
    np.add.at(true.T, octave, counts.T)
    true = (true + 0.5) / (true + 0.5).sum(axis=1, keepdims=True)
    at = octave[places(level.values, kinds)]
    published = np.zeros_like(true)
    np.add.at(published, (level.support.astype(np.intp), at), 1.0)
    published = (published + _PRIOR * true) / (published.sum(axis=1, keepdims=True) + _PRIOR)
    return np.asarray(np.minimum(np.log(true / published), 0.0)[level.support, at])
