"""Base: an attack on codes, and what its attacker holds: the network, and codes of others with what they hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from medveil.core.claims import Decoded
from medveil.core.sparse import CodePair, PublicCode, SparseLevel, Statistics

if TYPE_CHECKING:
    from medveil.nn.bottleneck import Bottleneck

Picture = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class CodeThreat:
    """An attacker on codes and their means; they never hold a key.

    Args:
        net: the network: it is public, or leaked (Kerckhoffs).
        statistics: of its training images; they lie in the same file.
        pairs: codes of OTHER people with what they hide, from which they learn; empty if they have none.
    """

    net: Bottleneck
    statistics: Statistics
    pairs: Sequence[CodePair] = ()

    def __str__(self) -> str:
        learns = (
            f"codes of {len({p.group for p in self.pairs})} other people with what they hide, "
            if self.pairs
            else ""
        )
        return f"The attacker holds the code, the network, {learns}and no key."

    def __repr__(self) -> str:
        return f"CodeThreat({self})"


@runtime_checkable
class DecodeAttack(Protocol):
    """An attack on codes. A frozen dataclass whose fields are its settings; `name` is the path of its file."""

    name: ClassVar[str]
    summary: ClassVar[str]
    learns: ClassVar[bool]
    """Whether it needs `threat.pairs`."""

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """One claim for each code, in order; what is learned is learned once for all of them.

        Raises:
            UsageError: it needs pairs and there are none, or codes and network do not fit.
        """
        ...

    def describe(self) -> str:
        """In words, what the attack will do."""
        ...


def render(levels: Sequence[SparseLevel], threat: CodeThreat, height: int, width: int) -> Picture:
    """The picture that the network makes of components, whichever they are: (height, width) in [0, 1]."""
    import torch

    from medveil.nn.sparsify import spread

    def dense(level: SparseLevel) -> torch.Tensor:
        support, steps = (torch.from_numpy(a.astype(np.int32)).T[None] for a in (level.support, level.values))
        return spread(support, steps, threat.net.settings)

    with torch.inference_mode():
        picture = threat.net.decode([dense(level) for level in levels], height, width)
    return np.asarray(picture[0, 0].clamp(0, 1).numpy())


def best(code: PublicCode, scores: Sequence[npt.NDArray[np.float32]]) -> list[SparseLevel]:
    """The S_x components of highest score at each site; ties go to the lower index."""
    out = []
    for level, score in zip(code.levels, scores, strict=True):
        first = np.sort(np.argsort(-score, axis=1, kind="stable")[:, : code.nonzeros], axis=1)
        support = np.take_along_axis(level.support, first, axis=1)
        out.append(SparseLevel(support, np.take_along_axis(level.values, first, axis=1), level.atoms))
    return out
