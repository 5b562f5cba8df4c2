"""Obfuscate: the PRIMIS paper's mechanism. True components lie among decoys; the secret is which ones are true.

It hides nothing for certain: whoever knows the model finds most true components without a key (`medveil share audit`
has the figures). What has to stay private is for `seal`.

    level  ──decoys──> published components (S_x + S_n a site)  ──entropy──> for everybody
             places of the true ones ──rank──> r    r' = (r + mask) mod C(S_x + S_n, S_x)  for everybody
             mask: uniform below C, from a stream that HKDF(K_l, what is published) gives

So 32 bytes hold the secret of a level, whatever its size, and the key of a finer level gives those of the coarser
ones. The decoys hang on key, image and statistics alone, and nothing here is random: releasing the same image
again gives the same bytes. Released in another way, under another key or with another S_x, the true components are
those that both releases share; hence `LevelKeys.derived`, and a ledger of releases beside the key (`io.ledger`).

A level of the code: the masked ranks of its sites, ceil(log2 C) bits each (`ranking.pack`), then the published
components (`entropy.encode_level`). docs/formats/code.md has the rest.

Source: Shiri et al., J. Biomed. Inform. 150:104583 (2024), sections 2.3 to 2.5; the masked rank is ours.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from medveil.core.errors import InputRefused, UsageError, VerificationFailed
from medveil.core.secrets import Key
from medveil.share.base import Layered, SparseLevel, Statistics
from medveil.share.codec import decoys as decoying
from medveil.share.codec import ranking
from medveil.share.codec.entropy import MOST_ENTRIES, check_fits, decode_level, encode_level
from medveil.share.container import Code
from medveil.share.keys import LevelKey, LevelKeys
from medveil.share.seal import assemble, check

_SPARSE = "sparse"  # the key of the header's settings under which this mode keeps its own


def obfuscate(
    levels: Sequence[SparseLevel],
    statistics: Statistics,
    settings: Mapping[str, Any],
    keys: LevelKeys,
    *,
    decoys: int,
    tags: bytes = b"",
    codec: str = "codec.primis",
) -> Code:
    """A code in which everybody sees true components and decoys, and key holders know which are which.

    Args:
        levels: the true components, the coarsest level first.
        statistics: of the model, as many levels.
        settings: what the codec's decoder must know; plain JSON, public.
        keys: `LevelKeys.derived` of the site's key and the image.
        decoys: S_n at each site, 1 to M - S_x.
        tags: what travels beside the image; sealed, in this mode too.
        codec: public name of the codec that made the levels.

    Raises:
        UsageError: levels, statistics and keys do not fit, or a number of decoys that cannot be.
    """
    if not levels or len(levels) != keys.levels or len(levels) > len(statistics.chosen):
        raise UsageError(
            f"obfuscate: {len(levels)} levels, keys for {keys.levels}, statistics of {len(statistics.chosen)}"
        )
    if decoys < 1:
        raise UsageError("obfuscate: without decoys everything is in the clear, expected at least 1")
    if _SPARSE in settings:
        raise UsageError(f"obfuscate: the settings have an entry `{_SPARSE}` already")
    for index, level in enumerate(levels):
        check_fits(level, statistics, index)
        if level.sites * (level.nonzeros + decoys) > MOST_ENTRIES:
            raise UsageError("obfuscate: a level has too many components", hint="choose fewer decoys")
    shape = _Shape(
        tuple(level.sites for level in levels),
        tuple(level.nonzeros for level in levels),
        decoys,
        levels[0].atoms,
    )
    sections = tuple(
        _section(level, statistics, index, decoys, keys.of(index + 1)) for index, level in enumerate(levels)
    )
    sparse = shape.to_json() | {"statistics": fingerprint(statistics)}
    layered = Layered(codec, {**settings, _SPARSE: sparse}, sections)
    return assemble("obfuscate", layered, keys, public=len(levels), tags=tags)


def public_part(code: Code, statistics: Statistics) -> list[SparseLevel]:
    """What everybody sees: at each site of each level the S_x + S_n published components.

    Raises:
        InputRefused: a code of another mode, or made with other statistics.
        VerificationFailed: it is not what `obfuscate` writes.
    """
    shape = _Shape.of(code, statistics)
    return [_published(code, shape, statistics, index)[0] for index in range(code.levels)]


def reveal(code: Code, key: LevelKey, statistics: Statistics) -> list[SparseLevel]:
    """The true components of the levels that the key opens, the coarsest first; the code is verified before.

    Raises:
        InputRefused: a code of another mode, made with other statistics, or a key of another code.
        VerificationFailed: something was changed.
    """
    shape = _Shape.of(code, statistics)
    check(code, key)
    return [_true(code, shape, statistics, index, key.below(index + 1)) for index in range(key.level)]


def fingerprint(statistics: Statistics) -> str:
    """SHA-256 of the statistics, in hex: two models that count the same read each other's codes."""
    head = (*statistics.values.shape, statistics.sites)
    state = hashlib.sha256(f"medveil-statistics 1 {head}\n".encode())
    state.update(statistics.chosen.astype("<i8").tobytes())
    state.update(statistics.values.astype("<i8").tobytes())
    return state.hexdigest()


def release_mark(key: Key, image_digest: bytes) -> str:
    """Which image was released, in hex, for the ledger: without the key it tells nothing of the image."""
    return key.token("share/release", image_digest.hex()).hex()


