"""decode.by_value: how a published value differs from what true values are, whatever the component.

    score = log of  how often true values are v in training  :  how often a published value is v

Published are true ones and decoys together, so the score tells wherever the two were not drawn alike: decoys beyond the
true range or all of one sign (as in the code that the PRIMIS authors released), of another grid of steps, rounded in
another way, too many or too few of the smallest step. It counts exact steps and looks at no component.
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
from medveil.core.sparse import PublicCode


@dataclass(frozen=True)
class ByValue:
    """Score: likelihood ratio of the value in steps."""

    name: ClassVar[str] = "decode.by_value"
    summary: ClassVar[str] = (
        "traces of the quantiser: values that true components take more often than published ones"
    )
    learns: ClassVar[bool] = False

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code."""
        check(codes, threat)
        out = []
        for code in codes:
            scores = []
            for index, level in enumerate(code.levels):
                counts = threat.statistics.values[index].sum(axis=0)
                at = places(level.values, len(counts))
                published = np.bincount(at.ravel(), minlength=len(counts))
                scores.append(ratio(counts, published)[at])
            out.append(by_components(code, scores, threat, self.name, condition))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "take the components whose values are more frequent in training than in the code for the true ones"


def places(values: npt.NDArray[np.int16], kinds: int) -> npt.NDArray[np.intp]:
    """Where each value in steps, -Q .. -1, 1 .. Q, stands in a histogram of 2 Q."""
    steps = kinds // 2
    wide = values.astype(np.intp).clip(-steps, steps)
    return np.where(wide < 0, wide + steps, wide + steps - 1)


def ratio(
    training: npt.NDArray[np.integer], published: npt.NDArray[np.integer], weight: float = 0.5
) -> npt.NDArray[np.float64]:
    """log of the shares of two histograms, one against the other, along the last axis; `weight` is added to each count."""

    def logs(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        smooth = counts + weight
        return np.asarray(np.log(smooth / smooth.sum(axis=-1, keepdims=True)), dtype=np.float64)

    return logs(training) - logs(published)
