"""What an obfuscated code gives away at once: no network is trained and nothing is decoded.

The owner, who knows the true components, asks how well they can be told from the decoys by looking at one component
at a time. This is the least that a stranger can do; attacks that use the model find far more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.share.base import SparseLevel, Statistics
from medveil.share.codec import ranking
from medveil.share.codec.entropy import check_fits

PLAIN = (
    "this is not encryption: in tests on chest films, attacks on the code found 85 to 99 % of the true components "
    "without any key"
)


@dataclass(frozen=True)
class LevelLeak:
    """One level.

    Args:
        level: 1 is the coarsest.
        sites: how many it has.
        nonzeros: S_x, true components at a site.
        decoys: S_n.
        auc_by_magnitude: area under the curve, true against decoy, by magnitude of the value; 0.5 tells nothing.
        auc_by_frequency: the same, by how often the component was chosen in training.
        found_by_magnitude: share of the true components found by taking the S_x greatest at each site.
        found_by_frequency: the same, by taking the S_x most frequent.
        found_by_chance: S_x / (S_x + S_n).
        ambiguity_bits_upper_bound: log2 C(S_x + S_n, S_x), bits a site. A count of possibilities, not security:
            what is left to somebody who attacks the code is far less.
    """

    level: int
    sites: int
    nonzeros: int
    decoys: int
    auc_by_magnitude: float
    auc_by_frequency: float
    found_by_magnitude: float
    found_by_frequency: float
    found_by_chance: float
    ambiguity_bits_upper_bound: float


@dataclass(frozen=True)
class Leak:
    """What was measured, level by level, the coarsest first."""

    levels: tuple[LevelLeak, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: the figures and the sentence that belongs to them."""
        return {"levels": [asdict(level) for level in self.levels], "plainly": PLAIN}

    def lines(self) -> list[str]:
        """For people, one line a level after the plain sentence."""
        return [
            PLAIN,
            *(
                f"level {each.level}: {each.nonzeros} true among {each.nonzeros + each.decoys} at a site; one at a "
                f"time, true ones are told from decoys with AUC {each.auc_by_magnitude:.3f} by magnitude and "
                f"{each.auc_by_frequency:.3f} by frequency; {each.found_by_magnitude:.1%} and "
                f"{each.found_by_frequency:.1%} are found so, {each.found_by_chance:.1%} by chance; at most "
                f"{each.ambiguity_bits_upper_bound:.1f} bits a site are undecided, which is a count and no security"
                for each in self.levels
            ),
        ]


def leak(levels: Sequence[SparseLevel], published: Sequence[SparseLevel], statistics: Statistics) -> Leak:
    """Measure what the published levels give away of the true ones.

    Args:
        levels: the true components.
        published: the same levels with decoys (`obfuscate.public_part`).
        statistics: of the model; anybody who has it can do this attack.

    Raises:
        UsageError: the published levels do not contain the true ones with decoys beside them.
    """
    if len(levels) != len(published) or not levels:
        raise UsageError(f"leak: {len(levels)} true levels, {len(published)} published ones")
    pairs = zip(levels, published, strict=True)
    return Leak(tuple(_level(true, both, statistics, index) for index, (true, both) in enumerate(pairs)))


def _level(true: SparseLevel, both: SparseLevel, statistics: Statistics, index: int) -> LevelLeak:
    check_fits(true, statistics, index)
    check_fits(both, statistics, index)
    flags = _flags(true, both)
    magnitude = np.abs(both.values.astype(np.int32))
    # Which of the distinct frequencies a component has: small numbers that keep the order.
    order = np.unique(statistics.chosen[index], return_inverse=True)[1]
    frequency = order.astype(np.int32)[both.support]
    return LevelLeak(
        level=index + 1,
        sites=true.sites,
        nonzeros=true.nonzeros,
        decoys=both.nonzeros - true.nonzeros,
        auc_by_magnitude=_auc(magnitude, flags),
        auc_by_frequency=_auc(frequency, flags),
        found_by_magnitude=_found(magnitude, flags, true.nonzeros),
        found_by_frequency=_found(frequency, flags, true.nonzeros),
        found_by_chance=true.nonzeros / both.nonzeros,
        ambiguity_bits_upper_bound=math.log2(ranking.ways(both.nonzeros, true.nonzeros)),
    )


def _flags(true: SparseLevel, both: SparseLevel) -> npt.NDArray[np.bool_]:
    """Which of the published components are true, (sites, S_x + S_n)."""
    if true.sites != both.sites or not 0 < true.nonzeros < both.nonzeros or not true.sites:
        raise UsageError("leak: expected the published level to have the sites of the true one, and decoys")
    flags = np.empty(both.support.shape, np.bool_)
    for part in ranking.parts(true.sites):
        chosen = np.zeros((part.stop - part.start, both.atoms), np.bool_)
        np.put_along_axis(chosen, true.support[part].astype(np.intp), True, axis=1)
        flags[part] = np.take_along_axis(chosen, both.support[part].astype(np.intp), axis=1)
    if int(flags.sum()) != true.support.size:
        raise UsageError("leak: the published level does not contain the true components")
    return flags


def _auc(scores: npt.NDArray[np.int32], flags: npt.NDArray[np.bool_]) -> float:
    """How probably a true component scores above a decoy, ties by half; exact, as scores are small whole numbers."""
    count = int(scores.max()) + 1
    true = np.bincount(scores[flags], minlength=count)
    decoy = np.bincount(scores[~flags], minlength=count)
    wins = float((true * (np.cumsum(decoy) - decoy / 2)).sum())
    return wins / float(true.sum()) / float(decoy.sum())


def _found(scores: npt.NDArray[np.int32], flags: npt.NDArray[np.bool_], count: int) -> float:
    """Share of true components among the `count` best of each site; ties count with the share they are owed."""
    least = np.partition(scores, scores.shape[1] - count, axis=1)[:, scores.shape[1] - count, None]
    above, tied = scores > least, scores == least
    left = count - above.sum(axis=1)
    expected = (above & flags).sum(axis=1) + left * (tied & flags).sum(axis=1) / tied.sum(axis=1)
    return float(expected.sum()) / float(flags.sum())
