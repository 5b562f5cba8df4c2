"""Made-up codes and claims: scores that know as much of the truth as is asked for."""

from __future__ import annotations

import numpy as np

from medveil.core.claims import Decoded
from medveil.core.sparse import CodePair, PublicCode, SparseLevel
from medveil.measure.decoding.joined import Joined

K, AMONG, ATOMS, SITES = 4, 10, 24, 60


def pair(seed: int, group: str | None = None, levels: int = 2) -> CodePair:
    draw = np.random.default_rng(seed)
    out, true = [], []
    for _ in range(levels):
        support = np.sort(draw.random((SITES, ATOMS)).argsort(axis=1)[:, :AMONG], axis=1).astype(np.uint16)
        values = draw.integers(1, 5, support.shape).astype(np.int16)
        out.append(SparseLevel(support, values, ATOMS))
        true.append(draw.random(support.shape).argsort(axis=1) < K)
    picture = draw.random((32, 32)).astype(np.float32)
    return CodePair(PublicCode(tuple(out), K, 32, 32), tuple(true), picture, group or f"p{seed}")


def joined(strength: float, count: int = 6, first: int = 0, attack: str = "decode.made") -> Joined:
    """Claims whose scores are `strength` standard deviations higher for what is true; pictures with noise."""
    pairs = [pair(first + n) for n in range(count)]
    claims = []
    for n, one in enumerate(pairs):
        draw = np.random.default_rng([first + n, 1])
        scores = tuple((draw.normal(size=t.shape) + strength * t).astype(np.float32) for t in one.true)
        picture = (one.picture + 0.05 * draw.normal(size=one.picture.shape)).clip(0, 1).astype(np.float32)
        claims.append(Decoded(scores, picture, attack, "public", {}))
    return Joined(claims, pairs)
