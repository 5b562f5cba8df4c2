"""Joined: what an attack claims of each code, beside what the code hides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import CodePair

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Joined:
    """Claims and truths of the same codes, in the same order.

    Raises:
        UsageError: another number of claims than codes, or scores of another shape than what is published.
    """

    claims: Sequence[Decoded]
    pairs: Sequence[CodePair]

    def __post_init__(self) -> None:
        if len(self.claims) != len(self.pairs) or not self.pairs:
            raise UsageError(f"decoding: {len(self.claims)} claims of {len(self.pairs)} codes")
        for claim, pair in zip(self.claims, self.pairs, strict=True):
            if claim.picture is not None and claim.picture.shape != pair.picture.shape:
                raise UsageError("decoding: a claimed picture is of another size than the code")
            shapes = [true.shape for true in pair.true]
            if claim.scores is not None and [score.shape for score in claim.scores] != shapes:
                raise UsageError("decoding: scores are of another shape than what is published")

    def __repr__(self) -> str:
        return f"Joined({len(self.pairs)} codes)"

    @property
    def groups(self) -> list[str]:
        """Whose each code is."""
        return [pair.group for pair in self.pairs]

    @property
    def scored(self) -> bool:
        """Whether the attack looked at components."""
        return all(claim.scores is not None for claim in self.claims)

    @property
    def pictured(self) -> bool:
        """Whether the attack made pictures."""
        return all(claim.picture is not None for claim in self.claims)

    @property
    def levels(self) -> int:
        """How many levels all codes have."""
        return min(len(pair.true) for pair in self.pairs)

    def level(self, index: int) -> Iterator[tuple[Floats, Flags]]:
        """Scores and truth, (sites, S_x + S_n) each, of one level of each code."""
        for claim, pair in zip(self.claims, self.pairs, strict=True):
            if claim.scores is not None:
                yield claim.scores[index].astype(np.float64), pair.true[index]