def settings_mark(settings: Mapping[str, Any]) -> str:
    """How it was released, in hex, for the ledger.

    Args:
        settings: all that changes what is published: S_x, S_n, hash of the model, number of levels; plain JSON.
    """
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"medveil-release 1\n{text}".encode()).hexdigest()


@dataclass(frozen=True)
class _Shape:
    """What the header says of the levels.

    Args:
        sites: of each level.
        nonzeros: S_x of each level.
        decoys: S_n.
        atoms: M.
    """

    sites: tuple[int, ...]
    nonzeros: tuple[int, ...]
    decoys: int
    atoms: int

    def published(self, index: int) -> int:
        """S_x + S_n."""
        return self.nonzeros[index] + self.decoys

    def to_json(self) -> dict[str, Any]:
        return {
            "sites": list(self.sites),
            "nonzeros": list(self.nonzeros),
            "decoys": self.decoys,
            "atoms": self.atoms,
        }

    @staticmethod
    def of(code: Code, statistics: Statistics) -> _Shape:
        if code.mode != "obfuscate":
            raise InputRefused("code: is sealed, not obfuscated", hint="use `seal.unseal`")
        sparse = code.header.settings.get(_SPARSE)
        names = {"sites", "nonzeros", "decoys", "atoms", "statistics"}
        wrong = VerificationFailed("code: its header is not what obfuscate writes")
        if not isinstance(sparse, Mapping) or set(sparse) != names:
            raise wrong
        if sparse["statistics"] != fingerprint(statistics):
            raise InputRefused("code: was made with another model", hint="open it with the model it names")
        sites, nonzeros = sparse["sites"], sparse["nonzeros"]
        if not isinstance(sites, Sequence) or not isinstance(nonzeros, Sequence):
            raise wrong
        numbers = (*sites, *nonzeros, sparse["decoys"], sparse["atoms"])
        if any(type(number) is not int or not 0 <= number <= MOST_ENTRIES for number in numbers):
            raise wrong
        shape = _Shape(tuple(sites), tuple(nonzeros), sparse["decoys"], sparse["atoms"])
        if {len(shape.sites), len(shape.nonzeros), len(code.public)} != {code.levels}:
            raise wrong
        if code.levels > len(statistics.chosen) or shape.atoms != statistics.chosen.shape[1]:
            raise wrong
        for index in range(code.levels):
            if shape.published(index) > shape.atoms or shape.decoys < 1:
                raise wrong
            if shape.sites[index] * shape.published(index) > MOST_ENTRIES:
                raise wrong
        return shape


def _section(level: SparseLevel, statistics: Statistics, index: int, count: int, key: LevelKey) -> bytes:
    own = decoying.fitted(level, statistics, index)
    published, places = decoying.add_decoys(level, own, index, count, key.section("decoys"))
    body = encode_level(published, statistics, index)
    among = published.nonzeros
    total = ranking.ways(among, level.nonzeros)
    ranks = [ranking.ranks(places[part], among) for part in ranking.parts(level.sites)]
    numbers = np.concatenate(ranks, axis=1) if ranks else np.zeros((1, 0), np.int64)
    masked = ranking.add(numbers, _masks(key, body, level.sites, total), total)
    return ranking.pack(masked, ranking.bits(among, level.nonzeros)) + body


def _published(
    code: Code, shape: _Shape, statistics: Statistics, index: int
) -> tuple[SparseLevel, bytes, bytes]:
    """The published components of a level, the masked ranks, and the bytes that the masks hang on."""
    among, sites = shape.published(index), shape.sites[index]
    section = code.public[index]
    length = ranking.length(sites, ranking.bits(among, shape.nonzeros[index]))
    masked, body = section[:length], section[length:]
    return decode_level(body, statistics, index, sites=sites, nonzeros=among), masked, body


def _true(code: Code, shape: _Shape, statistics: Statistics, index: int, key: LevelKey) -> SparseLevel:
    published, masked, body = _published(code, shape, statistics, index)
    true, among, sites = shape.nonzeros[index], shape.published(index), shape.sites[index]
    total, width = ranking.ways(among, true), ranking.bits(among, true)
    ranking.check_length(masked, sites, width)
    numbers = ranking.unpack(masked, slice(0, sites), width)
    if not bool(ranking.below(numbers, total).all()):
        raise VerificationFailed(f"level {index + 1}: a rank stands for no support, the bytes are damaged")
    ranks = ranking.subtract(numbers, _masks(key, body, sites, total), total)
    return decoying.pick(published, ranking.supports(ranks, true, among))


def _masks(key: LevelKey, body: bytes, sites: int, total: int) -> ranking.Numbers:
    """For each site a number below `total`, every one equally likely.

    Numbers of as many bits as `total - 1` has are drawn from the stream; those not below `total`, fewer than half,
    are drawn again, in the order of the sites. The stream hangs on all that the level publishes, so two releases
    never share masks, which would tell the difference of two ranks.
    """
    stream = decoying.Stream(key.section(f"ranks/{hashlib.sha256(body).hexdigest()}"))
    width = (total - 1).bit_length()
    octets = (width + 7) // 8
    masks = np.zeros((ranking.limbs(width), sites), np.int64)
    missing = np.arange(sites)
    while missing.size:
        drawn = stream.octets(octets * missing.size).reshape(missing.size, octets).copy()
        if width % 8:
            drawn[:, -1] &= (1 << width % 8) - 1
        numbers = ranking.from_octets(drawn, len(masks))
        fit = ranking.below(numbers, total)
        masks[:, missing[fit]] = numbers[:, fit]
        missing = missing[~fit]
    return masks
