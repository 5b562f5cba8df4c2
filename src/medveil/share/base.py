"""The values that flow through share, and the protocol that makes codecs exchangeable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError
from medveil.core.image import Image


@dataclass(frozen=True)
class Layered:
    """An image as a stack of levels: a decoder takes the first one, two, ... of them, and more give more.

    Args:
        codec: public name of the codec that made it.
        settings: what a decoder must know beside the levels (geometry, dtype, model); plain JSON, the same for
            every level, and public: nothing of a person's goes in here.
        levels: bytes of each level, the coarsest first.
    """

    codec: str
    settings: Mapping[str, Any]
    levels: tuple[bytes, ...]

    def up_to(self, level: int) -> Layered:
        """The same image with its first levels only.

        Raises:
            UsageError: it has no such level.
        """
        if not 1 <= level <= len(self.levels):
            raise UsageError(f"level: {level} is asked for, the code has 1 to {len(self.levels)}")
        return Layered(self.codec, self.settings, self.levels[:level])

    def __repr__(self) -> str:
        return f"Layered({self.codec}, {len(self.levels)} levels, {sum(map(len, self.levels))} bytes)"


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


@runtime_checkable
class Codec(Protocol):
    """Image <-> levels. A frozen dataclass in a file of its own; fields are its settings."""

    name: ClassVar[str]
    summary: ClassVar[str]

    def encode(self, image: Image) -> Layered:
        """The image as levels."""
        ...

    def decode(self, layered: Layered) -> Image:
        """The image from as many levels as are given.

        Raises:
            VerificationFailed: the bytes are not what this codec writes.
        """
        ...

    def describe(self) -> str:
        """In words what will be done."""
        ...
