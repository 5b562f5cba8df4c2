"""Joined: guesses with the truth beside them, one row a person.

    images ──of one person──> share guessed as each class, or mean guess and mean error ──> one row

The person is the unit: five scans of one person are one chance to be right about them, not five.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.core.claims import Guesses
from medveil.core.errors import UsageError
from medveil.core.inference import as_number
from medveil.core.truth import Truth

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False, repr=False)
class ClassTable:
    """Guesses of a class.

    Args:
        person: (S,) labels, sorted.
        classes: (K,) every class that is true of somebody, sorted.
        truth: (S,) index into `classes`.
        share: (S, K) share of the person's images that were guessed as each class.
        evidence: (S,) for two classes: mean score for the second one over the first; else zeros.
    """

    person: Strings
    classes: Strings
    truth: Ints
    share: Floats
    evidence: Floats

    @property
    def right(self) -> Floats:
        """(S,) share of the person's images that were guessed right."""
        return np.asarray(self.share[np.arange(len(self.truth)), self.truth])

    def of(self, keep: npt.NDArray[np.bool_]) -> ClassTable:
        return ClassTable(
            self.person[keep], self.classes, self.truth[keep], self.share[keep], self.evidence[keep]
        )

    def __repr__(self) -> str:
        return f"ClassTable({len(self.person)} people, {len(self.classes)} classes)"


@dataclass(frozen=True, eq=False, repr=False)
class NumberTable:
    """Guesses of a number.

    Args:
        person: (S,) labels, sorted.
        truth: (S,); guess: (S,) mean over the person's images; error: (S,) mean absolute error of them.
    """

    person: Strings
    truth: Floats
    guess: Floats
    error: Floats

    def of(self, keep: npt.NDArray[np.bool_]) -> NumberTable:
        return NumberTable(self.person[keep], self.truth[keep], self.guess[keep], self.error[keep])

    def __repr__(self) -> str:
        return f"NumberTable({len(self.person)} people)"


Table = ClassTable | NumberTable


def join_guesses(guesses: Guesses, truth: Truth) -> Table:
    """Join what an attack guessed with what is true; people of whom nobody knows are left out.

    Raises:
        UsageError: no guesses, the truth is known of none of these people, or it is no number where one was guessed.
    """
    known = {s: truth.property_of(str(s), guesses.attribute) for s in np.unique(guesses.probe_subject)}
    use = np.array([known[s] is not None for s in guesses.probe_subject], dtype=bool)
    if not use.any():
        raise UsageError("measure: the property that was guessed is known of none of these people")
    person, row = np.unique(guesses.probe_subject[use].astype(str), return_inverse=True)
    count = np.bincount(row)
    values = [known[p] or "" for p in person]
    if guesses.guess.dtype.kind == "f":
        return _numbers(person, row, count, values, guesses.guess[use].astype(np.float64))
    guess, score = guesses.guess[use].astype(str), guesses.score[use]
    classes, index = np.unique(np.array(values, dtype=str), return_inverse=True)
    share = np.stack([np.bincount(row, weights=guess == c, minlength=len(count)) for c in classes], axis=1)
    signed = np.where(guess == classes[-1], score, -score) if len(classes) == 2 else np.zeros(len(guess))
    return ClassTable(
        person,
        classes,
        index.astype(np.int64),
        share / count[:, None],
        np.bincount(row, weights=signed) / count,
    )


def _numbers(person: Strings, row: Ints, count: Ints, values: list[str], guess: Floats) -> NumberTable:
    numbers = [as_number(v) for v in values]
    if any(n is None for n in numbers):
        raise UsageError("measure: a number was guessed where the truth is none")
    truth = np.array(numbers, dtype=np.float64)
    error = np.bincount(row, weights=np.abs(guess - truth[row])) / count
    return NumberTable(person, truth, np.bincount(row, weights=guess) / count, error)


def in_common(a: Table, b: Table) -> tuple[Table, Table]:
    """The rows of the people who are in both, in the same order."""
    return a.of(np.isin(a.person, b.person)), b.of(np.isin(b.person, a.person))
