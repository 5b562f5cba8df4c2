"""Fingerprint: by what an image is known again after its header, its name and part of its voxels are gone.

    voxels.exact       the stored numbers, in their order: a copy
    voxels.values      how often each number occurs, in the order of the numbers: a copy that was turned, flipped,
                       padded, stored in another type or rescaled
    voxels.sketch.NN   32 small samples of runs of eight neighbours: a copy of which a part was erased

The third is what defacing leaves. Each run of eight unequal neighbours along an axis is hashed, read from either end, and in each
of 32 drawers the smallest hash stays. Two images of which the share J of all runs is common agree in about 32 J drawers; two
scans of one person in none, because noise never repeats.

Source: Broder, min-wise hashing, SEQUENCES 1997; Li, Owen & Zhang, one permutation hashing, NIPS 2012.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from medveil.core.image import Image

DRAWERS = 32
_KEPT_OF = np.uint64(63)  # one run in 64 takes part, chosen by its hash: content decides, not place
_FEWEST_VALUES = 16  # a mask or a map of labels has no fingerprint in its counts
_P = 0x9E3779B97F4A7C15
_FULL = 2**64

Words = npt.NDArray[np.uint64]


def fingerprint(image: Image) -> dict[str, str]:
    """Hashes of an image by name; of a series, the sketch is that of its first volume."""
    data = image.data
    order = data.astype(data.dtype.newbyteorder("<"), copy=False)
    exact = hashlib.sha256(f"{order.dtype.str} {order.shape}".encode())
    exact.update(np.ascontiguousarray(order.T).data)
    out = {"voxels.exact": exact.hexdigest()}
    count = np.unique(data, return_counts=True)[1]
    if len(count) >= _FEWEST_VALUES:
        rest = np.delete(count, int(count.argmax()))  # the air, whatever a padding adds to it
        out["voxels.values"] = hashlib.sha256(rest.astype("<i8").tobytes()).hexdigest()
    first = data[..., 0] if data.ndim == 4 else data
    real = (first.astype(np.float64) * image.slope + image.intercept).astype(np.float32) + np.float32(
        0
    )  # no -0
    return out | {f"voxels.sketch.{i:02d}": f"{h:016x}" for i, h in _sketch(real).items()}


def _sketch(real: npt.NDArray[np.float32]) -> dict[int, int]:
    """Smallest hash in each drawer that has any."""
    word = _mixed(real.view(np.uint32).astype(np.uint64))
    smallest = np.full(DRAWERS, _FULL - 1, dtype=np.uint64)
    for axis in range(3):
        lines = np.moveaxis(word, axis, -1)
        for plane in lines:  # a plane at a time stays in the processor's cache
            kept = _runs(np.ascontiguousarray(plane))
            np.minimum.at(smallest, (kept & np.uint64(DRAWERS - 1)).astype(np.int64), kept)
    return {i: int(h) for i, h in enumerate(smallest) if h != _FULL - 1}


def _runs(line: Words) -> Words:
    """Hashes of those runs of eight along the last axis that take part, the same read from either end."""
    if line.shape[-1] < 8:
        return np.zeros(0, dtype=np.uint64)
    unequal = line[..., 1:] != line[..., :-1]
    full = unequal[..., :-6].copy()
    for k in range(1, 7):
        full &= unequal[..., k : unequal.shape[-1] - 6 + k]
    there = back = line
    for k in (1, 2, 4):  # pairs, fours, eights
        power = np.uint64(pow(_P, k, _FULL))
        there = there[..., :-k] * power + there[..., k:]
        back = back[..., :-k] + back[..., k:] * power
    both = _mixed((there ^ back)[full] + (there + back)[full])
    return np.asarray(both[(both >> np.uint64(40)) & _KEPT_OF == 0], dtype=np.uint64)


def _mixed(x: Words) -> Words:
    """SplitMix64's finaliser: every bit of the input moves every bit of the output."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), dtype=np.uint64)
