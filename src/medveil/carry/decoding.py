"""Decoding: codes to attack, with what they hide beside them, as only their owner has both; and one attack, measured.

film ──codec──> true components ──decoys──> CodePair ──attack──> Decoded ──measure──> DecodeFindings
                                                └── the same without protection: the positive control
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat, DecodeAttack, Picture, render
from medveil.core import catalog
from medveil.core.errors import UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.sparse import CodePair, PublicCode, SparseLevel, Statistics
from medveil.io.models import read_model
from medveil.measure.decoding.assess import measured
from medveil.measure.decoding.joined import Joined
from medveil.measure.decoding.verdict import FLOORS, DecodeFindings, p_of
from medveil.measure.verdict import ALPHA
from medveil.share.codec.decoys import add_decoys, fitted
from medveil.share.codec.grid import Grid
from medveil.share.codec.primis import Primis
from medveil.share.keys import LevelKeys

PREFIX = "decode."
MOST_CONTROLS = 8  # codes that the positive control is tried on


def pair_of(codec: Primis, image: Image, keys: LevelKeys, *, decoys: int, group: str = "") -> CodePair:
    """A film as `obfuscate` would publish it, and which of its components are true.

    Args:
        image: a film (H, W).
        keys: from which the decoys are drawn.
        decoys: S_n.
        group: whose film it is.

    Raises:
        Refusal: an image that the codec does not take.
    """
    levels, published = codec.sparse(image), []
    for index, level in enumerate(levels):
        key = keys.of(index + 1).section("decoys")
        published.append(add_decoys(level, fitted(level, codec.statistics, index), index, decoys, key)[0])
    return pairs_of(published, levels, pictures_of(image), group)[0]


def pairs_of(
    published: Sequence[SparseLevel],
    true: Sequence[SparseLevel],
    pictures: Sequence[Picture],
    group: str = "",
) -> list[CodePair]:
    """A code and what it hides; of a volume one pair a slice.

    Args:
        published, true: levels, sites of all slices one after the other.
        pictures: (height, width) in [0, 1], one a slice.

    Raises:
        VerificationFailed: what is published does not hold what is true.
    """
    out = []
    for n, picture in enumerate(pictures):
        shown, hidden = ([_slice(level, n, len(pictures)) for level in each] for each in (published, true))
        flags = tuple(flagged(both, level) for both, level in zip(shown, hidden, strict=True))
        code = PublicCode(tuple(shown), hidden[0].nonzeros, *picture.shape)
        out.append(CodePair(code, flags, picture, group))
    return out


def flagged(both: SparseLevel, true: SparseLevel) -> npt.NDArray[np.bool_]:
    """Which of the published components are true, (sites, S_x + S_n).

    Raises:
        VerificationFailed: not all of the true ones are published.
    """
    if both.sites == true.sites and both.atoms == true.atoms:
        site = np.arange(both.sites, dtype=np.int64)[:, None] * both.atoms
        flags = np.isin(site + both.support, site + true.support)
        if int(flags.sum()) == true.support.size:
            return flags
    raise VerificationFailed("code: what is published does not hold the true components")


def pictures_of(image: Image) -> list[Picture]:
    """The slices of an image in [0, 1], one of a film."""
    grid = Grid.of(image)
    return [grid.scale.to_unit(plane) for plane in grid.planes(image.data)]


def threat_of(codec: Primis, pairs: tuple[CodePair, ...] = ()) -> CodeThreat:
    """An attacker who holds the network of a codec, and perhaps pairs of other people."""
    return CodeThreat(read_model(codec.model).net, codec.statistics, pairs)


def authorised(pairs: Sequence[CodePair], threat: CodeThreat) -> list[Picture]:
    """The pictures that the finest key opens."""
    return [render(true_of(p), threat, p.code.height, p.code.width) for p in pairs]


def true_of(pair: CodePair) -> list[SparseLevel]:
    """The true components alone."""
    k = pair.code.nonzeros
    return [
        SparseLevel(level.support[true].reshape(-1, k), level.values[true].reshape(-1, k), level.atoms)
        for level, true in zip(pair.code.levels, pair.true, strict=True)
    ]


def unprotected(
    pair: CodePair, statistics: Statistics, draw: np.random.Generator, *, decoys: bool
) -> CodePair:
    """The same film with decoys that protect nothing: the positive control of attacks.

    Args:
        decoys: as many as before, but drawn evenly from all components and values, as careless ones are; or none.
    """
    levels, flags = [], []
    steps = statistics.values.shape[2] // 2
    for level, true in zip(pair.code.levels, true_of(pair), strict=True):
        count = level.nonzeros - true.nonzeros if decoys else 0
        order = draw.random((true.sites, true.atoms))
        np.put_along_axis(order, true.support.astype(np.intp), -1.0, axis=1)  # the true ones come first
        support = np.argsort(order, axis=1)[:, : true.nonzeros + count]
        support.sort(axis=1)
        values = draw.integers(1, steps + 1, support.shape) * draw.choice([-1, 1], support.shape)
        here = flagged(SparseLevel(support.astype(np.uint16), values.astype(np.int16), true.atoms), true)
        values[here] = true.values.ravel()
        levels.append(SparseLevel(support.astype(np.uint16), values.astype(np.int16), true.atoms))
        flags.append(here)
    code = PublicCode(tuple(levels), pair.code.nonzeros, pair.code.height, pair.code.width)
    return CodePair(code, tuple(flags), pair.picture, pair.group)


@dataclass(eq=False)
class Bench:
    """Codes to attack, attacked by one attack after the other.

    Args:
        pairs: the codes and what they hide.
        threat: what the attacker holds; learns from `threat.pairs`.
        calibrate: codes of yet other people, on which scores are calibrated; without them the people of `pairs` are
            dealt into folds.
        control: whether attacks that prove no leak are tried on unprotected codes.
    """

    pairs: Sequence[CodePair]
    threat: CodeThreat
    seeds: Seeds
    calibrate: Sequence[CodePair] = ()
    control: bool = True
    _floors: dict[bool, Joined] = field(default_factory=dict)

    def attacked(self, attack: DecodeAttack, *, attacks: int = 1) -> DecodeFindings:
        """What an attack reaches; not judged yet.

        Args:
            attacks: how many there are in all: what is no clear leak among so many is tried on a control.
        """
        start = time.perf_counter()
        joined = self._run(attack, self.pairs, self.threat, "release")
        seconds = time.perf_counter() - start
        others = None
        if self.calibrate and joined.scored:
            others = self._run(attack, self.calibrate, self.threat, "calibration")
        found = DecodeFindings(
            attack.name,
            attack.summary,
            measured(joined, self.seeds, others),
            p_value=self._p(attack, joined, False),
            seconds=seconds,
        )
        clear = found.p_value is None or found.p_value < ALPHA / attacks
        if clear or not self.control or attack.name in FLOORS:
            return found
        pairs, threat = self._unprotected(joined.scored)
        control = self._run(attack, pairs, threat, "unprotected")
        return replace(
            found,
            control=measured(control, self.seeds),
            control_p=self._p(attack, control, not joined.scored),
        )

    def _p(self, attack: DecodeAttack, joined: Joined, plain: bool) -> float | None:
        if attack.name in FLOORS:
            return None
        floor = None
        if not joined.scored:
            if plain not in self._floors:
                mean = catalog.find("attack", FLOORS[0]).load()()
                self._floors[plain] = self._run(mean, joined.pairs, self.threat, "floor")
            floor = self._floors[plain]
        return p_of(joined, floor, self.seeds)

    def _unprotected(self, decoys: bool) -> tuple[Sequence[CodePair], CodeThreat]:
        draw = self.seeds.stream("carry/decoding/unprotected")
        statistics = self.threat.statistics

        def bare(pairs: Sequence[CodePair]) -> tuple[CodePair, ...]:
            return tuple(unprotected(p, statistics, draw, decoys=decoys) for p in pairs)

        return bare(self.pairs[:MOST_CONTROLS]), replace(self.threat, pairs=bare(self.threat.pairs))

    @staticmethod
    def _run(attack: DecodeAttack, pairs: Sequence[CodePair], threat: CodeThreat, condition: str) -> Joined:
        if attack.learns and not threat.pairs:
            raise UsageError(
                f"{attack.name}: learns from films of other people, and there are none",
                hint="give a folder of them with --others",
            )
        return Joined(attack.run([p.code for p in pairs], threat, condition=condition), pairs)


def _slice(level: SparseLevel, n: int, count: int) -> SparseLevel:
    each = level.sites // count
    part = slice(n * each, (n + 1) * each)
    return SparseLevel(level.support[part], level.values[part], level.atoms)
