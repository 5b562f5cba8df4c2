"""Sparse codes: the values that share writes and attack reads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class SparseLevel:
    """One level of a sparse code: at every site the same number of non-zero components.

    Args:
        support: (sites, S_x) uint16, indices of the components, ascending at each site, below `atoms`.
        values: (sites, S_x) int16, the quantised values in steps; never 0.
        atoms: M, how many components a site has in all.
    """

    support: npt.NDArray[np.uint16]
    values: npt.NDArray[np.int16]
    atoms: int

    @property
    def sites(self) -> int:
        """How many sites the level has."""
        return int(self.support.shape[0])

    @property
    def nonzeros(self) -> int:
        """S_x, or S_x + S_n where decoys were added."""
        return int(self.support.shape[1])


@dataclass(frozen=True, eq=False)
class Statistics:
    """How often components of each level are chosen and what values they take, counted on training images.

    The entropy coder takes its model from here and the decoys their distribution.

    Args:
        chosen: (L, M) int64, at how many sites component m of level l is among the S_x.
        values: (L, M, 2 Q) int64, how often its quantised value is -Q .. -1, 1 .. Q, in this order.
        sites: number of sites that were counted, of each level.
    """

    chosen: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    sites: int


@dataclass(frozen=True, eq=False, repr=False)
class PublicCode:
    """What anybody sees of an obfuscated image.

    Args:
        levels: the published components of each level, true ones and decoys, the coarsest first.
        nonzeros: S_x, how many of them are true at each site; it stands in the header.
        height, width: of the picture, pixels.
    """

    levels: tuple[SparseLevel, ...]
    nonzeros: int
    height: int
    width: int

    @property
    def decoys(self) -> int:
        """S_n, decoys at each site."""
        return self.levels[0].nonzeros - self.nonzeros

    def __repr__(self) -> str:
        return f"PublicCode({self.height}x{self.width}, {len(self.levels)} levels, S_x={self.nonzeros}, S_n={self.decoys})"


@dataclass(frozen=True, eq=False, repr=False)
class CodePair:
    """A code together with what it hides: what an attacker who learns from examples holds of other people.

    Args:
        code: as anybody sees it.
        true: of each level (sites, S_x + S_n) bool, which published components are true; S_x of them at each site.
        picture: (height, width) float32 in [0, 1], the original.
        group: whose it is.
    """

    code: PublicCode
    true: tuple[npt.NDArray[np.bool_], ...]
    picture: npt.NDArray[np.float32]
    group: str = ""
