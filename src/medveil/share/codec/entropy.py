"""A level of a sparse code as bytes: entropy-coded with what is known of each component from training.

    1 byte    0: supports as ranks (`ranking`), 1: supports by their model
    4 bytes   length of the supports, little-endian
    4 bytes   CRC-32 of all that follows, then of supports and values as decoded (uint16, int16, little-endian)
    n bytes   supports, whichever of the two ways is shorter
    rest      values, atom by atom: all values of component 0 in the order of the sites, then of component 1, ...

**Values** of component m have the histogram counted for m, mixed with that of the whole level where m was rare.
**Supports** are sets of exactly k components drawn independently with odds w_m: with e_r(m) the sum over all
r-subsets of {m, .., M - 1} of the product of their odds, the next component after p, when r are still to come, is m or
later with probability e_r(m) / e_r(p + 1).

The coder is the range coder of `constriction`, words of 32 bits, little-endian. Every model is given to it as whole
numbers that sum to 2^24 - n for n symbols; it adds one to each, and no rounding is left, so two machines agree.

Sources: conditional Bernoulli sampling, Chen, Dempster and Liu (Biometrika 81:457, 1994); range coding, Martin (1979).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError, VerificationFailed
from medveil.share.base import SparseLevel, Statistics
from medveil.share.codec import ranking

MOST_ENTRIES = 1 << 28  # components of a level, 1 GB when decoded: few bytes can stand for any number of them
_HEAD = struct.Struct("<BII")
_RANKS, _MODEL = 0, 1
_ONE = 1 << 24  # constriction counts probabilities in units of 2^-24
_PRIOR = 16  # the histogram of the level counts as much as this many values of one component
_MOST_MODELS = 1 << 16  # k M; above, the tables of the support's model are too dear and ranks serve


def encode_level(level: SparseLevel, statistics: Statistics, index: int) -> bytes:
    """The level as bytes.

    Args:
        level: supports and values.
        statistics: the model's.
        index: which level of the statistics it is, 0 the coarsest.

    Raises:
        UsageError: level and statistics do not fit, or a value is 0 or beyond the histogram.
    """
    check_fits(level, statistics, index)
    supports, kind = b"", _RANKS
    if _has_model(level.nonzeros, level.atoms):
        supports, kind = _encode_supports(level.support, statistics.chosen[index], statistics.sites), _MODEL
    if kind == _RANKS or len(supports) >= ranking.length(
        level.sites, ranking.bits(level.atoms, level.nonzeros)
    ):
        supports, kind = ranking.rank(level.support, level.atoms), _RANKS
    values = _encode_values(level, statistics.values[index])
    return _HEAD.pack(kind, len(supports), _checksum(supports + values, level)) + supports + values


def decode_level(
    data: bytes, statistics: Statistics, index: int, *, sites: int, nonzeros: int
) -> SparseLevel:
    """The level that `encode_level` wrote.

    Args:
        data: the bytes.
        statistics: the same as when it was written.
        index: which level of the statistics it is, 0 the coarsest.
        sites: how many the level has.
        nonzeros: how many components each site has.

    Raises:
        UsageError: no such level in the statistics, or a number of components that cannot be.
        VerificationFailed: the bytes are damaged, or of another level or other statistics.
    """
    check_index(statistics, index)
    atoms = statistics.chosen.shape[1]
    ranking.ways(atoms, nonzeros)
    if not 0 <= sites * nonzeros <= MOST_ENTRIES:
        raise UsageError(f"sparse level: more than {MOST_ENTRIES} components are asked for")
    if len(data) < _HEAD.size:
        raise _damaged()
    kind, length, checksum = _HEAD.unpack_from(data)
    supports, values = data[_HEAD.size : _HEAD.size + length], data[_HEAD.size + length :]
    if len(supports) != length:
        raise _damaged()
    if kind == _RANKS:
        support = ranking.unrank(supports, sites, nonzeros, atoms)
    elif kind == _MODEL and _has_model(nonzeros, atoms):
        support = _decode_supports(supports, sites, nonzeros, statistics.chosen[index], statistics.sites)
    else:
        raise _damaged()
    level = SparseLevel(support, _decode_values(values, support, statistics.values[index]), atoms)
    if _checksum(supports + values, level) != checksum:
        raise _damaged()
    return level


def frequencies(counts: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """The histogram of each component in whole parts of `total`, none of them 0; by whole numbers only.

    Args:
        counts: (M, n) int64, how often component m had value n.
        total: what each row will sum to; more than n.

    Returns:
        (M, n) int64; a component that was never seen has the histogram of all.
    """
    each = counts.shape[1]
    every = counts.sum(axis=0).astype(object)
    prior = 1 + every * ((1 << 20) - each) // max(1, int(every.sum()))
    weights = counts.astype(object) * (1 << 20) + prior * _PRIOR  # whole numbers of Python: nothing overflows
    sums = weights.sum(axis=1, keepdims=True)
    shares: npt.NDArray[np.int64] = (1 + weights * (total - each) // sums).astype(np.int64)
    shares[np.arange(len(shares)), shares.argmax(axis=1)] += total - shares.sum(axis=1)
    return shares


def symbols(values: npt.NDArray[np.int16], steps: int) -> npt.NDArray[np.int32]:
    """-Q .. -1, 1 .. Q as 0 .. 2 Q - 1."""
    wide = values.astype(np.int32)
    return wide + steps - (wide > 0)


def from_symbols(coded: npt.NDArray[Any], steps: int) -> npt.NDArray[np.int16]:
    """0 .. 2 Q - 1 as -Q .. -1, 1 .. Q."""
    wide = coded.astype(np.int32) - steps
    return (wide + (wide >= 0)).astype(np.int16)


def check_index(statistics: Statistics, index: int) -> None:
    """Raises UsageError unless the statistics hold a level of this index and agree with themselves."""
    chosen, values = statistics.chosen, statistics.values
    sound = chosen.ndim == 2 and values.ndim == 3 and values.shape[:2] == chosen.shape
    if not sound or values.shape[2] % 2 or not 2 <= values.shape[2] <= 1 << 15:
        raise UsageError("statistics: shapes do not agree, expected (L, M) and (L, M, 2 Q)")
    if chosen.size == 0 or not int(chosen.max()) <= statistics.sites < 1 << 50:
        raise UsageError("statistics: expected components, and none counted at more sites than there were")
    if min(int(chosen.min()), int(values.min())) < 0:
        raise UsageError("statistics: expected counts from 0 upwards")
    if not 0 <= index < len(chosen):
        raise UsageError(f"statistics: have {len(chosen)} levels, number {index + 1} is asked for")


def check_fits(level: SparseLevel, statistics: Statistics, index: int) -> None:
    """Raises UsageError unless the statistics can describe the level."""
    check_index(statistics, index)
    if level.values.shape != level.support.shape or level.atoms != statistics.chosen.shape[1]:
        raise UsageError("sparse level: shapes of support, values and statistics do not agree")
    if level.support.dtype != np.uint16 or level.values.dtype != np.int16:
        raise UsageError("sparse level: expected uint16 supports and int16 values")
    ranking.check_support(level.support, level.atoms)
    steps = statistics.values.shape[2] // 2
    if level.values.size and (
        not level.values.all() or int(level.values.max()) > steps or int(level.values.min()) < -steps
    ):
        raise UsageError(f"sparse level: expected values from 1 to {steps} steps of either sign, never 0")


def _checksum(coded: bytes, level: SparseLevel) -> int:
    checksum = zlib.crc32(coded)
    for plain in (level.support.astype("<u2"), level.values.astype("<i2")):
        checksum = zlib.crc32(plain.tobytes(), checksum)
    return checksum


def _damaged() -> VerificationFailed:
    return VerificationFailed(
        "sparse level: the bytes are damaged, or were made with other statistics",
        hint="open it with the model that it was made with",
    )


# ---- values


def _encode_values(level: SparseLevel, counts: npt.NDArray[np.int64]) -> bytes:
    coder = _encoder()
    order, groups = _by_atom(level.support, level.atoms)
    coded = symbols(level.values.ravel()[order], counts.shape[1] // 2)
    shares = frequencies(counts, _ONE)
    for atom, part in groups:
        coder.encode(coded[part], _model(shares[atom] - 1))
    return _words(coder)


def _decode_values(
    data: bytes, support: npt.NDArray[np.uint16], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int16]:
    coder = _decoder(data)
    order, groups = _by_atom(support, len(counts))
    shares = frequencies(counts, _ONE)
    coded = np.empty(support.size, np.int32)
    for atom, part in groups:
        coded[part] = _decode(coder, _model(shares[atom] - 1), part.stop - part.start)
    _finished(coder)
    values = np.empty(support.size, np.int16)
    values[order] = from_symbols(coded, counts.shape[1] // 2)
    return values.reshape(support.shape)


def _by_atom(
    support: npt.NDArray[np.uint16], atoms: int
) -> tuple[npt.NDArray[np.intp], list[tuple[int, slice]]]:
    """The order of all entries by component, and where each component's lie in it."""
    flat = support.ravel()
    return np.argsort(flat, kind="stable"), list(_groups(flat, atoms))


