"""Models: files of trained networks, those that come with medveil and those of the user."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from medveil.core.errors import InputRefused, MissingPackage, UsageError

if TYPE_CHECKING:
    from medveil.nn.weights import Model

MOST_BYTES = 1 << 28
SUFFIX = ".safetensors"


def shipped() -> tuple[str, ...]:
    """Names of the models that come with medveil."""
    folder = files("medveil.share") / "models"
    return tuple(sorted(f.name.removesuffix(SUFFIX) for f in folder.iterdir() if f.name.endswith(SUFFIX)))


def read_model(which: str) -> Model:
    """A model by the name of one that comes with medveil, or by the path of a file.

    Raises:
        UsageError: neither such a name nor such a file.
        InputRefused: the file cannot be read, is too large, or is no model.
        MissingPackage: torch or safetensors are not installed.
    """
    if which in shipped():
        return _unpacked((files("medveil.share") / "models" / f"{which}{SUFFIX}").read_bytes())
    path = Path(which)
    if not path.is_file():
        raise UsageError(
            "model: neither the name of a model nor a file",
            hint="known are " + ", ".join(shipped()) + "; `medveil share train` makes others",
        )
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputRefused("model: the file is larger than any network of medveil")
        return _unpacked(path.read_bytes())
    except OSError:
        raise InputRefused("model: the file cannot be read", hint="see its permissions") from None


def model_of(digest: str) -> Model | None:
    """The model that comes with medveil and has this SHA-256, or None."""
    return next((m for m in map(read_model, shipped()) if m.digest == digest), None)


@cache
def _unpacked(data: bytes) -> Model:
    try:
        from medveil.nn.weights import unpack
    except ImportError:
        raise MissingPackage(
            "torch", "learned sparse codes (codec.primis)", "pip install 'medveil[learn]'"
        ) from None
    return unpack(data)
