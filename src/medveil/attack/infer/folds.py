"""Folds: people dealt into groups like cards, so that every group has its share of each kind.

    kinds sorted, shuffled within ──dealt round and round──> 0 1 2 3 4 0 1 2 ...

What is dealt are people, never images: two scans of one person in two folds would let a learner recognise them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

QUARTERS = 4


def deal(kinds: Mapping[str, str], folds: int, rng: np.random.Generator) -> dict[str, int]:
    """A fold for each person, sizes differing by at most one, each kind spread as evenly as it goes.

    Args:
        kinds: person to what is to be spread evenly (a class, a quarter of the ages).

    >>> sorted(deal({"a": "F", "b": "F", "c": "M", "d": "M"}, 2, np.random.default_rng(0)).values())
    [0, 0, 1, 1]
    """
    order: list[str] = []
    for kind in sorted(set(kinds.values())):
        people = sorted(p for p, k in kinds.items() if k == kind)
        order += [people[i] for i in rng.permutation(len(people))]
    return {person: place % folds for place, person in enumerate(order)}


def quarters(values: Sequence[float]) -> list[str]:
    """For numbers: in which quarter of all of them each lies.

    >>> quarters([30.0, 10.0, 20.0, 40.0])
    ['2', '0', '1', '3']
    """
    ranks = np.argsort(np.argsort(np.asarray(values), kind="stable"), kind="stable")
    return [str(r * QUARTERS // len(ranks)) for r in ranks]
