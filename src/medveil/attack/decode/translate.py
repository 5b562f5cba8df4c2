"""decode.translate: from the public code straight to the picture, learned from codes of other people.

    published components, true and false ──1x1, 3x3──> sites ──finer──> 4 pixels ──finer──> picture

It knows nothing of the network that made the code but its pitch, and never asks which component is true. What it
reaches without the decoder tells how much a leaked network adds to the danger.
Source: the inverse of an obfuscated code as in Shiri et al. (2024, Sec. 2.5), with the code itself as input.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.attack.decode.maps import Best, Windows, checked, components, parted
from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.sparse import CodePair, PublicCode

if TYPE_CHECKING:
    from torch import Tensor, nn

    from medveil.nn.settings import NetSettings

JUDGED_ON = 64  # windows of people who are held out


@dataclass(frozen=True)
class Translate:
    """Learns to draw the picture from pairs of other people; squared error.

    Args:
        steps: of training.
        batch: windows of sites a step; side: of a window, sites.
        width: channels at a site.
        rate: learning rate.
        seed: of the training.
        accelerator: as Lightning Fabric takes it.
    """

    steps: int = 1000
    batch: int = 8
    side: int = 9
    width: int = 192
    rate: float = 2e-3
    seed: int = 0
    accelerator: str = "cpu"

    name: ClassVar[str] = "decode.translate"
    summary: ClassVar[str] = "a network that draws the picture from a code, learned on codes of other people"
    learns: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.side, self.width) < 1 or not 0 < self.rate < 1:
            raise UsageError("decode.translate: counts must be at least 1, and the rate between 0 and 1")

    def run(self, codes: Sequence[PublicCode], threat: CodeThreat, *, condition: str) -> list[Decoded]:
        """See `DecodeAttack`."""
        import torch

        start = time.perf_counter()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            net = self._learn(threat)
        learned = time.perf_counter() - start
        out = []
        for code in codes:
            start = time.perf_counter()
            told = torch.from_numpy(components(code, threat.net.settings))[None]
            with torch.inference_mode():
                drawn = net(told)[0, 0, : code.height, : code.width].clamp(0, 1).numpy()
            took = {"seconds": time.perf_counter() - start, "learning_seconds": learned}
            out.append(Decoded(None, np.ascontiguousarray(drawn), self.name, condition, took))
        return out

    def describe(self) -> str:
        """In words, what the attack will do."""
        return (
            f"learns from codes of other people to draw a picture from a code, {self.steps} steps of {self.batch} "
            f"windows of {self.side} x {self.side} sites"
        )

    def _learn(self, threat: CodeThreat) -> nn.Module:
        from medveil.attack.decode.nets.drawer import Drawer
        from medveil.nn.fit import FitSettings, fit

        pairs, s = checked(threat), threat.net.settings
        if self.side < s.window // s.stride:
            raise UsageError("decode.translate: side is less than what a pixel is seen by")
        both, (learn, held_out) = [_both(p, s) for p in pairs], parted(pairs)

        net = Drawer(s, threat.statistics, self.width)
        look = Best(_loss, Windows([both[n] for n in held_out], self.side, JUDGED_ON, self.seed)(0))
        windows = Windows([both[n] for n in learn], self.side, self.batch, self.seed + 1)
        settings = FitSettings(self.steps, self.rate, every=min(50, self.steps))
        fit(net, _loss, windows, look, settings, accelerator=self.accelerator)
        return look.restored(net)


def _loss(net: nn.Module, both: Tensor) -> Tensor:
    """Mean squared error, of the blocks that all their sites are there for; `both` is a batch of `_both`."""
    from torch.nn.functional import pixel_shuffle

    s: NetSettings = net.s  # type: ignore[assignment]  # it is a Drawer
    published = both.shape[1] - s.pitch**2
    drawn = net(both[:, :published].reshape(len(both), 2, s.levels, -1, *both.shape[-2:]))
    blocks = drawn.shape[-1] // s.pitch
    true = pixel_shuffle(both[:, published:, :blocks, :blocks], s.pitch)
    error: Tensor = drawn - true
    return error.square().mean()


def _both(pair: CodePair, s: NetSettings) -> npt.NDArray[np.float32]:
    """Code and picture on the sites: (2 L K + pitch², rows, columns); the block at a site is the last it sees.

    The picture has a row and a column of blocks less than there are sites, for each further block that a window spans;
    these are 0 and never looked at.
    """
    import torch
    from torch.nn.functional import pixel_unshuffle

    from medveil.nn.bottleneck import filled

    told = components(pair.code, s)
    picture = filled(torch.from_numpy(pair.picture)[None, None], s.pitch)
    blocks = pixel_unshuffle(picture, s.pitch)[0].numpy()  # (pitch², rows - 1, columns - 1)
    on_sites = np.zeros((s.pitch**2, *told.shape[-2:]), np.float32)
    on_sites[:, : blocks.shape[1], : blocks.shape[2]] = blocks
    return np.concatenate([told.reshape(-1, *told.shape[-2:]), on_sites])
