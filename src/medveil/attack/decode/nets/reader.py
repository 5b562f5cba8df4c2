"""Reader: the network of `decode.classifier`; for each published component the log-odds that it is true.

    component, value, answer before ──spread──> (L M) maps each ─┬─ 1x1 ─> C ── + whole code ── 3x3 ── 3x3 ─> C ── 1x1 ─┐
                                                                 └─ the same atom, all levels, 3 x 3 sites ─> 16 ───────┤
    log-odds = sum over features f of the component:  f * weight_f(level, atom, site)  <────────────────────────────────┘

The lower branch sees what binds codes most: an atom that is kept at one level leaves little of itself to the next, so of
an atom that is published at two levels of a site at most one is likely true.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from medveil.core.sparse import Statistics
from medveil.nn.settings import NetSettings

SEEN, JUDGED = 4, 7  # features that others are told of, and those by which a component is judged
HIDDEN, NEAR = 16, 3  # of the lower branch: channels, sites
DROP = 0.3  # share of channels that is left out in training


class Reader(nn.Module):
    """(B, 2 or 4, L, K, rows, columns) -> (B, L, K, rows, columns).

    The 2 are which component it is and its value, in steps. Where it was asked before, its log-odds of then, and what
    the picture of that answer has in the component's place, in steps.

    Args:
        s: of the network that made the codes.
        statistics: from which it knows how large a value is for its component.
        width: C.
    """

    size: Tensor

    def __init__(self, s: NetSettings, statistics: Statistics, width: int) -> None:
        super().__init__()
        self.s, every = s, s.levels * s.atoms
        self.register_buffer("size", usual_size(s, statistics))
        self.into = nn.Conv2d(SEEN * every, width, 1)
        self.whole = nn.Linear(width, width)
        self.near = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.weights = nn.Conv2d(width, JUDGED * every, 1)
        self.alike = nn.ModuleList(
            [PerAtom(SEEN * s.levels * NEAR**2, HIDDEN, s.atoms), PerAtom(HIDDEN, JUDGED * s.levels, s.atoms)]
        )
        nn.init.normal_(self.into.weight, std=(s.levels * s.nonzeros) ** -0.5 / 4)
        nn.init.normal_(self.weights.weight, std=0.01)

    def forward(self, told: Tensor) -> Tensor:
        """See the class."""
        which = told[:, 0].long()
        value = in_sizes(told[:, 1], which, self.size)
        here, log = torch.ones_like(value), (value.abs() + 0.02).log() / 2
        sure = odds = rest = torch.zeros_like(value)
        if told.shape[1] > 2:
            odds, sure = told[:, 2] / 4, told[:, 2].sigmoid()
            rest = in_sizes(told[:, 3], which, self.size) - sure * value  # what the others put in its place

        seen = [spread(f, which, self.s) for f in (here, value, log, sure)]
        share = gather(seen[0].mean(dim=(2, 3), keepdim=True).expand_as(seen[0]), which, self.s)
        judged = (here, value, value**2, log, share, odds, rest)
        weights = self._by_sites(torch.cat(seen, dim=1)) + self._by_atom(torch.stack(seen, dim=1))
        parts = [
            f * gather(w, which, self.s) for f, w in zip(judged, weights.chunk(JUDGED, dim=1), strict=True)
        ]
        return torch.stack(parts).sum(dim=0)

    def _by_sites(self, seen: Tensor) -> Tensor:
        """(B, 4 L M, rows, columns) -> (B, 7 L M, rows, columns), from all that is published around a site."""
        y = F.leaky_relu(self.into(seen), 0.1)  # (B, C, rows, columns)
        y = y + F.leaky_relu(self.whole(y.mean(dim=(2, 3))), 0.1)[..., None, None]
        for conv in self.near:
            y = y + F.leaky_relu(conv(y), 0.1)
        weights: Tensor = self.weights(F.dropout(y, DROP, self.training))
        return weights

    def _by_atom(self, seen: Tensor) -> Tensor:
        """(B, 4, L M, rows, columns) -> (B, 7 L M, rows, columns), from the same atom at all levels around a site."""
        batch, (rows, cols) = len(seen), seen.shape[-2:]
        maps = seen.reshape(batch, SEEN * self.s.levels, self.s.atoms, rows, cols).transpose(1, 2)
        windows = F.unfold(maps.flatten(0, 1), NEAR, padding=NEAR // 2)  # (B M, 4 L 9, sites)
        windows = windows.reshape(batch, self.s.atoms, -1, rows * cols)
        first, second = self.alike
        y: Tensor = second(F.leaky_relu(first(windows), 0.1))  # (B, M, 7 L, sites)
        return y.transpose(1, 2).reshape(batch, -1, rows, cols)


class PerAtom(nn.Module):
    """(B, M, given, sites) -> (B, M, made, sites), linear: what holds for all atoms, and what is each one's own."""

    def __init__(self, given: int, made: int, atoms: int) -> None:
        super().__init__()
        self.common = nn.Parameter(torch.randn(made, given) * given**-0.5 / 4)
        self.own = nn.Parameter(torch.zeros(atoms, made, given))
        self.bias = nn.Parameter(torch.zeros(atoms, made, 1))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return (self.common + self.own) @ x + self.bias


def usual_size(s: NetSettings, statistics: Statistics) -> Tensor:
    """(L, M) root mean square of a component's values, in steps."""
    counts = statistics.values + 1e-3  # (L, M, 2 Q): -Q .. -1, 1 .. Q
    steps = np.r_[s.steps - 1 : -1 : -1, 0 : s.steps] + 0.5
    return torch.from_numpy(np.sqrt((counts * steps**2).sum(axis=2) / counts.sum(axis=2)).astype(np.float32))


def in_sizes(value: Tensor, which: Tensor, size: Tensor) -> Tensor:
    """Values in steps -> in usual sizes of their component; all (B, L, K, rows, columns)."""
    level = torch.arange(which.shape[1], device=which.device)[:, None, None, None]
    return (value / size[level, which]).clamp(-4, 4)


def spread(each: Tensor, which: Tensor, s: NetSettings) -> Tensor:
    """(B, L, K, rows, columns) -> (B, L M, rows, columns), 0 where nothing is published."""
    empty = each.new_zeros(which.shape[0], s.levels, s.atoms, *which.shape[-2:])
    return empty.scatter(2, which, each).flatten(1, 2)


def gather(maps: Tensor, which: Tensor, s: NetSettings) -> Tensor:
    """(B, L M, rows, columns) -> (B, L, K, rows, columns)."""
    return maps.reshape(len(maps), s.levels, s.atoms, *maps.shape[-2:]).gather(2, which)
