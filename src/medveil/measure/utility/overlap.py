"""Overlap: how well a predicted mask covers the true one, by area and by the distance of their borders.

The border of a mask are its pixels that touch the outside by a side. Surface distances go from every border pixel of
one mask to the nearest border pixel of the other, both ways, all of them in one list.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

Mask = npt.NDArray[np.bool_]
NAMES = ("dice", "jaccard", "fnr", "fpr", "surface_mean", "surface_sd", "hausdorff")


def overlap(truth: Mask, predicted: Mask, spacing: Sequence[float] | None = None) -> dict[str, float]:
    """The figures of `NAMES`.

    dice 2 TP / (2 TP + FP + FN); jaccard TP / (TP + FP + FN); fnr FN / (TP + FN); fpr FP / (FP + TN);
    mean, standard deviation and largest of the surface distances.

    Args:
        truth, predicted: of one shape.
        spacing: distance of neighbours along each axis, e.g. mm; None counts pixels.

    Returns:
        Of an empty prediction: mean and largest distance are the diagonal of the image, the worst there is, and
        the standard deviation is not-a-number.

    Raises:
        UsageError: shapes differ, or the true mask is empty or everything.
    """
    if truth.shape != predicted.shape:
        raise UsageError(f"overlap: shapes {truth.shape} and {predicted.shape} differ")
    if not truth.any() or truth.all():
        raise UsageError("overlap: the true mask is empty or covers the whole image")
    tp, fp, fn, tn = (
        int(np.count_nonzero(m))
        for m in (truth & predicted, ~truth & predicted, truth & ~predicted, ~(truth | predicted))
    )
    d = surface_distances(truth, predicted, spacing)
    if len(d):
        mean, sd, largest = float(d.mean()), float(d.std()), float(d.max())
    else:
        steps = np.ones(truth.ndim) if spacing is None else np.asarray(spacing)
        mean = largest = float(np.linalg.norm(np.array(truth.shape) * steps))
        sd = float("nan")
    figures = (
        2 * tp / (2 * tp + fp + fn),
        tp / (tp + fp + fn),
        fn / (tp + fn),
        fp / (fp + tn),
        mean,
        sd,
        largest,
    )
    return dict(zip(NAMES, figures, strict=True))


def surface_distances(a: Mask, b: Mask, spacing: Sequence[float] | None = None) -> npt.NDArray[np.float64]:
    """Distances of both borders to each other, (D,); none if a mask is empty."""
    from scipy.ndimage import distance_transform_edt

    edges = border(a), border(b)
    if not (edges[0].any() and edges[1].any()):
        return np.empty(0)
    return np.concatenate(
        [distance_transform_edt(~there, sampling=spacing)[here] for here, there in (edges, edges[::-1])]
    )


def border(mask: Mask) -> Mask:
    """Pixels of the mask that touch the outside, or the end of the image, by a side."""
    from scipy.ndimage import binary_erosion

    out: Mask = mask & ~binary_erosion(mask)
    return out