def _groups(flat: npt.NDArray[Any], count: int) -> Iterator[tuple[int, slice]]:
    ends = np.cumsum(np.bincount(flat, minlength=count))
    start = 0
    for value, end in enumerate(ends.tolist()):
        if end > start:
            yield value, slice(start, end)
        start = end


# ---- supports


class _Supports:
    """The model of supports: k of M components, each with its own odds."""

    def __init__(self, chosen: npt.NDArray[np.int64], sites: int, k: int) -> None:
        odds = [max(1, ((int(each) + 1) << 16) // (sites - int(each) + 1)) for each in chosen]
        self.atoms = len(odds)
        below = [1] * (self.atoms + 1)
        # e_r(m) as its highest 38 bits and how many were cut off, for r = 0 .. k and m = 0 .. M.
        self._bits = np.zeros((k + 1, self.atoms + 1), np.int64)
        self._cut = np.zeros((k + 1, self.atoms + 1), np.int64)
        for r in range(1, k + 1):
            row = [0] * (self.atoms + 1)
            for m in range(self.atoms - r, -1, -1):
                row[m] = row[m + 1] + odds[m] * below[m + 1]
                cut = max(0, row[m].bit_length() - 38)
                self._bits[r, m], self._cut[r, m] = row[m] >> cut, cut
            below = row

    def next(self, first: int, r: int) -> Any:
        """The model of the next component less `first`, the lowest it can be, when r are still to come.

        None where there is no choice.
        """
        end = self.atoms - r + 1
        count = end - first
        if count == 1:
            return None
        cut = self._cut[r, first] - self._cut[r, first:end]  # never negative: e_r falls with m
        later = self._bits[r, first:end] >> np.minimum(cut, 63)
        later = later * (_ONE - count) // later[0]
        return _model(later - np.append(later[1:], 0))


def _has_model(k: int, atoms: int) -> bool:
    return 0 < k < atoms and k * atoms <= _MOST_MODELS


def _encode_supports(support: npt.NDArray[np.uint16], chosen: npt.NDArray[np.int64], counted: int) -> bytes:
    k = support.shape[1]
    model, coder = _Supports(chosen, counted, k), _encoder()
    first = np.zeros(len(support), np.uint16)  # the lowest component that can come next
    for j in range(k):
        order = np.argsort(first, kind="stable")
        coded = (support[:, j] - first)[order].astype(np.int32)
        for start, part in _groups(first, 1):
            if (choices := model.next(start, k - j)) is not None:
                coder.encode(coded[part], choices)
        first = support[:, j] + np.uint16(1)
    return _words(coder)


def _decode_supports(
    data: bytes, sites: int, k: int, chosen: npt.NDArray[np.int64], counted: int
) -> npt.NDArray[np.uint16]:
    model, coder = _Supports(chosen, counted, k), _decoder(data)
    support = np.empty((sites, k), np.uint16)
    first = np.zeros(sites, np.uint16)
    for j in range(k):
        order = np.argsort(first, kind="stable")
        coded = np.zeros(sites, np.uint16)
        for start, part in _groups(first, 1):
            if (choices := model.next(start, k - j)) is not None:
                coded[part] = _decode(coder, choices, part.stop - part.start)
        support[order, j] = first[order] + coded
        first = support[:, j] + np.uint16(1)
    _finished(coder)
    return support


# ---- the coder


def _model(shares: npt.NDArray[np.int64]) -> Any:
    """Probabilities (share + 1) / 2^24, exactly, from shares that sum to 2^24 - n."""
    import constriction

    return constriction.stream.model.Categorical(shares.astype(np.float32), perfect=False)


def _encoder() -> Any:
    import constriction

    return constriction.stream.queue.RangeEncoder()


def _words(coder: Any) -> bytes:
    return bytes(coder.get_compressed().astype("<u4").tobytes())


def _decoder(data: bytes) -> Any:
    import constriction

    if len(data) % 4:
        raise _damaged()
    return constriction.stream.queue.RangeDecoder(np.frombuffer(data, "<u4").astype(np.uint32))


def _decode(coder: Any, model: Any, count: int) -> Any:
    try:
        return coder.decode(model, count)
    except (AssertionError, ValueError):  # what constriction raises where no symbol fits
        raise _damaged() from None


def _finished(coder: Any) -> None:
    if not coder.maybe_exhausted():
        raise _damaged()
