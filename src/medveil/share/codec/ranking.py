"""Supports as numbers: which k of M components a site has, in exactly ceil(log2 C(M, k)) bits.

    support 1 3 4 (k = 3)  <->  C(1, 1) + C(3, 2) + C(4, 3) = 1 + 3 + 4 = 8,  a number below C(M, 3)

The numbers reach hundreds of bits, so they are held as limbs of 48 bits, the lowest first, `(limbs, sites)` int64;
sums and differences of many fit before anything is carried. Whole numbers only, apart from one guess by a float
that is then corrected exactly. On disk: the numbers of all sites one after the other, `bits(M, k)` bits each, lowest
bit first, the last byte filled up with zeros.

Source: the combinatorial number system; D. E. Knuth, The Art of Computer Programming 4A, section 7.2.1.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError, VerificationFailed

MOST_ATOMS = 1024  # C(1024, 512) is below 2^1024, so every number has a float near it
LIMB = 48
_MASK = (1 << LIMB) - 1
_CHUNK = 8192  # sites at a time, a multiple of 8: chunks end at whole bytes, and fit in a cache

Numbers = npt.NDArray[np.int64]
"""(limbs, sites), 48 bits each, the lowest first."""


def ways(atoms: int, k: int) -> int:
    """C(atoms, k): how many supports there are.

    Raises:
        UsageError: more atoms than `MOST_ATOMS`, or k is not from 0 to atoms.
    """
    if not 0 <= k <= atoms <= MOST_ATOMS:
        raise UsageError(f"support: {k} of {atoms} components, expected at most all of at most {MOST_ATOMS}")
    return math.comb(atoms, k)


def bits(atoms: int, k: int) -> int:
    """ceil(log2 C(atoms, k)): bits of the number of one site."""
    return (ways(atoms, k) - 1).bit_length()


def length(sites: int, width: int) -> int:
    """How many bytes the numbers of so many sites take."""
    return (sites * width + 7) // 8


def limbs(count: int) -> int:
    """How many limbs hold the numbers of `count` bits; at least one."""
    return max(1, -(-count // LIMB))


def rank(support: npt.NDArray[np.uint16], atoms: int) -> bytes:
    """The supports of all sites, packed.

    Args:
        support: (sites, k) uint16, ascending at each site, below `atoms`.
        atoms: M.

    Raises:
        UsageError: a support that is not ascending or has a component that is not there.
    """
    width = bits(atoms, support.shape[1])
    return b"".join(pack(ranks(support[part], atoms), width) for part in parts(len(support)))


def unrank(data: bytes, sites: int, k: int, atoms: int) -> npt.NDArray[np.uint16]:
    """The supports that `rank` packed, (sites, k) uint16.

    Raises:
        VerificationFailed: another number of bytes, or a number that is no support's.
    """
    width = bits(atoms, k)
    check_length(data, sites, width)
    support = np.empty((sites, k), np.uint16)
    for part in parts(sites):
        support[part] = supports(unpack(data, part, width), k, atoms)
    return support


def ranks(support: npt.NDArray[np.uint16], atoms: int) -> Numbers:
    """The number of each support."""
    k = support.shape[1]
    table = _table(atoms, k)
    check_support(support, atoms)
    # Term j is C(c, j + 1) with j <= c <= M - k + j: row j of the table starts at c = j.
    index = support.astype(np.intp) + np.arange(k) * (table.span - 1)
    numbers = np.stack([row.ravel()[index].sum(axis=1) for row in table.terms])
    carry(numbers)
    return numbers


def check_support(support: npt.NDArray[np.uint16], atoms: int) -> None:
    """Raises UsageError unless components are ascending at each site and below `atoms`."""
    if support.ndim != 2:
        raise UsageError("support: expected (sites, k)")
    if support.size and (int(support.max()) >= atoms or bool((support[:, 1:] <= support[:, :-1]).any())):
        raise UsageError(f"support: expected ascending components below {atoms} at each site")


def supports(numbers: Numbers, k: int, atoms: int) -> npt.NDArray[np.uint16]:
    """The support of each number, (sites, k).

    Raises:
        VerificationFailed: a number is not below C(atoms, k).
    """
    table = _table(atoms, k)
    if not bool(below(numbers, ways(atoms, k)).all()):
        raise VerificationFailed("support: a number stands for no support, the bytes are damaged")
    rest = numbers.copy()
    support = np.empty((numbers.shape[1], k), np.uint16)
    for j in range(k - 1, -1, -1):
        used = rest[: table.limbs_of[j]]  # the limbs above are 0 by now
        # The largest term not above the rest. Floats keep the order of both, so the guess is right or one too high.
        place = np.searchsorted(table.floats[j], _nearly(used), side="right") - 1
        terms = table.terms[: len(used), j]
        used -= terms[:, place]
        carry(used)
        high = np.flatnonzero(used[-1] < 0)
        if high.size:
            corrected = used[:, high] + terms[:, place[high]] - terms[:, place[high] - 1]
            carry(corrected)
            used[:, high] = corrected
            place[high] -= 1
        support[:, j] = place + j
    return support


def carry(numbers: Numbers) -> None:
    """Bring all limbs but the highest into 48 bits, in place; the highest keeps the sign."""
    for limb in range(len(numbers) - 1):
        numbers[limb + 1] += numbers[limb] >> LIMB
        numbers[limb] &= _MASK


def split(number: int, count: int) -> list[int]:
    """One whole number as `count` limbs; what is left over stays in the highest."""
    return [
        *(number >> (LIMB * limb) & _MASK for limb in range(count - 1)),
        number >> (LIMB * (count - 1)),
    ]


def add(numbers: Numbers, other: Numbers, bound: int) -> Numbers:
    """(numbers + other) mod bound, of numbers below `bound` both; it fits their limbs but for one bit."""
    total = numbers + other
    carry(total)
    return _shifted(total, ~below(total, bound), -1, bound)


def subtract(numbers: Numbers, other: Numbers, bound: int) -> Numbers:
    """(numbers - other) mod bound, of numbers below `bound` both; it fits their limbs but for one bit."""
    difference = numbers - other
    carry(difference)
    return _shifted(difference, difference[-1] < 0, 1, bound)


def _shifted(numbers: Numbers, which: npt.NDArray[np.bool_], sign: int, bound: int) -> Numbers:
    whole = np.array(split(bound, len(numbers)), np.int64)[:, None]
    shifted = numbers + sign * whole * which
    carry(shifted)
    return shifted


def below(numbers: Numbers, bound: int) -> npt.NDArray[np.bool_]:
    """Which numbers are less than a whole number of at most one more bit than their limbs have."""
    difference = numbers - np.array(split(bound, len(numbers)), np.int64)[:, None]
    carry(difference)
    smaller: npt.NDArray[np.bool_] = difference[-1] < 0
    return smaller


def pack(numbers: Numbers, width: int) -> bytes:
    """Numbers below 2^width, `width` bits each, lowest bit first."""
    octets = np.ascontiguousarray(numbers.T).astype("<i8", copy=False).view(np.uint8)
    octets = octets.reshape(numbers.shape[1], len(numbers), 8)[:, :, : LIMB // 8].reshape(
        numbers.shape[1], -1
    )
    each = np.unpackbits(octets, axis=1, count=width, bitorder="little")
    return np.packbits(each.ravel(), bitorder="little").tobytes()


def unpack(data: bytes, part: slice, width: int) -> Numbers:
    """The numbers of some sites, from the bytes of all. `check_length` must have passed.

    Args:
        data: what `pack` gave for all sites.
        part: which sites; starts at a multiple of 8.
        width: bits of one.
    """
    count, sites = limbs(width), part.stop - part.start
    begin = part.start * width // 8
    octets = np.frombuffer(data, np.uint8, length(sites, width), begin)
    each = np.unpackbits(octets, count=sites * width, bitorder="little").reshape(sites, width)
    return from_octets(np.packbits(each, axis=1, bitorder="little"), count)


def from_octets(octets: npt.NDArray[np.uint8], count: int) -> Numbers:
    """(sites, bytes) as numbers of `count` limbs, the lowest byte first."""
    full = np.zeros((len(octets), count * (LIMB // 8)), np.uint8)
    full[:, : octets.shape[1]] = octets
    padded = np.zeros((len(octets), count, 8), np.uint8)
    padded[:, :, : LIMB // 8] = full.reshape(len(octets), count, LIMB // 8)
    return np.ascontiguousarray(padded.view("<i8")[:, :, 0].T.astype(np.int64, copy=False))


def check_length(data: bytes, sites: int, width: int) -> None:
    """Exactly as many bytes as the numbers take, and zeros behind the last.

    Raises:
        VerificationFailed: not so.
    """
    expected = length(sites, width)
    if len(data) != expected:
        raise VerificationFailed(f"numbers of {sites} sites: {len(data)} bytes, expected {expected}")
    over = sites * width % 8
    if over and data[-1] >> over:
        raise VerificationFailed(f"numbers of {sites} sites: something follows the last one")


def parts(sites: int) -> Iterator[slice]:
    """All sites in parts that a cache holds and that begin at whole bytes."""
    for start in range(0, sites, _CHUNK):
        yield slice(start, min(start + _CHUNK, sites))


@dataclass(frozen=True, eq=False)
class _Table:
    """C(c, j + 1) for j < k and j <= c <= M - k + j.

    Args:
        terms: (limbs, k, M - k + 1) int64.
        floats: (k, M - k + 1), the same as floats.
        limbs_of: for each j, how many limbs the rest has when the component j is looked for.
    """

    terms: npt.NDArray[np.int64]
    floats: npt.NDArray[np.float64]
    limbs_of: tuple[int, ...]

    @property
    def span(self) -> int:
        return int(self.terms.shape[2])


@lru_cache(maxsize=8)
def _table(atoms: int, k: int) -> _Table:
    count = limbs(bits(atoms, k))
    octets, row, rows = count * (LIMB // 8), list(range(atoms - k + 1)), []
    for _ in range(k):
        rows.append(b"".join(term.to_bytes(octets, "little") for term in row))
        row = list(accumulate(row))  # C(c, j + 1) is the sum of C(c', j) over all c' below c
    each = np.frombuffer(b"".join(rows), np.uint8).reshape(k * (atoms - k + 1), octets)
    flat = from_octets(each, count).reshape(count, k, atoms - k + 1)
    limbs_of = tuple(limbs(math.comb(atoms - k + j + 1, j + 1).bit_length()) for j in range(k))
    return _Table(flat, _nearly(flat), tuple(min(most, count) for most in limbs_of))


def _nearly(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """A float near each number, (limbs, ...) -> (...); a greater number never gets a smaller one."""
    total: npt.NDArray[np.float64] = numbers[-1].astype(np.float64)
    for limb in numbers[-2::-1]:
        total = total * 2.0**LIMB + limb
    return total
