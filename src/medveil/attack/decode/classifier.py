"""decode.classifier: which components are true, learned from codes of other people.

    published components ──present, value, size──┬── 1x1, 3x3, 3x3: what the site and its neighbours look like
             │                                   └── the same atom at all levels, 3 x 3 sites
             │                                                     │ weights of (level, atom) at the site
             └── 1, v, v², log|v|, share ──────────────────────> sum ──> log-odds that it is true
    again:   code weighted by its odds ──network──> picture ──network──> every component anew
             └── asked once more, with odds and new values beside the published ones

The log-odds are a quadratic in the value whose coefficients its surroundings tell, as a likelihood ratio has it. Decoys
have each component's statistics; what binds true ones is that they belong to one picture: sizes at a site, shapes
across sites, what one level leaves for the next.
Source: strategy 2 of Shiri et al. (2024, Sec. 2.5), which the paper tries on rendered pictures, not on codes.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.claim import by_components
from medveil.attack.decode.maps import Best, Windows, checked, components, over, parted
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import PublicCode

if TYPE_CHECKING:
    from torch import Tensor, nn

    from medveil.nn.bottleneck import Bottleneck

Told = npt.NDArray[np.float32]
JUDGED_ON = 64  # windows of people who are held out


@dataclass(frozen=True)
class Classifier:
    """Learns true from decoy on pairs of other people.

    Args:
        rounds: how often a code is asked; each after the first sees the picture of the answer before.
        steps: of training, a round.
        batch: windows of sites a step; side: of a window, sites.
        width: channels of what a site looks like.
        rate: learning rate.
        seed: of the training.
        accelerator: as Lightning Fabric takes it.
    """

    rounds: int = 1
    steps: int = 600
    batch: int = 8
    side: int = 9
    width: int = 128
    rate: float = 3e-3
    seed: int = 0
    accelerator: str = "cpu"

    name: ClassVar[str] = "decode.classifier"
    summary: ClassVar[str] = (
        "a network that tells true components from decoys, learned on codes of other people"
    )
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if min(self.rounds, self.steps, self.batch, self.side, self.width) < 1 or not 0 < self.rate < 1:
            raise UsageError("decode.classifier: counts must be at least 1, and the rate between 0 and 1")

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """See `DecodeAttack`."""
        import torch

        start = time.perf_counter()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            readers = self._learn(threat)
        learned = time.perf_counter() - start
        out = []
        for code in codes:
            start = time.perf_counter()
            told = _first(code, threat)
            odds = _ask(readers[0], told)
            for reader in readers[1:]:
                told = _again(told, odds, code, threat.net)
                odds = _ask(reader, told)
            scores = [np.ascontiguousarray(level.reshape(len(level), -1).T) for level in odds]
            took = {"seconds": time.perf_counter() - start, "learning_seconds": learned}
            out.append(by_components(code, scores, threat, self.name, condition, took))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return (
            f"learns from codes of other people which components are true, {self.steps} steps of {self.batch} windows "
            f"of {self.side} x {self.side} sites a round, and asks each code {self.rounds} times"
        )

    def _learn(self, threat: CodeThreat) -> list[nn.Module]:
        """One reader a round; each begins as the one before it."""
        from medveil.attack.decode.nets.reader import Reader
        from medveil.nn.fit import FitSettings, fit

        pairs, s = checked(threat), threat.net.settings
        told = [_first(p.code, threat) for p in pairs]
        true = [
            np.stack([over(level, t.shape[-2]) for level in p.true]) for p, t in zip(pairs, told, strict=True)
        ]
        learn, held_out = parted(pairs)
        readers: list[nn.Module] = []
        for number in range(self.rounds):
            if number:
                told = [
                    _again(t, _ask(readers[-1], t), p.code, threat.net)
                    for t, p in zip(told, pairs, strict=True)
                ]
            both = [np.concatenate([t, y[None]]) for t, y in zip(told, true, strict=True)]
            reader = deepcopy(readers[-1]) if number else Reader(s, threat.statistics, self.width)
            look = Best(_loss, Windows([both[n] for n in held_out], self.side, JUDGED_ON, self.seed)(0))
            look(reader)
            fit(
                reader,
                _loss,
                Windows([both[n] for n in learn], self.side, self.batch, self.seed + number + 1),
                look,
                FitSettings(self.steps, self.rate, every=min(50, self.steps)),
                accelerator=self.accelerator,
            )
            readers.append(look.restored(reader))
        return readers


def _loss(net: nn.Module, both: Tensor) -> Tensor:
    """Binary cross-entropy over published components, of (B, 3 or 5, L, K, rows, columns): what is told, and the truth."""
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(net(both[:, :-1]), both[:, -1])


def _ask(reader: nn.Module, told: Told) -> Told:
    """(2 or 4, L, K, rows, columns) -> (L, K, rows, columns) log-odds."""
    import torch

    with torch.inference_mode():
        return np.asarray(reader(torch.from_numpy(told)[None])[0].numpy())


def _first(code: PublicCode, threat: CodeThreat) -> Told:
    """What is told of a code that was not asked yet."""
    which, steps = components(code, threat.net.settings)
    return np.stack([which, np.sign(steps) * (np.abs(steps) - 1)])


def _again(told: Told, odds: Told, code: PublicCode, net: Bottleneck) -> Told:
    """What is told once more: with an answer, and what the encoder finds in its picture."""
    import torch

    which, value = torch.from_numpy(told[0]).long().flatten(2), torch.from_numpy(told[1]).flatten(2)
    weight = torch.from_numpy(odds).flatten(2).sigmoid()
    empty = torch.zeros(which.shape[0], net.settings.atoms, which.shape[2])
    with torch.inference_mode():
        dense = empty.scatter(1, which, value * weight * net.settings.step)
        new = _reencoded(net, dense, code.height, code.width).gather(1, which) / net.settings.step
    return np.stack([told[0], told[1], odds, new.numpy().reshape(odds.shape)])


def _reencoded(net: Bottleneck, codes: Tensor, height: int, width: int) -> Tensor:
    """Codes (L, M, sites) -> what the encoder finds in their picture, before it is made sparse, (L, M, sites).

    Of a progressive network level l is asked for what the codes of the levels before it leave of the picture.
    """
    import torch

    from medveil.nn.bottleneck import Pair, filled

    each = list(codes[:, None])
    picture = filled(net.decode(each, height, width).clamp(0, 1), net.settings.pitch)
    pairs = [p for p in net.pairs if isinstance(p, Pair)]
    if net.settings.variant == "paper":
        return pairs[0].raw(picture)[0]
    out, rest = [], picture
    for pair, code in zip(pairs, each, strict=True):
        out.append(pair.raw(rest)[0, 0])
        if net.settings.variant == "progressive":
            rest = rest - pair.decode(code[:, None], *picture.shape[-2:])
    return torch.stack(out)
