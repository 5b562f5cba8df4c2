"""Closeness: how much more one knows of a person after finding those who look like them.

t is the largest distance between the values of a class and those of the whole table: 0 if every class is a fair
picture of the table, near 1 if one class holds what hardly anybody else has. The distance is the earth mover's:

    categories   half the sum of |p - q|: every move costs 1
    numbers      values in order, a move of i places costs i / (values - 1):
                 the sum of |running total of p - q|, divided by (values - 1)

A column is taken as numbers if all its known cells are. Missing values are left out on both sides.

Source: Li, Li & Venkatasubramanian, t-closeness, ICDE 2007, sections 4.1 and 4.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from medveil.core.cells import canonical, number
from medveil.core.estimate import Estimate
from medveil.measure.tables.classes import Classes


def ordered_distance(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> float:
    """Earth mover's distance of two distributions over the same values in ascending order, (V,) each, 0..1.

    >>> ordered_distance(np.array([1.0, 0, 0]), np.array([0, 0, 1.0]))
    1.0
    """
    return float(np.abs(np.cumsum(p - q)).sum() / max(len(p) - 1, 1))


def equal_distance(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> float:
    """Earth mover's distance where all values are equally far from each other, 0..1."""
    return float(np.abs(p - q).sum() / 2)


def closeness(classes: Classes, rows: Sequence[Mapping[str, str]], column: str) -> Estimate:
    """t of one sensitive column, in the class that differs most from the table."""
    cells = [canonical(row.get(column, "")) for row in rows]
    known = np.array([cell is not None for cell in cells])
    n = int(known.sum())
    if not n:
        return Estimate("t_closeness", None, n=0, better="lower", note="no value is known")
    numbers = [number(cell) for cell in cells if cell is not None]
    if all(x is not None for x in numbers):
        values: npt.NDArray[np.generic] = np.array(numbers, dtype=np.float64)
        distance, how = ordered_distance, "numbers in their order"
    else:
        values = np.array([cell for cell in cells if cell is not None])
        distance, how = equal_distance, "categories"
    levels, place = np.unique(values, return_inverse=True)
    code = np.full(len(cells), -1)
    code[known] = place
    table = np.bincount(place, minlength=len(levels)) / n
    worst = 0.0
    for members in classes.groups():
        own = code[members]
        own = own[own >= 0]
        if own.size:
            worst = max(worst, distance(np.bincount(own, minlength=len(levels)) / own.size, table))
    return Estimate(
        "t_closeness", worst, n=n, better="lower",
        note=f"largest earth mover's distance of a class from the table, {how}, {len(levels)} values",
    )  # fmt: skip
