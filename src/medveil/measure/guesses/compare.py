"""Compare: one way of guessing, measured, and held against what could be said without an image.

    image alone ─────────────> balanced accuracy, recalls, AUC │ mean absolute error, r
      └── minus prior ───────> gain_over_prior
    image and table ─────────> with_table
      └── minus table alone ─> gain_over_table

The second comparison is the one that counts where a table is released: two sources that say the same add up to
nothing new, and two weak ones that say different things may add up to much.
"""

from __future__ import annotations

from dataclasses import replace

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.guesses.classes import class_estimates
from medveil.measure.guesses.gain import gain
from medveil.measure.guesses.joined import ClassTable, NumberTable, Table
from medveil.measure.guesses.numbers import number_estimates


def compare(
    guessed: Table,
    prior: Table,
    *,
    seeds: Seeds,
    table: Table | None = None,
    told: Table | None = None,
    unit: str = "",
    rounds: int = 1000,
) -> dict[str, Estimate]:
    """Everything measured of one condition.

    Args:
        guessed: by the image alone.
        prior: by nobody's image and no table: the most frequent class or the median of other people.
        table: by the table alone; told: by image and table together. Both or neither.
    """
    out = estimates_of(guessed, prior, seeds=seeds, unit=unit, rounds=rounds)
    out["gain_over_prior"] = gain("gain_over_prior", guessed, prior, seeds=seeds, unit=unit, rounds=rounds)
    if table is not None and told is not None:
        out["with_table"] = _with_table(told, prior, seeds, unit, rounds)
        out["gain_over_table"] = gain("gain_over_table", told, table, seeds=seeds, unit=unit, rounds=rounds)
    return out


def estimates_of(
    guessed: Table, prior: Table, *, seeds: Seeds, unit: str = "", rounds: int = 1000
) -> dict[str, Estimate]:
    """The metrics of one way of guessing alone."""
    if isinstance(guessed, ClassTable):
        return class_estimates(guessed, seeds=seeds, rounds=rounds)
    beside = prior if isinstance(prior, NumberTable) else None
    return number_estimates(guessed, seeds=seeds, prior=beside, unit=unit, rounds=rounds)


def _with_table(told: Table, prior: Table, seeds: Seeds, unit: str, rounds: int) -> Estimate:
    """Balanced accuracy or mean absolute error of image and table together, with p of "no better than the prior"."""
    found = estimates_of(told, prior, seeds=seeds, unit=unit, rounds=rounds)
    if isinstance(told, ClassTable):
        return replace(found["balanced_accuracy"], name="with_table")
    p = gain("gain_over_prior", told, prior, seeds=seeds, rounds=rounds).p_value
    return replace(found["mae"], name="with_table", p_value=p)
