"""Leaking: what an obfuscated code gives away at once, measured when it is made and said with it.

The quick part of `auditing`: attacks that learn nothing and take seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from medveil.carry import decoding
from medveil.core import catalog
from medveil.core.estimate import Estimate
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair, SparseLevel
from medveil.measure.decoding.assess import authorised, table
from medveil.measure.decoding.verdict import DecodeFindings

if TYPE_CHECKING:
    from medveil.share.codec.primis import Primis

PLAIN = (
    "this is not encryption: the figures are the least that somebody finds who has the code, the model and no key; "
    "`medveil share audit` tries stronger attacks"
)
QUICK = (
    "decode.naive",
    "decode.by_magnitude",
    "decode.by_value",
    "decode.by_frequency",
    "decode.by_neighbours",
)
MOST_SLICES = 8  # of a volume, evenly spaced: each is attacked by itself


@dataclass(frozen=True)
class MeasuredLeak:
    """What an obfuscated code gives away.

    Args:
        attacks: what quick attacks reach, without verdicts.
        granted: fidelity of what the finest key opens.
    """

    attacks: tuple[DecodeFindings, ...]
    granted: Mapping[str, Estimate]

    @property
    def naive_db(self) -> float | None:
        """PSNR of what anybody sees who decodes all that is published; None where it is exact."""
        return next(f for f in self.attacks if f.attack == "decode.naive").estimates["psnr"].value

    @property
    def granted_db(self) -> float | None:
        """PSNR of what the finest key opens; None where it is exact."""
        return self.granted["psnr"].value

    def to_json(self) -> dict[str, Any]:
        return {
            "plainly": PLAIN,
            "naive_db": self.naive_db,
            "granted_db": self.granted_db,
            "attacks": {
                f.attack: {name: e.to_json() for name, e in f.estimates.items()} for f in self.attacks
            },
        }

    def lines(self) -> list[str]:
        """What a person reads."""
        return [
            PLAIN,
            *table(self.attacks, {"authorised": self.granted}),
            f"decoding all that is published, without any key, gives {told_db(self.naive_db)}; "
            f"the finest key gives {told_db(self.granted_db)}",
        ]


def leak(
    codec: Primis, image: Image, published: Sequence[SparseLevel], true: Sequence[SparseLevel]
) -> MeasuredLeak:
    """Measure what the published levels of an image give away of the true ones."""
    pairs = some(decoding.pairs_of(published, true, decoding.pictures_of(image)))
    seeds = Seeds(0)
    bench = decoding.Bench(pairs, decoding.threat_of(codec), seeds, control=False)
    found = tuple(bench.attacked(catalog.find("attack", name).load()()) for name in QUICK)
    opened = decoding.authorised(pairs, bench.threat)
    return MeasuredLeak(found, authorised(opened, pairs, seeds))


def some(pairs: Sequence[CodePair]) -> list[CodePair]:
    """At most so many slices of a volume, evenly spaced."""
    return list(pairs[:: -(-len(pairs) // MOST_SLICES)])


def told_db(db: float | None) -> str:
    """A PSNR in words."""
    return "the exact image" if db is None else f"{db:.1f} dB"
