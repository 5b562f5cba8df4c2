"""d': the distance between mated and non-mated scores in units of their spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.measure.verification.tally import Floats, Tally, checked


def d_prime(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> float:
    """d' = |mean(m) - mean(n)| / sqrt((var(m) + var(n)) / 2); 0 is chance, lower is more private.

    It knows two moments only and no direction: read it with the histogram, never alone. Variances are
    those of the sample (divided by N). If neither side varies, d' is 0 for equal means and infinite otherwise.
    Source: Daugman, Int. J. Computer Vision 45 (2001).

    >>> round(d_prime([3, 5, 7, 9], [1, 2, 4, 6, 8]), 4)
    0.7487
    """
    m, n = checked(mated, "mated"), checked(non_mated, "non-mated")
    values = np.concatenate([m, n])
    kind = np.concatenate([np.ones(len(m)), np.zeros(len(n))])
    return d_prime_of(values, Tally(kind, 1.0 - kind))


def d_prime_of(values: Floats, tally: Tally) -> float:
    """`d_prime` of a tally over the scores `values`."""
    p, q = tally.mated / tally.mated.sum(), tally.non_mated / tally.non_mated.sum()
    shifted = values - values.mean()  # keeps the digits when scores are large
    scale = float(np.abs(shifted).max())
    mean_m, mean_n = float(p @ shifted), float(q @ shifted)
    spread = float(p @ (shifted - mean_m) ** 2 + q @ (shifted - mean_n) ** 2) / 2
    gap = abs(mean_m - mean_n)
    if spread <= (1e-12 * scale) ** 2:
        return 0.0 if gap <= 1e-12 * scale else float("inf")
    return gap / float(np.sqrt(spread))
