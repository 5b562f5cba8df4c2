"""Guesses and truth written down as rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medveil.core.claims import Guesses
from medveil.core.truth import Truth
from medveil.measure.guesses.joined import Table, join_guesses


def guesses(
    person: Sequence[str], guess: Sequence[str] | Sequence[float], score: Sequence[float] | None = None,
    *, attribute: str = "sex", condition: str = "release",
) -> Guesses:  # fmt: skip
    return Guesses(
        probe_subject=np.array(person),
        probe_image=np.array([str(i) for i in range(len(person))]),
        attribute=attribute,
        guess=np.array(guess) if isinstance(guess[0], str) else np.array(guess, dtype=np.float64),
        score=np.array(score if score is not None else [1.0] * len(person), dtype=np.float64),
        attack="infer.attributes",
        condition=condition,
        notes={},
    )


def truth(person: Sequence[str], value: Sequence[str], attribute: str = "sex") -> Truth:
    return Truth(properties={p: {attribute: v} for p, v in zip(person, value, strict=True)})


def table(
    value: Sequence[str], guess: Sequence[str] | Sequence[float], score: Sequence[float] | None = None
) -> Table:
    """One image a person."""
    person = [f"p{i:03d}" for i in range(len(value))]
    return join_guesses(guesses(person, guess, score), truth(person, value))
