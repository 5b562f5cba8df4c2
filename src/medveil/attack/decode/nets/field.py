"""Field: what a public code says of the picture's components, and how likely each published one is then true.

    published values ──chances──> how large components are around each site, by frequency ──┐
          ^                                                                                 ├──> chances, S_x a site
          └── picture of the chances ──how it would be smoother──> expected values ─────────┘

Four things tell true components from decoys, and none needs other people's films:

    size       where the picture is busy all components are large, and neighbours in space and frequency alike: a decoy
               is drawn without looking at its neighbours (a scale mixture; Portilla et al., IEEE Trans. Image Process. 12, 2003)
    order      the true ones are the S_x largest of all M; a level of a progressive code holds what comes after the
               S_x largest of the level below, so a component is true on one level at most
    picture    a picture is smooth but for edges: each component is expected near the value that makes the picture of the others
               smoothest (total variation; Rudin, Osher & Fatemi, Physica D 60, 1992, as weighted least squares)
    decoys     the program that draws them is public: where it repeats the image's own values, a value that stands
               nowhere else was not drawn

Chances start at how often the model chooses a component and are refined together, a few rounds (mean field).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from medveil.core.errors import UsageError
from medveil.core.sparse import PublicCode
from medveil.nn.sparsify import dequantise

if TYPE_CHECKING:
    from medveil.attack.decode.base import CodeThreat
    from medveil.nn.bottleneck import Bottleneck, Pair

NEVER = -1e9
SLACK = 0.35  # of log size, by which the S_x largest and the others overlap
SPREAD = 0.8  # of log size between places of one picture, and between pictures
MOST = 4.0  # log odds that size, or picture, may add: decoys that are far off would else persuade their neighbours
EDGE = 0.01  # gradient above which total variation takes a step for an edge


class Field:
    """The published components of one code as dense arrays (L, M, sites), and their chances.

    Args:
        code: public.
        threat: of its means the network and the statistics are used.
        shapes: of its network.
        copied: how much more decoys are drawn from the image's own values than from the model's.
        smoothness: weight of what makes the picture smoother; 0 looks at no picture.
    """

    def __init__(
        self, code: PublicCode, threat: CodeThreat, shapes: Shapes, *, copied: float, smoothness: float
    ) -> None:
        self.code, self.net, self.shapes = code, threat.net, shapes
        self.copied, self.smoothness = copied, smoothness
        s = self.s = threat.net.settings
        self.rows, self.cols = s.sites(code.height, code.width)
        self.sites = self.rows * self.cols
        self.steps = torch.zeros(s.levels, s.atoms, self.sites)
        for dense, level in zip(self.steps, code.levels, strict=True):
            at, steps = (torch.from_numpy(a.T.astype(np.int64)) for a in (level.support, level.values))
            dense.scatter_(0, at, steps.float())
        self.published = self.steps != 0
        self.values = dequantise(self.steps, s)
        self.size = self.values.abs().clamp(min=s.step / 2)
        self.alone = s.variant == "progressive"  # a component is true on one level at most
        self._count(threat)
        self.near = shapes.near[:1] if self.alone else shapes.near
        self.chances = self._fair(torch.where(self.published, self.rest_prior, NEVER))

    def _count(self, threat: CodeThreat) -> None:
        """What the model's training images say: how often, how large, with what values."""
        s, counts = self.s, torch.from_numpy(threat.statistics.values).float()
        sites = max(threat.statistics.sites, 1)
        self.once = 1 / sites
        self.rate = (counts.sum(2) / sites).clamp(1e-5, 1 - 1e-3)[..., None]  # (L, M, 1)
        sizes = (torch.arange(s.steps) * s.step).clamp(min=s.step / 2)
        sizes = torch.cat([sizes.flip(0), sizes])
        index = torch.where(self.steps > 0, self.steps + s.steps - 1, self.steps + s.steps).long()
        self.symbol = index.clamp(0, 2 * s.steps - 1)
        self.seen = (counts / sites).gather(2, self.symbol)
        every = counts.sum(1)
        self.any = (
            (every / every.sum(1, keepdim=True)).gather(1, self.symbol.flatten(1)).reshape_as(self.seen)
        )
        kept = (counts * sizes).sum(2) / sites
        chosen = counts.sum(2) / sites
        if self.alone:
            kept, chosen = kept.sum(0, keepdim=True), chosen.sum(0, keepdim=True)
        least = (counts[-1] * sizes).sum() / counts[-1].sum().clamp(min=1)
        self.usual = (kept + (1 - chosen).clamp(min=0) * least / 8)[
            ..., None
        ]  # (1 or L, M, 1) mean magnitude
        self.rest = (1 - chosen).clamp(1e-3)[..., None].log()  # log chance that it is chosen on no level
        self.rest_prior = (self.rate.log() - self.rest).expand_as(self.values)
        scales = torch.linspace(-2, 2, 9)
        weights = torch.log_softmax(-scales.square() / 2, 0)
        parts, rests = [], []
        for scale, weight in zip((scales * SPREAD).exp(), weights, strict=True):
            b = self.usual * scale
            fit, none = self._sized(b, self._bounds(b))
            parts.append(fit + weight)
            rests.append(none + weight)
        self.usual_fit, self.usual_rest = (torch.logsumexp(torch.stack(p), 0) for p in (parts, rests))

    def _bounds(self, b: Tensor) -> Tensor:
        """(L, sites): the magnitude that the components of a level exceed, where each has the mean magnitude b."""
        out = []
        for level in range(self.s.levels):
            one, more = (b[0], level + 1) if self.alone else (b[level], 1)
            low, high = torch.full(one.shape[1:], 1e-4), torch.full(one.shape[1:], 3.0)
            for _ in range(14):
                middle = (low * high).sqrt()
                many = torch.exp(-middle / one).sum(0) > self.code.nonzeros * more
                low, high = torch.where(many, middle, low), torch.where(many, high, middle)
            out.append((low * high).sqrt())
        return torch.stack(out)

    def _sized(self, b: Tensor, bounds: Tensor) -> tuple[Tensor, Tensor]:
        """Log likelihood of each value as a true one, and of being smaller than any that is published as true."""
        step = self.s.step
        fit = -(2 * b).log() - self.size / b
        fit = fit + F.logsigmoid(((self.size + step / 2).log() - bounds[:, None].log()) / SLACK)
        if self.alone:
            above = F.logsigmoid((bounds[:-1, None].log() - (self.size[1:] - step / 4).log()) / SLACK)
            fit = torch.cat([fit[:1], fit[1:] + above])
            bounds = bounds[-1:]
        return fit, torch.log1p(-torch.exp(-bounds[:, None] / b) + 1e-6)

    def step(self, share: float, weight: float) -> None:
        """One round: chances move by `share` towards what all others say; the picture counts by `weight`."""
        b = self._local()
        fit, none = self._sized(b, self._bounds(b))
        true = (self.seen + (self.any + 1e-6) * self.once).log() + (fit - self.usual_fit).clamp(max=MOST)
        odds = true - self._decoy() - (self.rest + none - self.usual_rest)
        if self.smoothness and weight:
            odds = odds + weight * self._smoother().clamp(max=MOST)
        odds = torch.where(self.published, odds, NEVER)
        self.chances = (1 - share) * self.chances + share * self._fair(odds)

    def _local(self) -> Tensor:
        """(1 or L, M, sites): expected magnitude at a site, from others around it in space and frequency."""
        p, size = (
            self.chances,
            self.size.minimum(self.usual * float(np.exp(3 * SPREAD))),
        )  # one that is far off says little
        if self.alone:
            total = p.sum(0, keepdim=True)
            mean = (p * size).sum(0, keepdim=True) / total.clamp(min=1)
        else:
            total, mean = p, p * size
        mean = mean + (1 - total).clamp(min=0) * self.usual.clamp(max=self.s.step) / 2
        usual = self.usual.expand_as(mean)
        more = (self._around(mean) + self.usual) / (self._around(usual) + self.usual)
        return self.usual * more.clamp(max=float(np.exp(2 * SPREAD)))

    def _around(self, x: Tensor) -> Tensor:
        """Sum over neighbours, all but the component itself."""
        kernel = torch.tensor([[0.5, 1, 0.5], [1, 0, 1], [0.5, 1, 0.5]])[None, None]
        grid = x.reshape(-1, 1, self.rows, self.cols)
        beside = F.conv2d(grid, kernel, padding=1).reshape_as(x)
        own = torch.eye(self.s.atoms)
        return self.near @ beside + 0.6 * (self.near * (1 - own)) @ x

    def _decoy(self) -> Tensor:
        """(L, M, sites): log chance of what is published, were the component a decoy, less that were it true.

        Without the value's own chance as a true one. A true value is drawn again and again for decoys elsewhere.
        """
        n, p, here = self.sites, self.chances, self.published.float()

        def alike(x: Tensor) -> Tensor:
            """Sum over the other sites where the component has the same value."""
            sums = torch.zeros(*p.shape[:2], 2 * self.s.steps).scatter_add_(2, self.symbol, x)
            return (sums.gather(2, self.symbol) - x).clamp(min=0)

        def others(x: Tensor) -> Tensor:
            return (x.sum(2, keepdim=True) - x).clamp(min=0)

        same, model = alike(p), self.seen * n + self.any + 1e-5
        weight = self.copied * others(p) + self.rate * n + 1
        value = (self.copied * same + model).log() - weight.log()
        again = (alike(here) - same) * (
            (self.copied * (same + 1) + model) / (self.copied * same + model)
        ).log()
        log = value - again + others(here - p) * ((weight + self.copied) / weight).log()
        decoys = self.code.decoys
        if decoys >= self.s.atoms - self.code.nonzeros:
            return log
        often = ((weight - 1) / ((self.copied + 1) * n)).clamp(1e-6, 1 - 1e-4)
        pace = -torch.log1p(-often)
        low, high = (torch.full((p.shape[0], 1, n), x) for x in (1e-4, 1e5))
        for _ in range(16):
            middle = (low * high).sqrt()
            few = ((1 - torch.exp(-middle * pace)) * (1 - often)).sum(1, keepdim=True) < decoys
            low, high = torch.where(few, middle, low), torch.where(few, high, middle)
        return log + (1 - torch.exp(-middle * pace) + 1e-9).log()

    def _smoother(self) -> Tensor:
        """(L, M, sites): log odds from the value that would make the picture of all others smoothest."""
        codes = (self.chances * self.values)[:, None].requires_grad_(True)
        with torch.enable_grad():
            picture = self.net.decode(list(codes.unbind(0)), self.code.height, self.code.width)
            across, down = gradient(picture)
            weight = 1 / (across.square() + down.square() + EDGE**2).sqrt().detach()
            energy = (weight * (across.square() + down.square())).sum() / 2
            slope = torch.autograd.grad(energy, codes)[0][:, 0]
        side, pitch = 4 * self.s.window, self.s.pitch
        filled = F.pad(weight, (0, -self.code.width % pitch, 0, -self.code.height % pitch), mode="replicate")
        local = F.avg_pool2d(filled, side, pitch, padding=self.s.margin, count_include_pad=False)
        local = local.flatten()[: self.sites]
        stiff = self.shapes.bend[..., None] * self._inside() * local  # (L, M, sites)
        expected = (self.chances * self.values * stiff - slope.detach()) / stiff.clamp(min=1e-6)
        return self._told_by(expected)

    def _told_by(self, expected: Tensor) -> Tensor:
        """How much an expected value tells is measured on the code: decoys agree with it by chance alone."""
        here = self.published.float()
        p, v = self.chances, self.values
        agree = (here * v * expected).sum(2, keepdim=True)
        power = (p * expected.square()).sum(2, keepdim=True)
        slope = self._pooled(agree) / self._pooled(power).clamp(min=1e-9)
        mean = slope.clamp(0, 1) * expected
        spread = self._pooled((p * v.square()).sum(2, keepdim=True)) / self._pooled(
            p.sum(2, keepdim=True)
        ).clamp(min=1e-6)
        told = (
            slope.clamp(0, 1) ** 2
            * self._pooled(power)
            / self._pooled(p.sum(2, keepdim=True)).clamp(min=1e-6)
        )
        left = (spread - told).clamp(min=0.05 * spread) + (self.s.step / 2) ** 2
        spread = spread + (self.s.step / 2) ** 2
        b, b0 = left.div(2).sqrt(), spread.div(2).sqrt()
        return self.smoothness * (-(v - mean).abs() / b - b.log() + v.abs() / b0 + b0.log())

    def _pooled(self, x: Tensor) -> Tensor:
        """Over components of like frequency."""
        return self.near @ x

    def _fair(self, odds: Tensor) -> Tensor:
        """Chances of log odds: S_x in all at each site of a level, on one level at most where that holds."""
        tilt = torch.zeros(odds.shape[0], 1, self.sites)
        goal = float(np.log(self.code.nonzeros))
        for _ in range(12):
            z = odds + tilt
            all_ = torch.logsumexp(z, 0, keepdim=True) if self.alone else z
            p = (z - F.softplus(all_)).exp()
            tilt = tilt + 1.2 * (goal - (p.sum(1, keepdim=True) + 1e-9).log()).clamp(-3, 3)
        return p

    def _inside(self) -> Tensor:
        """(sites,) share of a site's window that lies within the picture."""
        edge, size = self.s.window // self.s.stride, (self.rows, self.cols)
        parts = [
            torch.minimum(torch.arange(1, n + 1), torch.arange(n, 0, -1)).clamp(max=edge) / edge for n in size
        ]
        return (parts[0][:, None] * parts[1]).flatten()


