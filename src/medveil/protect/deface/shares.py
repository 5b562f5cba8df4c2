"""Shares: which labels of a face a point lies between, without a word about how bright they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from medveil.core.image import Array
from medveil.locate.grid import Vector, Volume
from medveil.protect.deface.faces import Face, Labels


@dataclass(frozen=True, eq=False, repr=False)
class Shares:
    """Linear interpolation of labels: eight neighbours of each point and how much each counts, then the coats.

    Args:
        labels, weights: (N, 8 + coats); the weights of a point add up to 1.
    """

    labels: Labels
    weights: Volume

    def levels(self, table: Array) -> Volume:
        """(N,) grey levels if each label has that of the table (L,)."""
        return np.asarray((table[self.labels] * self.weights).sum(1), dtype=np.float32)

    def matrix(self, labels: int) -> Volume:
        """(N, L) the share of each label."""
        n = len(self.labels)
        cell = np.arange(n)[:, None] * labels + self.labels
        out = np.bincount(cell.ravel(), self.weights.ravel(), minlength=n * labels)
        return np.asarray(out.reshape(n, labels), dtype=np.float32)


def shares(face: Face, at: Vector, outward_mm: Volume, blur_mm: float) -> Shares:
    """The labels around points of a face.

    Args:
        at: (N, 3) fractional indices; outward_mm: (N,) of the skin, for the coats under it.
        blur_mm: standard deviation with which a scanner mixes the coats.
    """
    at = np.clip(at, 0, np.array(face.labels.shape) - 1.001)
    low = at.astype(np.int64)
    part = (at - low).astype(np.float32)
    n = 8 + len(face.coats)
    found: Labels = np.empty((len(at), n), dtype=np.uint8)
    weights = np.empty((len(at), n), dtype=np.float32)
    for corner in range(8):
        step = np.array([corner >> axis & 1 for axis in range(3)])
        found[:, corner] = face.labels[tuple((low + step).T)]
        weights[:, corner] = np.where(step, part, 1 - part).prod(1)
    above = np.zeros(len(at), dtype=np.float32)
    for column, (label, lower_mm) in enumerate(face.coats, start=8):
        down_to = 1 - filled(outward_mm + np.float32(lower_mm), blur_mm)
        found[:, column], weights[:, column] = label, down_to - above
        above = down_to
    weights[:, :8] *= 1 - above[:, None]
    return Shares(found, weights)


def filled(outward_mm: Volume, blur_mm: float) -> Volume:
    """(N,) share of a voxel that lies under a surface, after the blur of a scanner."""
    return np.asarray(ndtr(outward_mm * np.float32(-1 / blur_mm)), dtype=np.float32)
