"""Acquire: what a scanner makes of the brightness it is shown: bias, ghost, wrap, noise, whole numbers.

    seen --wrap--> --coil (bias, gain)--> --ghost--> --noise--> int16

Everything here happens on the scan's own grid and knows nothing of heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medveil.simulate.field import Grid
from medveil.simulate.scanner import Scanner
from medveil.simulate.tissues import UNI_MAX

GAIN = 4.0
"""Stored units per grey level of the contrast table, for all but CT and UNIT1: keeps int16 from rounding
the noise."""
CT_NOISE = 4.0
"""A CT's noise in Hounsfield units per unit of `Scanner.noise`."""
ASL_NOISE = 5.0
"""The difference of two images has little signal left, and the noise of both."""


@dataclass(frozen=True)
class Coil:
    """Brightness over the field of view: five coefficients and an overall gain, the same for all volumes."""

    q: npt.NDArray[np.float32]
    gain: np.float32

    def field(self, shape: tuple[int, ...]) -> Grid:
        """Smooth factor around 1 on a grid."""
        x, y, z = (
            np.linspace(-1, 1, n, dtype=np.float32).reshape([-1 if i == k else 1 for k in range(3)])
            for i, n in enumerate(shape)
        )
        q = self.q
        out: Grid = np.exp(q[0] * x + q[1] * y + q[2] * z + q[3] * z * z + q[4] * y * y)
        return out


def draw_coil(scanner: Scanner, rng: np.random.Generator) -> Coil:
    """The day's coil; a CT has none and draws nothing."""
    if scanner.contrast == "CT":
        return Coil(np.zeros(5, np.float32), np.float32(1.0))
    q = rng.normal(0.0, scanner.bias / 2, 5).astype(np.float32)
    return Coil(q, np.float32(GAIN * rng.uniform(0.85, 1.15)))


def wrapped(seen: Grid, beyond: int) -> Grid:
    """Fold the last `beyond` planes along y onto the first ones, as phase encoding does.

    >>> wrapped(np.array([[[1.], [2.], [3.], [9.]]], np.float32), 1).ravel().tolist()
    [10.0, 2.0, 3.0]
    """
    if not beyond:
        return seen
    out = seen[:, :-beyond].copy()
    out[:, :beyond] += seen[:, -beyond:]
    return out


def acquire(
    seen: tuple[Grid, ...], scanner: Scanner, coil: Coil, rng: np.random.Generator
) -> npt.NDArray[np.int16]:
    """One volume as it is stored.

    Args:
        seen: one (I, J, K) volume of grey levels; for UNIT1 the signals of its two inversions.
        coil: from `draw_coil`.
        rng: of the noise.
    """
    shape, sd = seen[0].shape, np.float32(scanner.noise)
    if scanner.contrast == "CT":
        noisy = seen[0] + np.float32(CT_NOISE) * sd * rng.standard_normal(shape, np.float32)
        return np.clip(np.rint(noisy), -1024, 3071).astype(np.int16)
    if scanner.contrast != "pet":
        field = coil.field(shape)
        seen = tuple(s * field for s in seen)
    if scanner.ghost > 0:
        seen = tuple(s + np.float32(scanner.ghost) * np.roll(s, shape[1] // 2, axis=1) for s in seen)
    if scanner.contrast == "UNIT1":
        return _uniform(seen[0], seen[1], sd, rng)
    noisy = seen[0]
    if scanner.contrast == "pet":  # counts: the noise grows with the square root of the uptake
        noisy = noisy + 0.15 * sd * np.sqrt(np.maximum(noisy, 1)) * rng.standard_normal(shape, np.float32)
    elif scanner.contrast == "asl":  # a difference keeps its sign
        noisy = noisy + np.float32(ASL_NOISE) * sd * rng.standard_normal(shape, np.float32)
        return np.clip(np.rint(coil.gain * noisy), -32768, 32767).astype(np.int16)
    else:  # Rician: the magnitude of a complex signal with Gaussian noise in both parts
        real = noisy + sd * rng.standard_normal(shape, np.float32)
        noisy = np.hypot(real, sd * rng.standard_normal(shape, np.float32))
    stored: npt.NDArray[np.int16] = np.clip(np.rint(coil.gain * noisy), 0, 32767).astype(np.int16)
    return stored


def _uniform(first: Grid, second: Grid, sd: np.float32, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """The uniform image of an MP2RAGE, Re(S1* S2) / (|S1|^2 + |S2|^2), 0 to `UNI_MAX`.

    The bias of the coil cancels; where there is no signal, noise is divided by noise, so air is filled with
    salt and pepper over the whole range. Source: Marques et al., NeuroImage 49 (2010) 1271-1281, eq. 3.
    """
    a = first + sd * rng.standard_normal(first.shape, np.float32)
    b = second + sd * rng.standard_normal(first.shape, np.float32)
    a_, b_ = (sd * rng.standard_normal(first.shape, np.float32) for _ in range(2))
    ratio = (a * b + a_ * b_) / np.maximum(a * a + a_ * a_ + b * b + b_ * b_, np.float32(1e-12))
    stored: npt.NDArray[np.int16] = np.rint((ratio + np.float32(0.5)) * UNI_MAX).astype(np.int16)
    return stored
