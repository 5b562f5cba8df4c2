"""Toy codes for attacks that learn: a small network, simulated films, decoys that are told at sight or not at all."""

from __future__ import annotations

import numpy as np
import torch

from medveil.attack.decode.base import CodeThreat
from medveil.core.sparse import CodePair, PublicCode, SparseLevel, Statistics
from medveil.nn.bottleneck import Bottleneck
from medveil.nn.settings import NetSettings

SIDE, DECOYS = 64, 3
SMALL = NetSettings(levels=2, atoms=16, nonzeros=3, window=4, stride=2, width=4)


def network() -> Bottleneck:
    torch.manual_seed(0)
    return Bottleneck(SMALL).eval().requires_grad_(False)


def statistics(pairs: list[CodePair]) -> Statistics:
    chosen = np.ones((SMALL.levels, SMALL.atoms), np.int64)
    values = np.ones((SMALL.levels, SMALL.atoms, 2 * SMALL.steps), np.int64)
    sites = sum(p.code.levels[0].sites for p in pairs)
    for pair in pairs:
        for n, (level, true) in enumerate(zip(pair.code.levels, pair.true, strict=True)):
            chosen[n] += np.bincount(level.support[true], minlength=SMALL.atoms)
            at = level.values[true].astype(int) + SMALL.steps
            np.add.at(values[n], (level.support[true], np.minimum(at, 2 * SMALL.steps - 1)), 1)
    return Statistics(chosen, values, sites)


def film(seed: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    """Shades, an edge and a texture, other ones for each seed; (H, W) float32 in [0, 1]."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 64
    a, b, c, d = draw.uniform(0.5, 3, 4)
    picture = 0.5 + 0.25 * np.sin(a * x + b * y**2) + 0.15 * (np.sin(4 * c * x + d) > 0.4)
    return (picture + 0.02 * np.sin(40 * x * y)).clip(0, 1).astype(np.float32)


def pair(net: Bottleneck, seed: int, told: bool, height: int = SIDE, width: int = SIDE) -> CodePair:
    """A code with decoys beside what it hides.

    Args:
        told: decoys are of 100 steps and so stand out; else nobody knows, as the components that are called true
            were drawn from those published.
    """
    draw = np.random.default_rng([seed, 1])
    picture = film(seed, height, width)
    with torch.inference_mode():
        kept = net.encode(torch.from_numpy(picture)[None, None])
    levels, true = [], []
    for chosen in kept:
        support, values = (a[0].T.numpy().astype(np.int64) for a in (chosen.support, chosen.steps))
        order = draw.permuted(np.tile(np.arange(SMALL.atoms), (len(support), 1)), axis=1)
        mine = (order[:, :, None] == support[:, None]).any(axis=2)
        others = order[~mine].reshape(len(support), -1)[:, :DECOYS]
        loud = 100 * draw.choice([-1, 1], others.shape)
        both, value = np.concatenate([support, others], 1), np.concatenate([values, loud], 1)
        mask = np.arange(both.shape[1]) < SMALL.nonzeros + np.zeros((len(both), 1), int)
        if not told:
            mask = draw.permuted(mask, axis=1)
        by = np.argsort(both, axis=1)
        both, value, mask = (np.take_along_axis(a, by, axis=1) for a in (both, value, mask))
        levels.append(SparseLevel(both.astype(np.uint16), value.astype(np.int16), SMALL.atoms))
        true.append(mask)
    return CodePair(
        PublicCode(tuple(levels), SMALL.nonzeros, height, width), tuple(true), picture, f"p{seed}"
    )


def threat(told: bool, count: int = 12) -> CodeThreat:
    net = network()
    pairs = [pair(net, seed, told) for seed in range(count)]
    return CodeThreat(net, statistics(pairs), pairs)


def auc(scores: np.ndarray, true: np.ndarray) -> float:
    from scipy.stats import mannwhitneyu

    hits, misses = scores[true], scores[~true]
    return float(mannwhitneyu(hits, misses).statistic) / len(hits) / len(misses)


def decibel(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(a - b).mean()))
