"""Starts: first guesses of where a brain lies and how it is turned, in rounds from the usual to the odd.

    UPRIGHT   pitched up to 45 degrees, at two heights; and the image's own frame as MNI space
    TILTED    rolled and yawed as well
    SHIFTED   far above or below the expected place
    MISLABELLED   headers that name the axes wrongly

An easy head pays for the first round only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from medveil.locate.grid import Matrix


@dataclass(frozen=True, eq=False)
class Start:
    """A first guess.

    Args:
        turns: degrees about R, A and S.
        up_mm: shift along S from the expected centre.
        distant: begin with brain and shells; otherwise with the brain alone, from nearby.
        absolute: take the image's own frame for MNI space and ignore the expected centre.
        placed: (4, 4) MNI mm to patient mm, by other means; then all but `distant` is ignored.
    """

    turns: tuple[float, float, float] = (0.0, 0.0, 0.0)
    up_mm: float = 0.0
    distant: bool = True
    absolute: bool = False
    placed: Matrix | None = None

    @property
    def is_only_pitched(self) -> bool:
        return self.turns[1:] == (0.0, 0.0)


def turned(degrees: tuple[float, float, float]) -> Matrix:
    """(3, 3) the rotation of a start: about S, then A, then R, as ITK's Euler transform has it."""
    x, y, z = np.deg2rad(degrees)
    about_r = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_a = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_s = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    return np.asarray(about_s @ about_r @ about_a, dtype=np.float64)


NODS = (-45.0, -30.0, -15.0, 0.0, 15.0, 30.0, 45.0)


def _pitched() -> tuple[Start, ...]:
    return (*(Start((p, 0.0, 0.0), z) for p in NODS for z in (-20.0, 20.0)), Start(absolute=True))


def _tilted() -> tuple[Start, ...]:
    """Yaw and roll: heads lie askew in a coil more often than a pitch alone can say."""
    leans = ((35, 0), (-35, 0), (0, 40), (0, -40), (30, 30), (-30, -30), (30, -30), (-30, 30))
    return tuple(Start((p, y, r)) for p in (-35, 15, 55) for y, r in leans)


def _shifted() -> tuple[Start, ...]:
    return tuple(Start(s.turns, s.up_mm + dz) for dz in (-60, -30, 30, 60) for s in _pitched()[:-1])


def _mislabelled() -> tuple[Start, ...]:
    """Headers with permuted axes: the other 23 right-angled poses, with the usual 15 degrees of pitch."""
    a = ((90, 0, 0), (-90, 0, 0), (180, 0, 0), (0, 90, 0), (0, -90, 0), (0, 180, 0), (0, 0, 90), (0, 0, -90))
    b = ((0, 0, 180), (90, 0, 90), (90, 0, -90), (-90, 0, 90), (-90, 0, -90), (90, 0, 180), (-90, 0, 180))
    c = ((180, 0, 90), (180, 0, -90), (0, 90, 90), (0, 90, -90), (0, -90, 90), (0, -90, -90))
    d = ((90, 90, 0), (90, -90, 0))
    upside_down = tuple(Start((p, 0, 180)) for p in (-20, 50))
    return tuple(Start((p + 15, y, r)) for p, y, r in a + b + c + d) + upside_down


UPRIGHT = _pitched()
TILTED = _tilted()
SHIFTED = _shifted()
MISLABELLED = _mislabelled()
