"""Two small networks and how they are trained: enough to see what a change costs, in minutes on two cores.

    Classifier   image ─[conv 3, stride 2, norm, ReLU]─ x depth ──mean over pixels──linear──> one number a class

    UNet         image ─ double ──────────────skip─────────────── double ─ conv 1 ──> one number a pixel
                          │ halve                                   ↑ enlarge
                          └─ double ───────── skip ──────── double ─┘
                               └─ ...  depth times  ... ─┘

In 2D or 3D, any size. Source of the second: Ronneberger, Fischer & Brox, U-Net (MICCAI 2015), narrower, with group
norms instead of none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medveil.measure.utility.before_after import Images
from medveil.nn.fit import FitSettings, fit

SHIFT = 1 / 16  # of a side: images are moved by up to this much while a network learns
AT_ONCE = 32
GROUPS = 4


@dataclass(frozen=True)
class NetTraining:
    """How a network of this file is trained.

    Args:
        steps, rate: of the optimiser, see `nn.fit`.
        batch: images a step.
        width: channels of the first layer, a multiple of 4.
        depth: how often the image is halved.
        accelerator: as Lightning Fabric takes it.
    """

    steps: int = 300
    rate: float = 2e-3
    batch: int = 16
    width: int = 16
    depth: int = 4
    accelerator: str = "cpu"


class Classifier(nn.Module):
    """(B, 1, ...) in [0, 1] -> (B, classes) logits."""

    def __init__(self, dims: int, classes: int, width: int, depth: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inside = 1
        for level in range(depth):
            outside = width * 2 ** min(level, 3)
            layers += [*_layer(dims, inside, outside, stride=2)]
            inside = outside
        self.layers = nn.Sequential(*layers)
        self.last = nn.Linear(inside, classes)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(self.layers(2 * x - 1).flatten(2).mean(dim=2))
        return out


class UNet(nn.Module):
    """(B, 1, ...) in [0, 1] -> (B, 1, ...) logits."""

    def __init__(self, dims: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(_double(dims, a, b) for a, b in zip([1, *widths[:-1]], widths, strict=True))
        self.up = nn.ModuleList(_double(dims, a + b, a) for a, b in pairwise(widths))
        self.halve = (nn.MaxPool2d if dims == 2 else nn.MaxPool3d)(2, ceil_mode=True)
        self.last = (nn.Conv2d if dims == 2 else nn.Conv3d)(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = 2 * x - 1
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else self.halve(x))
            skips.append(x)
        for skip, block in zip(skips[-2::-1], list(self.up)[::-1], strict=True):
            x = block(torch.cat([skip, F.interpolate(x, size=skip.shape[2:])], dim=1))
        out: Tensor = self.last(x)
        return out


def trained_classifier(
    images: Images, labels: npt.NDArray[np.int64], classes: int, how: NetTraining, seed: int
) -> Callable[[Images], npt.NDArray[np.float64]]:
    """A function from (N, ...) images to (N, classes) probabilities; every class is drawn equally often."""
    counts = np.bincount(labels, minlength=classes)
    net = _trained(
        lambda: Classifier(images.ndim - 1, classes, how.width, how.depth),
        lambda out, target: F.cross_entropy(out, target[:, 0].long()),
        images,
        labels[:, None].astype(np.float32),
        1.0 / counts[labels],
        how,
        seed,
    )
    return lambda some: _applied(net, some, lambda out: out.double().softmax(dim=1))


def trained_segmenter(
    images: Images, masks: npt.NDArray[np.bool_], how: NetTraining, seed: int
) -> Callable[[Images], npt.NDArray[np.bool_]]:
    """A function from (N, ...) images to (N, ...) masks, after cross-entropy plus soft Dice."""
    net = _trained(
        lambda: UNet(images.ndim - 1, how.width, how.depth),
        lambda out, target: F.binary_cross_entropy_with_logits(out, target) + soft_dice_loss(out, target),
        images,
        masks[:, None].astype(np.float32),
        np.ones(len(images)),
        how,
        seed,
    )
    return lambda some: _applied(net, some, lambda out: out[:, 0] > 0)


def soft_dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 - Dice of probabilities, mean over the batch."""
    p, t = logits.sigmoid().flatten(1), target.flatten(1)
    return (1 - (2 * (p * t).sum(1) + 1) / (p.sum(1) + t.sum(1) + 1)).mean()


def _trained(
    build: Callable[[], nn.Module],
    loss: Callable[[Tensor, Tensor], Tensor],
    images: Images,
    target: npt.NDArray[np.float32],
    weights: npt.NDArray[np.float64],
    how: NetTraining,
    seed: int,
) -> nn.Module:
    """Train a new network; batch and first weights depend on the seed alone.

    Args:
        loss: of the network's output and the target, a scalar.
        target: (N, C) or (N, C, ...) floats; what has pixels is moved with its image.
        weights: (N,) how readily each image is drawn, up to a factor.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = build()
    x, y = torch.from_numpy(images[:, None]), torch.from_numpy(target)
    chances = weights / weights.sum()
    margins = [max(1, round(side * SHIFT)) for side in images.shape[1:]]

    def batch(step: int) -> Tensor:
        # (B, 1 + dims): which image, and how far this batch is moved
        draw = np.random.default_rng([seed, step])
        which = draw.choice(len(images), how.batch, p=chances)
        moved = [int(draw.integers(2 * m + 1)) for m in margins]
        return torch.tensor([[int(w), *moved] for w in which])

    def loss_of(one: nn.Module, drawn: Tensor) -> Tensor:
        which, moved = drawn[:, 0].cpu(), drawn[0, 1:].tolist()
        goal = y[which]
        goal = _moved(goal, moved, margins) if goal.ndim > 2 else goal
        picture = _moved(x[which], moved, margins)
        return loss(one(picture.to(drawn.device)), goal.to(drawn.device))

    settings = FitSettings(how.steps, how.rate, warm_up=min(50, how.steps // 4), every=how.steps)
    # Nothing is chosen by a figure on held-out data, so there is none to look at.
    fit(net, loss_of, batch, lambda _: math.nan, settings, accelerator=how.accelerator)
    return net.eval()


def _moved(x: Tensor, moved: list[int], margins: list[int]) -> Tensor:
    """(B, C, ...) cut out of itself, enlarged at its borders by their own values."""
    pad = [m for margin in reversed(margins) for m in (margin, margin)]
    x = F.pad(x, pad, mode="replicate")
    for axis, (first, margin) in enumerate(zip(moved, margins, strict=True), start=2):
        x = x.narrow(axis, first, x.shape[axis] - 2 * margin)
    return x


def _applied(net: nn.Module, images: Images, end: Callable[[Tensor], Tensor]) -> npt.NDArray[Any]:
    device = next(net.parameters()).device
    with torch.inference_mode():
        parts = [
            end(net(torch.from_numpy(images[first : first + AT_ONCE, None]).to(device))).cpu()
            for first in range(0, len(images), AT_ONCE)
        ]
    out: npt.NDArray[Any] = torch.cat(parts).numpy()
    return out


def _layer(dims: int, inside: int, outside: int, stride: int = 1) -> tuple[nn.Module, ...]:
    conv = (nn.Conv2d if dims == 2 else nn.Conv3d)(inside, outside, 3, stride, padding=1, bias=False)
    return conv, nn.GroupNorm(GROUPS, outside), nn.ReLU()


def _double(dims: int, inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(*_layer(dims, inside, outside), *_layer(dims, outside, outside))
