"""What scores are worth as evidence, once the attacker has calibrated them as well as anyone could.

Distances are no likelihood ratios, so only measures that calibrate first are offered for raw scores:

- min Cllr: the cost of the evidence in bits after PAV (Brümmer & du Preez, Computer Speech & Language 2006,
  eq. 9); 0 = every pair is decided, 1 = the scores say nothing. Higher is more private.
- ZEBRA population: what the scores disclose on average over all priors, in bit; 0 = full privacy,
  1 / ln 4 = 0.7213 bit = none. Lower is more private.
- ZEBRA individual: the strongest evidence against anybody, log10 of its likelihood ratio, with its tag
  (Nautsch et al., Interspeech 2020). It is a maximum, so it grows with the number of pairs, and it
  cannot exceed about log10 of their number: always print N beside it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from medveil.measure.verification.pav import blocks, likelihood_ratios
from medveil.measure.verification.tally import Floats, Tally, checked, tally_of

NO_PRIVACY_BIT = 1.0 / np.log(4.0)  # ZEBRA population of scores that tell all
_TAGS = ((1.0, "A"), (2.0, "B"), (4.0, "C"), (5.0, "D"), (6.0, "E"))


def cllr(mated_llr: npt.ArrayLike, non_mated_llr: npt.ArrayLike) -> float:
    """Cllr of natural-log likelihood ratios, in bit: their own calibration counts.

    Cllr = 1 / (2 ln 2) [ mean over mated of ln(1 + e^-l) + mean over non-mated of ln(1 + e^l) ].

    >>> cllr([0.0, 0.0], [0.0])
    1.0
    """
    m, n = checked(mated_llr, "mated"), checked(non_mated_llr, "non-mated")
    return float((np.logaddexp(0, -m).mean() + np.logaddexp(0, n).mean()) / (2 * np.log(2)))


def min_cllr(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> float:
    """Cllr after the best monotone calibration (PAV); 0..1 bit, higher is more private.

    Raises:
        UsageError: one side is empty or holds a value that is not finite.

    >>> round(min_cllr([3, 5, 7, 9], [1, 2, 4, 6, 8]), 6)
    0.668976
    """
    return min_cllr_of(blocks(tally_of(mated, non_mated).merged()))


def min_cllr_of(block: Tally) -> float:
    """`min_cllr` of PAV blocks."""
    p, q = block.mated / block.mated.sum(), block.non_mated / block.non_mated.sum()
    with np.errstate(divide="ignore"):
        odds_against, odds_for = np.log1p(q / p), np.log1p(p / q)
    cost = _where(p, odds_against).sum() + _where(q, odds_for).sum()
    return float(cost / (2 * np.log(2)))


def zebra(mated: npt.ArrayLike, non_mated: npt.ArrayLike) -> tuple[float, float, str]:
    """ZEBRA: (population in bit, individual in log10 LR, tag from 0 and A to F).

    Raises:
        UsageError: one side is empty or holds a value that is not finite.

    >>> population, individual, tag = zebra([3, 5, 7, 9], [1, 2, 4, 6, 8])
    >>> round(population, 4), round(individual, 4), tag
    (0.2385, 0.3979, 'A')
    """
    tally = tally_of(mated, non_mated).merged()
    individual = zebra_individual_of(tally)
    return zebra_population_of(blocks(tally)), individual, zebra_tag(individual)


def zebra_population_of(block: Tally) -> float:
    """Integral over the prior p of H(p) - ECE_min(p), of PAV blocks."""
    p, q = block.mated / block.mated.sum(), block.non_mated / block.non_mated.sum()
    with np.errstate(divide="ignore"):
        ratio, inverse = p / q, q / p
    total = _where(p, _disclosed(ratio)).sum() + _where(q, _disclosed(inverse)).sum()
    return abs(float(total / np.log(2)))  # abs: -0.0 and rounding below zero


def zebra_individual_of(tally: Tally) -> float:
    """max |log10 LR| over all pairs after PAV with Laplace's rule, which keeps every LR finite.

    As in the reference code, the added pairs are no part of the prior. They move every LR a little, so scores
    that say nothing come out at about 0.43 / number of mated pairs, not at 0.
    """
    block = blocks(tally, laplace=True)
    ratio = likelihood_ratios(block, float(tally.mated.sum()), float(tally.non_mated.sum()))
    m, n = block.mated.copy(), block.non_mated.copy()
    for end in (0, -1):  # the pads alone are no person's evidence
        m[end] -= 1.0
        n[end] -= 1.0
    real = ratio[(m > 0) | (n > 0)]
    return float(np.abs(np.log10(real)).max())


def zebra_tag(individual_log10: float) -> str:
    """Category of the strongest evidence: 0 none, A up to 1, B up to 2, C to 4, D to 5, E to 6, F beyond."""
    if individual_log10 <= 1e-9:
        return "0"
    return next((tag for limit, tag in _TAGS if individual_log10 <= limit), "F")


def _where(weight: Floats, value: Floats) -> Floats:
    """weight * value, and 0 where there is no weight (value may be infinite there)."""
    return weight * np.where(weight > 0, value, 0.0)


def _disclosed(x: Floats) -> Floats:
    """[(x-3)(x-1) + 2 ln x] / [4 (x-1)^2]: what one pair of likelihood ratio x discloses over all priors, in nat.

    0 at x = 1, 1/4 at infinity. Near 1 the quotient loses its digits, so its series is taken there.
    """
    e = x - 1.0
    near = np.abs(e) < 1e-3
    safe = np.where(near | ~np.isfinite(x) | (x <= 0), 2.0, x)
    value = ((safe - 3.0) * (safe - 1.0) + 2.0 * np.log(safe)) / (4.0 * (safe - 1.0) ** 2)
    small = np.where(near, e, 0.0)
    value = np.where(near, small / 6 - small**2 / 8 + small**3 / 10, value)
    return np.where(np.isposinf(x), 0.25, value)
