"""Pictures: how close a picture comes to the original, film by film, and over people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.measure.decoding.ms_ssim import ms_ssim
from medveil.measure.decoding.people import over_people
from medveil.measure.fidelity.error import psnr
from medveil.measure.fidelity.similarity import ssim

Picture = npt.NDArray[np.float32]
_RANGE = 1.0


def decibel(original: Picture, other: Picture) -> float | None:
    """PSNR of pictures in [0, 1]; None where nothing differs."""
    return psnr(original, other, data_range=_RANGE)


def likeness(
    originals: Sequence[Picture], others: Sequence[Picture], groups: Sequence[str], seeds: Seeds
) -> dict[str, Estimate]:
    """`psnr`, `ssim` and `ms_ssim` of pictures in [0, 1] against the originals; lower is more private."""
    both = list(zip(originals, others, strict=True))
    db = [decibel(a, b) for a, b in both]
    same = db.count(None)
    note = "data range 1, mean of the films' dB" + (f"; {same} films exact and left out" if same else "")
    alike = [ssim(a, b, data_range=_RANGE) for a, b in both]
    scales = [ms_ssim(a, b, data_range=_RANGE) for a, b in both]
    return {
        "psnr": over_people("psnr", db, groups, seeds, unit="dB", note=note),
        "ssim": over_people(
            "ssim", alike, groups, seeds, note="Gaussian window, sigma 1.5 pixels, data range 1"
        ),
        "ms_ssim": over_people("ms_ssim", scales, groups, seeds, note="Wang et al. 2003, data range 1"),
    }