def gradient(picture: Tensor) -> tuple[Tensor, Tensor]:
    """Differences to the next column and the next row; 0 at the end."""
    return F.pad(picture.diff(dim=-1), (0, 1)), F.pad(picture.diff(dim=-2), (0, 0, 0, 1))


@dataclass(frozen=True, eq=False)
class Shapes:
    """What the components of a network look like, one site of each.

    Args:
        near: (L, M, M) how alike their frequencies are, 0 to 1.
        bend: (L, M) energy of the gradient of each.
    """

    near: Tensor
    bend: Tensor

    @staticmethod
    def of(net: Bottleneck) -> Shapes:
        """Each component alone is decoded in the middle of a black square."""
        s = net.settings
        side, half = 4 * s.pitch, 2 * s.pitch
        rows, cols = s.sites(side, side)
        joint = s.variant == "paper"
        near, bend = [], []
        for level in range(s.levels):
            pair, place = cast("Pair", net.pairs[0 if joint else level]), level if joint else 0
            code = torch.zeros(s.atoms, s.levels if joint else 1, s.atoms, rows * cols)
            with torch.inference_mode():
                ground = pair.decode(code[:1], side, side)
                code[torch.arange(s.atoms), place, torch.arange(s.atoms), rows // 2 * cols + cols // 2] = 0.1
                atoms = (pair.decode(code, side, side) - ground)[:, 0] * 10
            if s.variant == "independent":
                atoms = atoms / s.levels
            across, down = gradient(atoms)
            bend.append((across.square() + down.square()).sum((1, 2)).clamp(min=1e-6))
            power = torch.fft.rfft2(atoms).abs().square()
            power[:, 1:half] += power[:, half + 1 :].flip(1)  # up and down alike
            power = F.avg_pool2d(power[:, None, : half + 1], 3, 2, 1).flatten(1)
            power = power / power.norm(dim=1, keepdim=True).clamp(min=1e-9)
            near.append((power @ power.T).square())
        return Shapes(torch.stack(near), torch.stack(bend))


def fits(codes: Sequence[PublicCode], threat: CodeThreat) -> None:
    """Raises UsageError unless the codes have all levels and the sites of this network's."""
    s = threat.net.settings
    for code in codes:
        rows, cols = s.sites(code.height, code.width)
        if len(code.levels) != s.levels or any(level.sites != rows * cols for level in code.levels):
            raise UsageError(
                "decode: the code is not one of the attacker's network",
                hint="a single picture with all its levels is expected",
            )
