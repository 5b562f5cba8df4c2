"""Randomness for science: named streams that all grow from one number.

A stream's name decides its numbers, so adding a new consumer never shifts the draws of another.
Randomness that protects people (date shifts, pseudonyms, decoys) is keyed and lives elsewhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Seeds:
    """One root seed and the streams named under it.

    >>> a = Seeds(7).stream("simulate/person", 3).normal()
    >>> b = Seeds(7).stream("simulate/person", 3).normal()
    >>> a == b
    True
    >>> a == Seeds(7).stream("simulate/person", 4).normal()
    False
    """

    root: int = 0

    def stream(self, name: str, *index: int) -> np.random.Generator:
        """A fresh generator for `name` and `index`: the same ones give the same numbers, always."""
        digest = hashlib.sha256(name.encode()).digest()
        words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
        return np.random.default_rng(np.random.SeedSequence([self.root, *words, *index]))
