"""Power: the smallest success that so many people could have shown.

"No evidence" from five people means next to nothing, and the report has to say how much. For classes the exact
binomial test decides: enough right guesses that chance gives them in less than 5 % of cases, and how good an attacker
must be to get that far in 80 %. For numbers Fisher's z does the same for a correlation.

Source: Fisher, Metron 1 (1921), z = atanh r with standard error 1 / sqrt(n - 3).
"""

from __future__ import annotations

import numpy as np


def smallest_accuracy(people: int, chance: float, *, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The accuracy at which an attacker beats `chance` in a one-sided binomial test with this power.

    None where even all guesses right would prove nothing.

    >>> round(smallest_accuracy(5, 0.5), 3)  # all five must be right: p = 1/32
    0.956
    >>> smallest_accuracy(4, 0.5) is None
    True
    """
    from scipy.optimize import brentq
    from scipy.stats import binom

    enough = [k for k in range(people + 1) if binom.sf(k - 1, people, chance) <= alpha]
    if not enough or chance >= 1:
        return None
    return float(brentq(lambda p: binom.sf(enough[0] - 1, people, p) - power, chance, 1 - 1e-12))


def smallest_correlation(people: int, *, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """The correlation that a one-sided test of r > 0 finds with this power; None for under five people.

    >>> round(smallest_correlation(60), 2)
    0.32
    """
    from scipy.special import ndtri

    if people < 5:
        return None
    return float(np.tanh((ndtri(1 - alpha) + ndtri(power)) / np.sqrt(people - 3)))
