"""Codecs: the one that a plan or a code names, and what stands in a code's settings beside the codec's own."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from math import prod
from typing import TYPE_CHECKING, Any, Literal, get_args

from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.core.image import Array, Image
from medveil.io.display import Display
from medveil.share.base import Layered
from medveil.share.container import Header

if TYPE_CHECKING:
    from medveil.share.codec.jpeg2000 import Jpeg2000
    from medveil.share.codec.primis import Primis

CodecName = Literal["jpeg2000", "primis"]
DISPLAY = "display"  # what a viewer needs, in the settings of every code
OURS = (DISPLAY, "sparse")  # entries of the settings that no codec knows
LOSS_METHODS = {"codec.jpeg2000": "ISO_15444_1", "codec.primis": "PRIMIS"}  # for (0028,2114)


def encoder(name: str, model: str | None) -> Jpeg2000 | Primis:
    """The codec to encode with.

    Raises:
        UsageError: no such codec or model, or a model for a codec without one.
        MissingPackage: the extra `learn` is not installed.
    """
    if name not in get_args(CodecName):
        raise UsageError(f"codec: expected {' or '.join(get_args(CodecName))}")
    if name == "primis":
        _need_learn()
        from medveil.share.codec.primis import Primis

        return Primis() if model is None else Primis(model)
    if model is not None:
        raise UsageError("model: jpeg2000 has none", hint="leave --model out, or take --codec primis")
    from medveil.share.codec.jpeg2000 import Jpeg2000

    return Jpeg2000()


def decoder(header: Header, model: str | None) -> Jpeg2000 | Primis:
    """The codec that reads a code.

    Raises:
        InputRefused: this medveil has no such codec, or the code was made with another model.
        MissingPackage: the extra `learn` is not installed.
    """
    if header.codec == "codec.jpeg2000":
        return encoder("jpeg2000", model)
    if header.codec != "codec.primis":
        raise InputRefused(
            "code: is of a codec that this medveil does not have", hint="install a newer medveil"
        )
    _need_learn()
    from medveil.share.codec.primis import Primis

    return Primis.of(header.settings, model)


def levels_of(codec: Jpeg2000 | Primis) -> int:
    """How many levels a codec makes of an image."""
    if codec.name == "codec.jpeg2000":
        return len(codec.levels_db) + 1  # type: ignore[union-attr]
    return len(codec.statistics.chosen)  # type: ignore[union-attr]


def with_display(settings: Mapping[str, Any], display: Display) -> dict[str, Any]:
    """A codec's settings and, beside them, what a viewer needs."""
    return {**settings, DISPLAY: display.said()}


def bare(layered: Layered) -> Layered:
    """The levels with the codec's own settings only."""
    own = {name: value for name, value in layered.settings.items() if name not in OURS}
    return Layered(layered.codec, own, layered.levels)


def display_of(settings: Mapping[str, Any]) -> Display:
    """What a viewer needs, of a code's settings.

    Raises:
        InputRefused: it does not stand there.
    """
    said = settings.get(DISPLAY)
    if not isinstance(said, Mapping):
        raise InputRefused("code: does not say how the image is to be shown")
    return Display.of(said)


def shape_of(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Shape of the image, of a code's settings.

    Raises:
        InputRefused: it does not stand there.
    """
    shape = settings.get("shape")
    if (
        not isinstance(shape, list)
        or not 2 <= len(shape) <= 4
        or any(type(n) is not int or n < 1 for n in shape)
    ):
        raise InputRefused("code: does not say how large the image is")
    return tuple(shape)


def bpp(size: int, settings: Mapping[str, Any]) -> float:
    """Bits per pixel (of a volume: per voxel) of so many bytes."""
    return 8 * size / prod(shape_of(settings))


def psnr_db(image: Image, other: Array) -> float | None:
    """PSNR in dB against the largest minus the smallest number of the image; None where nothing differs.

    Raises:
        InputRefused: they are of different shapes.
    """
    from medveil.share.codec.codestream import decibel, mean_square

    if image.data.shape != other.shape:
        raise InputRefused(
            "source: is of another shape than the image in the code", hint="give the file it was made of"
        )
    error = mean_square(image.data, other)
    return decibel(error, max(float(image.data.max()) - float(image.data.min()), 1.0)) if error else None


def _need_learn() -> None:
    for package in ("torch", "safetensors"):
        if find_spec(package) is None:
            raise MissingPackage(
                package, "learned sparse codes (codec.primis)", "pip install 'medveil[learn]'"
            )
