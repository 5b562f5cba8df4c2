"""Maps: codes as tensors over sites, for attacks that learn; windows of them to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from medveil.attack.decode.base import CodeThreat
from medveil.core.errors import UsageError
from medveil.core.sparse import CodePair, PublicCode

if TYPE_CHECKING:
    from torch import Tensor, nn

    from medveil.nn.settings import NetSettings

Parts = npt.NDArray[np.float32]
AT_ONCE = 16


def components(code: PublicCode, s: NetSettings) -> Parts:
    """What is published: (2, L, S_x + S_n, rows, columns), which component and its value in steps.

    Raises:
        UsageError: the code is not one of a network of these settings.
    """
    rows, cols = s.sites(code.height, code.width)
    if len(code.levels) != s.levels or any(x.sites != rows * cols or x.atoms != s.atoms for x in code.levels):
        raise UsageError("decode: the code is not of the network that the attacker holds")
    return np.stack([[over(part, rows) for part in (x.support, x.values)] for x in code.levels], axis=1)


def over(each: npt.NDArray[np.generic], rows: int) -> Parts:
    """(sites, K) -> (K, rows, columns)."""
    sites, count = each.shape
    return np.ascontiguousarray(each.astype(np.float32).T.reshape(count, rows, sites // rows))


def checked(threat: CodeThreat) -> Sequence[CodePair]:
    """The attacker's pairs.

    Raises:
        UsageError: there are none, or their codes differ in how many components a site shows.
    """
    if not threat.pairs:
        raise UsageError("decode: this attack learns from codes of other people, and has none")
    if len({(p.code.nonzeros, p.code.decoys) for p in threat.pairs}) > 1:
        raise UsageError("decode: the attacker's pairs differ in S_x or S_n")
    return threat.pairs


def parted(pairs: Sequence[CodePair]) -> tuple[list[int], list[int]]:
    """Numbers of the pairs to learn from, and of every fifth person's, by which training is judged.

    Nobody is on both sides; of a single person all pairs are on both.
    """
    people = sorted({p.group for p in pairs})
    judged = set(people[2::5] if len(people) > 2 else people[-1:])
    held_out = [n for n, p in enumerate(pairs) if p.group in judged]
    return [n for n in range(len(pairs)) if n not in set(held_out)] or held_out, held_out


@dataclass(frozen=True, eq=False)
class Windows:
    """Random windows of sites, the same ones again for the same seed and step.

    Args:
        parts: of each pair (..., rows, columns), all alike in the rest.
        side: of a window, sites; less where the smallest pair has less.
        batch: windows a step.
        seed: together with the step it decides what is drawn.
    """

    parts: Sequence[Parts]
    side: int
    batch: int
    seed: int

    def __call__(self, step: int) -> Tensor:
        """(B, ..., side, side)."""
        import torch

        draw = np.random.default_rng([self.seed, step])
        side = min(self.side, *(n for part in self.parts for n in part.shape[-2:]))
        out = []
        for n in draw.integers(len(self.parts), size=self.batch):
            i, j = (draw.integers(size - side + 1) for size in self.parts[n].shape[-2:])
            out.append(self.parts[n][..., i : i + side, j : j + side])
        return torch.from_numpy(np.stack(out))


class Best:
    """Judges a network while it is trained and keeps the weights that did best, so that few pairs do not harm.

    Args:
        loss: of a network and a batch.
        held_out: a batch of people that it does not learn from.
    """

    def __init__(self, loss: Callable[[nn.Module, Tensor], Tensor], held_out: Tensor) -> None:
        self.loss, self.held_out, self.least, self.kept = loss, held_out, np.inf, dict[str, Any]()

    def __call__(self, net: nn.Module) -> float:
        """The loss on them, as `nn.fit` asks for it."""
        import torch

        device = next(net.parameters()).device
        with torch.no_grad():
            some = (self.held_out[n : n + AT_ONCE].to(device) for n in range(0, len(self.held_out), AT_ONCE))
            value = float(np.mean([float(self.loss(net, x)) for x in some]))
        if value < self.least:
            self.least = value
            self.kept = {k: v.detach().cpu().clone() for k, v in net.state_dict().items()}
        return value

    def restored(self, net: nn.Module) -> nn.Module:
        """The network with those weights, on the CPU and in evaluation mode."""
        net.cpu().load_state_dict(self.kept)
        return net.eval()
