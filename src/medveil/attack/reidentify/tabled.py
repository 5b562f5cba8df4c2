"""Tabled: age and sex of a participants table as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError

Array = npt.NDArray[Any]


def tabled(cohort: Cohort, attack: str) -> Array:
    """(N, 3) of each image: age in decades from 45, its square, and sex (1 male, -1 female); 0 where not told.

    Raises:
        UsageError: the table tells neither of anybody.
    """
    rows = [cohort.participants.get(r.subject, {}) for r in cohort]
    ages = np.array([_decades(row.get("age", "")) for row in rows])
    sexes = np.array([_sign(row.get("sex", row.get("gender", ""))) for row in rows])
    if not np.isfinite(ages).any() and not sexes.any():
        raise UsageError(
            f"{attack}: age and sex are asked for, and the participants table tells neither",
            hint="give columns age and sex, or use features brain",
        )
    ages = np.nan_to_num(ages, nan=float(np.nanmean(ages)) if np.isfinite(ages).any() else 0.0)
    return np.stack([ages, ages**2, sexes], axis=1)


def _decades(age: str) -> float:
    """
    >>> _decades("65"), _decades("89+"), _decades("n/a")
    (2.0, 4.4, nan)
    """
    digits = age.strip().removesuffix("+").removesuffix("Y")
    try:
        return (float(digits) - 45.0) / 10.0
    except ValueError:
        return float("nan")


def _sign(sex: str) -> float:
    """
    >>> _sign("M"), _sign("female"), _sign("n/a")
    (1.0, -1.0, 0.0)
    """
    return {"m": 1.0, "f": -1.0}.get(sex.strip().lower()[:1], 0.0)
