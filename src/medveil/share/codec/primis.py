"""codec.primis: the learned sparse code of the PRIMIS paper, each level entropy-coded.

    image ──0 .. 1──> network ──> at each site of each level: S_x of M components and their values
                                  ──entropy──> level 1, 2, ... L

Lossy: how close the image comes back is in the model's card (`medveil share info`). JPEG 2000 (`codec.jpeg2000`) needs
less for the same PSNR and gives the exact bits; this codec is for those who study sparse codes, or want a public
part that stays a tensor. A volume is coded slice by slice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.core.errors import InputRefused, Refusal, VerificationFailed
from medveil.core.image import Image
from medveil.io.models import model_of, read_model
from medveil.share.base import Layered, SparseLevel, Statistics
from medveil.share.codec.entropy import decode_level, encode_level
from medveil.share.codec.grid import Grid

if TYPE_CHECKING:
    from torch import Tensor

    from medveil.nn.weights import Model

VERSION = 1
PIXELS_AT_ONCE = 1 << 22
SMALLEST = 16


@dataclass(frozen=True)
class Primis:
    """Image <-> levels of a learned sparse code.

    Args:
        model: name of a model that comes with medveil, or path of a file that `medveil share train` wrote.

    Raises:
        UsageError: no such model.
        MissingPackage: the extra `learn` is not installed.
    """

    model: str = "films-16"

    name: ClassVar[str] = "codec.primis"
    summary: ClassVar[str] = "learned sparse codes after the PRIMIS paper, lossy"

    @staticmethod
    def of(settings: Mapping[str, Any], model: str | None = None) -> Primis:
        """The codec that opens a code: of the model given, or of the one that comes with medveil and made it.

        Raises:
            InputRefused: the code was made with another model.
        """
        digest = settings.get("model")
        if model is None:
            found = model_of(str(digest))
            made = Primis(found.card["name"]) if found else None
        else:
            made = Primis(model)
        if made is None or made._model.digest != digest:
            raise InputRefused(
                "code: was made with another model",
                hint="ask for its file and give it with --model",
            )
        return made

    @cached_property
    def _model(self) -> Model:
        return read_model(self.model)

    @cached_property
    def statistics(self) -> Statistics:
        """Of the model's training images."""
        counts = self._model.counts
        return Statistics(counts.chosen, counts.values, counts.sites)

    @property
    def card(self) -> Mapping[str, Any]:
        """The model card."""
        return self._model.card

    def encode(self, image: Image) -> Layered:
        """The image as levels.

        Raises:
            Refusal: labels, numbers that are not whole or span more than 16 bits, slices under 16 pixels a side.
        """
        levels = self.sparse(image)
        coded = (encode_level(level, self.statistics, index) for index, level in enumerate(levels))
        return Layered(self.name, self.settings(image), tuple(coded))

    def decode(self, layered: Layered) -> Image:
        """The image from its first levels.

        Raises:
            InputRefused: the code was made with another model.
            VerificationFailed: levels or settings are damaged, or not what this codec writes.
        """
        grid = self._grid(layered.settings)
        s = self._model.settings
        if layered.codec != self.name or not 1 <= len(layered.levels) <= s.levels:
            raise VerificationFailed("codec.primis: the code is not one of this codec")
        levels = [
            decode_level(data, self.statistics, index, sites=self._sites(grid), nonzeros=s.nonzeros)
            for index, data in enumerate(layered.levels)
        ]
        return self.render(levels, layered.settings)

    def settings(self, image: Image) -> dict[str, Any]:
        """What a decoder must know beside the levels: public, plain JSON."""
        return {"version": VERSION, "model": self._model.digest, **Grid.of(image).to_json()}

    def sparse(self, image: Image) -> list[SparseLevel]:
        """The levels before they are coded; sites in the order of slices, rows, columns.

        Raises:
            Refusal: as `encode`.
        """
        import torch

        net = self._model.net
        parts: list[list[SparseLevel]] = []
        with torch.inference_mode():
            for batch in self._batches(image):
                parts.append([self._level(c.support, c.steps) for c in net.encode(batch)])
        return [
            SparseLevel(
                np.concatenate([p.support for p in level]),
                np.concatenate([p.values for p in level]),
                level[0].atoms,
            )
            for level in zip(*parts, strict=True)
        ]

    def render(self, levels: Sequence[SparseLevel], settings: Mapping[str, Any]) -> Image:
        """The image from the first levels, of the dtype of the source; of published levels what anyone sees.

        Raises:
            InputRefused: the code was made with another model.
            VerificationFailed: settings or levels that do not fit.
        """
        import torch

        grid = self._grid(settings)
        if any(level.sites != self._sites(grid) for level in levels):
            raise VerificationFailed("codec.primis: the levels are not of an image of this size")
        out = np.zeros(grid.shape, grid.dtype)
        planes = list(grid.planes(out))
        height, width = planes[0].shape
        step = self._at_once(height, width)
        with torch.inference_mode():
            for first in range(0, len(planes), step):
                some = planes[first : first + step]
                codes = [self._dense(level, first, len(some), len(planes)) for level in levels]
                pictures = self._model.net.decode(codes, height, width)[:, 0].clamp(0, 1).numpy()
                for plane, picture in zip(some, pictures, strict=True):
                    plane[...] = grid.scale.from_unit(picture, grid.dtype)
        return grid.image(out)

    def describe(self) -> str:
        """In words what will be done."""
        s = self._model.settings
        return (
            f"learned sparse codes ({s.variant}, model {self.model}): {s.levels} levels, {s.nonzeros} of {s.atoms} "
            f"components at each site, one site every {s.pitch} pixels"
        )

    def _grid(self, settings: Mapping[str, Any]) -> Grid:
        if settings.get("model") != self._model.digest:
            raise InputRefused("code: was made with another model", hint="ask for its file, and give --model")
        if settings.get("version") != VERSION:
            raise VerificationFailed("codec.primis: settings are not what this codec writes")
        grid = Grid.read(settings, self.name)
        if grid.kind == "labels" or grid.colour:
            raise VerificationFailed("codec.primis: settings are not what this codec writes")
        return grid

    def _sites(self, grid: Grid) -> int:
        height, width = next(grid.planes(np.broadcast_to(np.int8(0), grid.shape))).shape
        rows, cols = self._model.settings.sites(height, width)
        return grid.slices * rows * cols

    def _batches(self, image: Image) -> Iterator[Tensor]:
        import torch

        grid = Grid.of(image)
        if grid.kind == "labels":
            raise Refusal(
                "labels cannot be blurred", "a lossy code would invent labels", hint="use codec.jpeg2000"
            )
        if grid.colour:
            raise Refusal("colour is not coded", "the networks know grey only", hint="use codec.jpeg2000")
        planes = list(grid.planes(image.data))
        height, width = planes[0].shape
        if min(height, width) < SMALLEST:
            raise Refusal("too small a slice", f"expected at least {SMALLEST} x {SMALLEST} pixels")
        step = self._at_once(height, width)
        for first in range(0, len(planes), step):
            some = np.stack([grid.scale.to_unit(plane) for plane in planes[first : first + step]])
            yield torch.from_numpy(some)[:, None]

    def _level(self, support: Tensor, steps: Tensor) -> SparseLevel:
        """(B, S_x, sites) each -> rows of sites."""
        rows = support.transpose(1, 2).flatten(0, 1).numpy().astype(np.uint16)
        return SparseLevel(rows, steps.transpose(1, 2).flatten(0, 1).numpy(), self._model.settings.atoms)

    def _dense(self, level: SparseLevel, first: int, count: int, planes: int) -> Tensor:
        """Sites of some planes -> (B, M, sites)."""
        import torch

        from medveil.nn.sparsify import spread

        def part(rows: npt.NDArray[Any]) -> Tensor:
            some = rows.reshape(planes, -1, level.nonzeros)[first : first + count]
            return torch.from_numpy(some.astype(np.int32)).transpose(1, 2)

        return spread(part(level.support), part(level.values), self._model.settings)

    def _at_once(self, height: int, width: int) -> int:
        return max(1, PIXELS_AT_ONCE // (height * width))
