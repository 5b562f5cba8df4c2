"""Decoys: false components among the true ones, drawn as true ones are distributed in this image and in training.

At each site, on the components that are not in its support:

    position   race: component m has rate -log(1 - p_m), p_m the share of sites that choose it; the first S_n to
               arrive are the decoys, so each is drawn without replacement (Efraimidis and Spirakis 2006)
    value      from the histogram of that component, sign and magnitude together

Everything is drawn from a keystream of ChaCha20 (RFC 8439) through tables of whole numbers: the same key, image and
statistics give the same decoys on every machine. They match each component's statistics and nothing that binds
components of one image together, which is what attacks use: see `attack.decode`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.share.base import SparseLevel, Statistics
from medveil.share.codec import ranking
from medveil.share.codec.entropy import check_fits, frequencies, from_symbols, symbols

_CHUNK = 2048  # sites at a time: 2 MB of arrivals at 256 components
_LOG_BITS = 30  # -log2 in units of 2^-30
_TIME_BITS = 15  # log2 of a time in units of 2^-15; with 7 bits before the point and 10 of the component: 32
_OFFSET = 36  # log2 of the greatest rate stays below it
_NEVER = np.uint32(0xFFFFFFFF)
_OWN = 16  # weight of the image's own counts against those of the model
_DRAWS = 1 << 16  # values are drawn by 16 bits


class Stream:
    """Bytes that only one key gives, in order.

    Args:
        key: 32 bytes.
        number: streams of other numbers are unrelated.
    """

    def __init__(self, key: bytes, number: int = 0) -> None:
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

        # The nonce of RFC 8439 behind a counter that starts at 0; the key is of this purpose and image alone.
        nonce = bytes(8) + number.to_bytes(8, "little")
        self._cipher = Cipher(ChaCha20(key, nonce), mode=None).encryptor()

    def octets(self, count: int) -> npt.NDArray[np.uint8]:
        """The next so many bytes."""
        return np.frombuffer(self._cipher.update(bytes(count)), np.uint8)

    def words(self, count: int) -> npt.NDArray[np.uint16]:
        """The next so many numbers of 16 bits."""
        return self.octets(2 * count).view("<u2").astype(np.uint16, copy=False)


def add_decoys(
    level: SparseLevel, statistics: Statistics, index: int, count: int, key: bytes
) -> tuple[SparseLevel, npt.NDArray[np.uint16]]:
    """The level with decoys at every site, and where the true components are among them.

    Args:
        level: the true components.
        statistics: of the model.
        index: which level of the statistics it is, 0 the coarsest.
        count: S_n, decoys at each site, 0 to M - S_x.
        key: 32 bytes, for the decoys of this level of this image alone.

    Returns:
        The level with S_x + S_n components a site; (sites, S_x) uint16, ascending places of the true ones.

    Raises:
        UsageError: more decoys than components are left, or level and statistics do not fit.
    """
    check_fits(level, statistics, index)
    true, atoms = level.nonzeros, level.atoms
    ranking.ways(atoms, true)
    if not 0 <= count <= atoms - true:
        raise UsageError(f"decoys: {count} at a site, expected 0 to {atoms - true}")
    steps = statistics.values.shape[2] // 2
    rates, histograms = _rates(statistics, index, atoms), _histograms(statistics.values[index])
    arrivals, draws = Stream(key, 0), Stream(key, 1)
    published = SparseLevel(
        np.empty((level.sites, true + count), np.uint16),
        np.empty((level.sites, true + count), np.int16),
        atoms,
    )
    places = np.empty((level.sites, true), np.uint16)
    for start in range(0, level.sites, _CHUNK):
        part = slice(start, min(start + _CHUNK, level.sites))
        support, sites = level.support[part], part.stop - start
        positions = _race(support, rates, count, arrivals)
        drawn = histograms[
            positions.astype(np.intp) * _DRAWS + draws.words(sites * count).reshape(sites, count)
        ]
        # One number holds component, whether it is true, and value, so that one sort brings all into order.
        entries = np.concatenate(
            [_entry(support, level.values[part], 1), _entry(positions, from_symbols(drawn, steps), 0)], axis=1
        )
        entries.sort(axis=1)
        published.support[part] = entries >> 17
        published.values[part] = ((entries & 0xFFFF).astype(np.int32) - (1 << 15)).astype(np.int16)
        places[part] = np.nonzero(entries & (1 << 16))[1].reshape(sites, true)
    return published, places


def fitted(level: SparseLevel, statistics: Statistics, index: int) -> Statistics:
    """What the decoys of one image are drawn from: how often it chooses each component, and with what values.

    Decoys after the model's images would stand out in one that is smoother or busier than those. The model's counts
    are mixed in with a small weight, so that a component that this image never chose can be a decoy too.

    Args:
        level: the image's own.
        statistics: of the model; index: which level of them it is.
    """
    check_fits(level, statistics, index)
    bins = statistics.values.shape[2]
    flat = level.support.astype(np.int64) * bins + symbols(level.values, bins // 2)
    own = np.bincount(flat.ravel(), minlength=level.atoms * bins).reshape(level.atoms, bins)
    chosen, values = np.zeros_like(statistics.chosen), np.zeros_like(statistics.values)
    most = max(statistics.sites, 1)
    chosen[index] = _OWN * own.sum(axis=1) + statistics.chosen[index] * level.sites // most
    values[index] = _OWN * own + statistics.values[index] * level.sites // most
    return Statistics(chosen, values, (_OWN + 1) * level.sites)


def pick(published: SparseLevel, places: npt.NDArray[np.uint16]) -> SparseLevel:
    """The components at these places of each site; undoes `add_decoys`."""
    index = places.astype(np.intp)
    return SparseLevel(
        np.take_along_axis(published.support, index, axis=1),
        np.take_along_axis(published.values, index, axis=1),
        published.atoms,
    )


def _entry(
    support: npt.NDArray[np.uint16], values: npt.NDArray[np.int16], true: int
) -> npt.NDArray[np.uint32]:
    entry = support.astype(np.uint32)
    entry <<= np.uint32(17)
    entry |= np.uint32(true << 16)
    entry |= (values.astype(np.int32) + (1 << 15)).astype(np.uint32)
    return entry


def _race(
    support: npt.NDArray[np.uint16], rates: npt.NDArray[np.uint32], count: int, stream: Stream
) -> npt.NDArray[np.uint16]:
    """The components that arrive first at each site, (sites, count), ascending."""
    if count == 0:
        return np.empty((len(support), 0), np.uint16)
    sites, atoms = len(support), len(rates)
    # Times are unique, as their lowest bits are the component: which are the first does not hang on the sort.
    times = _arrivals(_width(atoms))[stream.words(sites * atoms)].reshape(sites, atoms) + rates
    np.put_along_axis(times, support.astype(np.intp), _NEVER, axis=1)
    times.partition(count - 1, axis=1)
    first = (times[:, :count] & np.uint32((1 << _width(atoms)) - 1)).astype(np.uint16)
    first.sort(axis=1)
    return first


def _width(atoms: int) -> int:
    return (atoms - 1).bit_length()


@lru_cache(maxsize=4)
def _arrivals(width: int) -> npt.NDArray[np.uint32]:
    """log2 of an exponential time, for each draw of 16 bits."""
    draws = 2 * np.arange(1 << 16, dtype=np.uint64) + 1  # of 2^17: never 0, never 1
    times = np.uint64(17 << _LOG_BITS) - _log2(draws, _LOG_BITS)
    return _log2(np.maximum(times, 1), _TIME_BITS).astype(np.uint32) << np.uint32(width)


def _rates(statistics: Statistics, index: int, atoms: int) -> npt.NDArray[np.uint32]:
    """What is added to the log of a component's time: less its log2 rate, and in the lowest bits which one it is."""
    rest = np.array([2 * (statistics.sites - int(each)) + 1 for each in statistics.chosen[index]], np.uint64)
    whole = _log2(np.array([2 * statistics.sites + 2], np.uint64), _LOG_BITS)
    rates = np.maximum(whole.astype(np.int64) - _log2(rest, _LOG_BITS).astype(np.int64), 1)
    slowness = np.uint64(_OFFSET << _TIME_BITS) - _log2(rates.astype(np.uint64), _TIME_BITS)
    width = np.uint64(_width(atoms))
    return (slowness << width | np.arange(atoms, dtype=np.uint64)).astype(np.uint32)


def _histograms(counts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """The value that each of the 65,536 draws stands for, component by component."""
    atoms, each = counts.shape
    kinds = np.arange(each, dtype=np.uint8 if each <= 256 else np.uint16)
    return np.repeat(np.tile(kinds, atoms), frequencies(counts, _DRAWS).ravel())


def _log2(numbers: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.uint64]:
    """log2 of whole numbers from 1 to 2^52 in units of 2^-bits, by squaring; whole numbers only."""
    exponent = np.frexp(numbers.astype(np.float64))[1].astype(np.int64) - 1  # exact: floats hold them
    up, down = np.maximum(31 - exponent, 0), np.maximum(exponent - 31, 0)
    mantissa = numbers << up.astype(np.uint64) >> down.astype(np.uint64)  # 1 to 2 in units of 2^-31
    logarithm = exponent.astype(np.uint64)
    for _ in range(bits):
        mantissa = mantissa * mantissa >> np.uint64(31)
        over = mantissa >> np.uint64(32)
        mantissa >>= over
        logarithm = logarithm << np.uint64(1) | over
    return logarithm
