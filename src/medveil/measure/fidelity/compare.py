"""Two images side by side: every fidelity metric, in the whole image and inside a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.measure.fidelity.error import Array, Mask, check_range, mae, me, psnr, rmse
from medveil.measure.fidelity.similarity import ssim
from medveil.measure.verification.bootstrap import FEWEST_PERSONS


def compare(
    original: Image, released: Image, *, mask: Mask | None = None, data_range: float
) -> dict[str, Estimate]:
    """mae, me, rmse, psnr and ssim; with a mask also `mae_inside` and so on.

    Args:
        original, released: one shape, one affine.
        mask: (I, J, K) or (H, W), e.g. the brain: what protection promised to keep.
        data_range: largest minus smallest real value that can occur (e.g. the 99.9th percentile of the
            original); the same for all images that are to be compared.

    Raises:
        UsageError: the grids differ, the mask does not fit or is empty, data_range makes no sense.
    """
    check_range(data_range)
    if original.data.shape != released.data.shape or not np.allclose(
        original.affine, released.affine, atol=1e-4
    ):
        raise UsageError("fidelity: the two images lie on different grids, expected one shape and one affine")
    a, b = original.values(), released.values()
    # A photograph's colours and a film's time points are compared one by one.
    channels = a.ndim - 1 if a.ndim == 4 or (a.ndim == 3 and original.kind in ("photo", "film")) else None
    out = _measured(a, b, None, "", data_range, channels)
    if mask is not None:
        if channels is not None and mask.ndim == a.ndim - 1:
            mask = np.broadcast_to(mask[..., None], a.shape)
        out |= _measured(a, b, mask, "_inside", data_range, channels)
    return out


def pool(images: Sequence[dict[str, Estimate]], *, seeds: Seeds, rounds: int = 1000) -> dict[str, Estimate]:
    """Means over subjects, with a bootstrap interval over subjects.

    Args:
        images: result of `compare`, one per SUBJECT (several images of one subject: average them first).

    A metric that is undefined for some subjects (PSNR of identical images) is averaged over the others; the
    note says how many.
    """
    names = dict.fromkeys(name for image in images for name in image)
    return {name: _pooled(name, [i[name] for i in images if name in i], seeds, rounds) for name in names}


def _measured(
    a: Array, b: Array, mask: Mask | None, suffix: str, data_range: float, channels: int | None
) -> dict[str, Estimate]:
    where = "whole image" if mask is None else "inside the mask"
    scale = f"data range {data_range:g}"
    ratio = psnr(a, b, data_range=data_range, mask=mask)
    try:
        alike, how = (
            ssim(a, b, data_range=data_range, mask=mask, channel_axis=channels),
            f"Gaussian window, sigma 1.5 voxels, {scale}",
        )
    except UsageError as error:
        alike, how = None, error.message
    found = (
        Estimate("mae", mae(a, b, mask=mask), better="lower", note="mean absolute error"),
        Estimate("me", me(a, b, mask=mask), note="signed, positive if the release is brighter"),
        Estimate("rmse", rmse(a, b, mask=mask), better="lower", note="root of the mean squared error"),
        Estimate("psnr", ratio, unit="dB", better="higher", note="identical" if ratio is None else scale),
        Estimate("ssim", alike, better="higher", note=how),
    )
    return {e.name + suffix: replace(e, name=e.name + suffix, n=1, note=f"{e.note}; {where}") for e in found}


def _pooled(name: str, images: list[Estimate], seeds: Seeds, rounds: int) -> Estimate:
    values = np.array([e.value for e in images if e.value is not None])
    first, n = images[0], len(values)
    if n == 0:
        return replace(first, n=0, note=f"undefined for all {len(images)} subjects ({first.note})")
    said = next(e.note for e in images if e.value is not None)
    note = f"mean over {n} subjects" + (
        f" of {len(images)}, undefined for the others" if n < len(images) else ""
    )
    note = f"{note}; {said}"
    value = float(values.mean())
    if n < FEWEST_PERSONS:
        return replace(first, value=value, n=n, note=f"{note}; no interval from so few")
    drawn = seeds.stream("measure/fidelity").integers(0, n, size=(rounds, n))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return replace(first, value=value, low=float(low), high=float(high), n=n, note=note)
