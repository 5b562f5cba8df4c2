"""The values that flow through share, and the protocol that makes codecs exchangeable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.sparse import SparseLevel, Statistics


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


__all__ = ["Codec", "Layered", "SparseLevel", "Statistics"]


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
