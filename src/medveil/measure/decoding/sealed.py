"""Sealed: whether sealed bytes tell of what they hide. For levels that no attacker can see there are no components to
score, so the attacker is asked less than to decode: given the sealed bytes, which of two contents is theirs?

    sealed block k  ──agreement of bits──  content block k             its own
                    ──agreement of bits──  content block k', by lot    another's       AUC of own against another's

An AUC of 0.5 is what AEAD promises. This is a check that the bytes were sealed, and not under one key twice (two sections that
share a keystream XOR to the XOR of their contents); it does not prove the cipher, and sizes are not hidden at all.
Its positive control are the contents themselves, which give 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import erfc, sqrt

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.decoding.separation import area

BLOCK = 16
ALARM = 1e-6
"""A p below this is an alarm: a seal that failed gives far less, and at .05 one audit in twenty would cry wolf."""

_ONES = np.array([bin(n).count("1") for n in range(256)], dtype=np.int64)


def sealed_against(
    sealed: Sequence[bytes], contents: Sequence[bytes], seeds: Seeds, *, name: str = "auc"
) -> Estimate:
    """AUC of a block's own content against another's, with its interval over blocks and its one-sided p.

    Args:
        sealed: ciphertexts without commitments and tags, in the order of `contents`, each as long as its content.

    Raises:
        UsageError: lengths differ.
    """
    if [len(s) for s in sealed] != [len(c) for c in contents]:
        raise UsageError("sealed: expected ciphertexts as long as their contents")
    note = f"which of two contents blocks of {BLOCK} sealed bytes are of; interval over blocks"
    own, other = _stacked(sealed), _stacked(contents)
    n = len(own)
    if n < 2:
        return Estimate(name, None, chance=0.5, better="lower", note=f"{note}; too few bytes")
    order = seeds.stream("measure/decoding/sealed").permutation(n)
    wrong = np.where(order == np.arange(n), (order + 1) % n, order)
    right = _agreement(own, other)
    auc = (
        area(np.stack([right, _agreement(own, other[wrong])]), np.repeat([[True], [False]], n, axis=1)) or 0.0
    )
    error = sqrt((2 * n + 1) / (12 * n * n))
    p = 0.5 * erfc((auc - 0.5) / error / sqrt(2))
    return Estimate(
        name,
        auc,
        max(auc - 1.96 * error, 0.0),
        min(auc + 1.96 * error, 1.0),
        0.95,
        n,
        "",
        "lower",
        0.5,
        p,
        note,
    )


def paired(parts: Sequence[bytes]) -> list[bytes]:
    """XOR of each part with the next: where two were sealed with one keystream, it falls out."""
    out = []
    for a, b in pairwise(parts):
        size = min(len(a), len(b))
        out.append((np.frombuffer(a[:size], np.uint8) ^ np.frombuffer(b[:size], np.uint8)).tobytes())
    return out


def _stacked(parts: Sequence[bytes]) -> npt.NDArray[np.uint8]:
    """(blocks, BLOCK); what does not fill a block is left out."""
    blocks = [
        np.frombuffer(part[: len(part) // BLOCK * BLOCK], np.uint8).reshape(-1, BLOCK) for part in parts
    ]
    return np.concatenate(blocks) if blocks else np.empty((0, BLOCK), np.uint8)


def _agreement(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Bits of each block that are equal."""
    return np.asarray(8 * BLOCK - _ONES[a ^ b].sum(axis=1), dtype=np.float64)
