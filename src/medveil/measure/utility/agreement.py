"""Agreement: does a figure measured before a change stay what it is after it?

Take k = 2 measurements, before and after, of each of n images. With mean squares of a two-way table (rows: images,
columns: before and after)

    MSR = k sum_i (mean_i - mean)^2 / (n - 1)         images
    MSC = n sum_j (mean_j - mean)^2 / (k - 1)         before and after
    MSE = sum_ij (x_ij - mean_i - mean_j + mean)^2 / ((n - 1) (k - 1))

    ICC(2,1) = (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n)      absolute agreement: used here
    ICC(3,1) = (MSR - MSE) / (MSR + (k - 1) MSE)                          consistency

A feature that moves by the same amount in all images has ICC(3,1) = 1, and a model made before misreads it all the
same; so ICC(2,1) is the one that says what a change costs.
Source: Shrout & Fleiss, Intraclass correlations (Psychol. Bull. 86, 1979), cases 2 and 3.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from medveil.core.errors import UsageError
from medveil.measure.utility.before_after import Floats

IccClass = Literal["poor", "moderate", "good", "excellent"]
CLASSES: tuple[IccClass, ...] = ("poor", "moderate", "good", "excellent")
LIMITS = (0.5, 0.75, 0.9)


def icc(before: Floats, after: Floats, weights: Floats | None = None, *, form: Literal[2, 3] = 2) -> Floats:
    """ICC(2,1) or ICC(3,1), (R,).

    Args:
        before, after: (n,) measurements of the same images.
        weights: (R, n) how often each image is drawn; None takes each once.
        form: 2 for absolute agreement, 3 for consistency.

    Returns:
        1 for each row of weights; not-a-number where nothing varies.

    >>> icc(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
    array([0.66666667])
    >>> icc(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]), form=3)
    array([1.])
    """
    if before.shape != after.shape or before.ndim != 1:
        raise UsageError("agreement: expected two rows of one length")
    w = np.ones((1, len(before))) if weights is None else weights
    n = w.sum(axis=1)
    x = np.stack([before, after], axis=1)  # (n, 2)
    x = x - x.mean()  # takes no part in the result, and keeps large numbers exact
    rows, columns = x.mean(axis=1), w @ x / n[:, None]  # (n,), (R, 2)
    mean = columns.mean(axis=1)  # (R,)
    with np.errstate(invalid="ignore", divide="ignore"):
        msr = 2 * (w * (rows[None] - mean[:, None]) ** 2).sum(axis=1) / (n - 1)
        msc = n * ((columns - mean[:, None]) ** 2).sum(axis=1)
        rest = x[None] - rows[None, :, None] - columns[:, None] + mean[:, None, None]  # (R, n, 2)
        mse = (w[..., None] * rest**2).sum(axis=(1, 2)) / (n - 1)
        shift = 2 * (msc - mse) / n if form == 2 else np.zeros_like(mse)
        out: Floats = (msr - mse) / (msr + mse + shift)
    return out


def icc_class(value: float) -> IccClass:
    """poor below .5, moderate to .75, good to .9, excellent above.

    Source: Koo & Li, A guideline of selecting and reporting intraclass correlation coefficients (J. Chiropr. Med. 15,
    2016), who ask for the class of the interval and not of the value alone.

    >>> icc_class(0.76)
    'good'
    """
    return CLASSES[int(np.searchsorted(LIMITS, value, side="right"))]


def relative_error(before: Floats, after: Floats) -> Floats:
    """(after - before) / |before|, in %; not-a-number where the feature was 0.

    >>> relative_error(np.array([2.0, -4.0]), np.array([3.0, -5.0]))
    array([ 50., -25.])
    """
    size = np.abs(before)
    out: Floats = 100 * np.divide(after - before, size, out=np.full(len(before), np.nan), where=size > 0)
    return out
