"""In folds: everybody's images guessed once, each by an attacker who learned from the other people.

    fold 0: learn from 1 2 3 4, guess 0 │ fold 1: learn from 0 2 3 4, guess 1 │ ... ──> one set of guesses

The true values go to the attacker fold by fold, without those of the people being guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from medveil.attack.infer.attributes import Attributes
from medveil.attack.observer import Observer
from medveil.core.claims import Guesses
from medveil.core.cohort import Cohort
from medveil.core.threat import Threat

Row = Mapping[str, str]


def guess_by_folds(
    cohort: Cohort,
    part: Attributes,
    fold: Mapping[str, int],
    value: Mapping[str, str],
    known: Mapping[str, Row],
    observer: Observer,
    condition: str,
) -> Guesses:
    """Everybody's images guessed once, in the fold in which they are left out of the learning.

    Args:
        fold: person to fold; people of the cohort without one take no part.
        value: person to the truth, handed only to the attacker who does not guess that person.
        known: person to what is known of them anyway.
    """
    told: list[Guesses] = []
    for this in sorted({fold[s] for s in cohort.subjects if s in fold}):
        inside = [s for s in cohort.subjects if fold.get(s) == this]
        outside = [s for s in cohort.subjects if fold.get(s, this) != this]
        background = {s: {**known.get(s, {}), part.attribute: value[s]} for s in outside}
        threat = Threat(
            gallery=Cohort((), {s: known.get(s, {}) for s in inside}),
            background=replace(cohort.of(*outside), participants=background),
        )
        probes = replace(cohort.of(*inside), participants={})
        told.append(part.run(probes, threat, condition=condition, observer=observer))
    return _together(told)


def _together(told: Sequence[Guesses]) -> Guesses:
    def column(of: Callable[[Guesses], np.ndarray]) -> np.ndarray:  # type: ignore[type-arg]
        return np.concatenate([of(g) for g in told])

    return replace(
        told[0],
        probe_subject=column(lambda g: g.probe_subject),
        probe_image=column(lambda g: g.probe_image),
        guess=column(lambda g: g.guess),
        score=column(lambda g: g.score),
        notes={k: float(np.mean([g.notes[k] for g in told])) for k in told[0].notes},
    )
