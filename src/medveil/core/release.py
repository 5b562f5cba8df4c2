"""What protection does to one image, and what a whole release consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import PurePosixPath
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from medveil.core.image import Image

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Outcome:
    """One step applied to one image.

    Args:
        image: the protected image; outside `altered` its stored numbers are those of the input.
        altered: (I, J, K) True where the step was allowed to change voxels.
        protected: (I, J, K) True where the step promised not to change anything (the brain).
        measured: numbers that the step measured on the way (confidence, removed volume), for the manifest.
        remarks: short sentences a person should read.
        proofs: what the step itself checked of its result, each by its name; one that is False is a refusal.
        affine_to_mni: (4, 4) image RAS+ mm to MNI mm, where the step located the head; for pictures.
    """

    image: Image
    altered: Mask | None = None
    protected: Mask | None = None
    measured: Mapping[str, float] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    proofs: Mapping[str, bool] = field(default_factory=dict)
    affine_to_mni: npt.NDArray[np.float64] | None = None

    def __repr__(self) -> str:
        return f"Outcome({self.image!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Carried:
    """Another image of the same session and where its head was found, for images that show less of it.

    Args:
        image: that image, in the same scanner coordinates.
        affine_to_mni: (4, 4) its RAS+ mm to MNI mm.
    """

    image: Image
    affine_to_mni: npt.NDArray[np.float64]

    def __repr__(self) -> str:
        return f"Carried({self.image!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Given:
    """What is known about an image beside the image itself. All of it may be missing.

    Args:
        brain: (I, J, K) True in the brain, by the user's own means; then this brain is protected.
        keep: (I, J, K) True where nothing may change (organs at risk, a target); wins over every removal.
        affine_to_mni: (4, 4) image RAS+ mm to MNI mm, by the user's own means.
        landmarks: name to (3,) RAS+ mm: `nasion`, `nose_tip`, `chin`, `left_ear`, `right_ear`, `left_eye`,
            `right_eye`.
        carried: a located image of the same session.
    """

    brain: Mask | None = None
    keep: Mask | None = None
    affine_to_mni: npt.NDArray[np.float64] | None = None
    landmarks: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    carried: Carried | None = None

    def __repr__(self) -> str:
        known = [n for n in ("brain", "keep", "affine_to_mni", "carried") if getattr(self, n) is not None]
        return f"Given({', '.join(known + ['landmarks'] * bool(self.landmarks)) or 'nothing'})"


NOTHING = Given()


@runtime_checkable
class Step(Protocol):
    """A protection: a frozen dataclass whose fields are its settings.

    `name` is the path of its file, `deface.erase`. `apply` is pure and raises Refusal rather than guess; `check`
    raises InputRefused where a file among the settings is not there, before the first image is read.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    def check(self) -> None: ...

    def apply(self, image: Image, given: Given = NOTHING) -> Outcome: ...

    def describe(self) -> str: ...


def settings(part: object) -> dict[str, Any]:
    """The settings of a step or an attack by name, ready for JSON and TOML (tuples become lists)."""
    if not is_dataclass(part) or isinstance(part, type):
        return {}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(part).items()}


@dataclass(frozen=True, repr=False)
class Entry:
    """The fate of one image: `state` is protected or refused, with the reason of a refusal.

    `affine_to_mni` is the four rows of the image's RAS+ mm to MNI mm, where the head was located. `files` are the
    names of the files in the folder `place`, of an image that is made of several; then `sha256` is that of their
    hashes, one after the other.
    """

    subject: str
    name: str
    state: str
    reason: str = ""
    place: PurePosixPath | None = None
    contrast: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    proofs: Mapping[str, bool] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    sha256: str = ""
    affine_to_mni: tuple[tuple[float, ...], ...] | None = None
    files: tuple[str, ...] = ()

    @property
    def places(self) -> tuple[PurePosixPath, ...]:
        """Where its files lie."""
        if self.place is None:
            return ()
        return tuple(self.place / name for name in self.files) or (self.place,)

    def __repr__(self) -> str:
        return f"Entry({self.state})"
