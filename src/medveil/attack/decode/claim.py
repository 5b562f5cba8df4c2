"""Claim: what an attack that looks at components says of a code, and the picture that follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat, best, render
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import PublicCode

Floats = npt.NDArray[np.float64]


def by_components(
    code: PublicCode,
    scores: Sequence[npt.NDArray[np.floating]],
    threat: CodeThreat,
    attack: str,
    condition: str,
    notes: Mapping[str, float] | None = None,
) -> Decoded:
    """The claim of scores (sites, S_x + S_n) a level; its picture is that of the S_x best at each site."""
    told = tuple(np.asarray(score, dtype=np.float32) for score in scores)
    picture = render(best(code, told), threat, code.height, code.width)
    return Decoded(told, picture, attack, condition, dict(notes or {}))


def log_odds(threat: CodeThreat, level: int) -> Floats:
    """log of chosen : not chosen of each component in training, (M,)."""
    chosen = threat.statistics.chosen[level].astype(np.float64)
    other = np.maximum(threat.statistics.sites - chosen, 0.0)
    return np.asarray(np.log(chosen + 0.5) - np.log(other + 0.5))


def check(codes: Sequence[PublicCode], threat: CodeThreat) -> None:
    """Raises UsageError unless codes and statistics are of the same levels and components."""
    levels, atoms = threat.statistics.chosen.shape
    for code in codes:
        if not 0 < len(code.levels) <= levels or any(level.atoms != atoms for level in code.levels):
            raise UsageError("decode: the codes are not of the attacker's network")
