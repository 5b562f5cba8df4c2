"""Deepface: the recognisers of the package deepface (VGG-Face, Facenet, ArcFace, ...) as this attack's eye.

    face found by dlib ──box with its margin──> deepface.represent(detector skip) ──> embedding

The re-identification paper (Boutet et al. 2023) attacked with deepface's VGG-Face. The package fetches missing
weights from the web. Here it may not: the weights must lie on disk before it is asked for anything, and while it
loads them every door to a download is shut. Faces are found by our own detector, so that a head without a
face is described all the same.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.by_embedding import ByEmbedding
from medveil.attack.reidentify.eyes import Eye, bald_landmarks, checked_face
from medveil.attack.reidentify.portrait import FaceShown, portrait
from medveil.attack.reidentify.recogniser import Found
from medveil.core.errors import MissingPackage, UsageError

Array = npt.NDArray[Any]
Model = Literal[
    "VGG-Face", "Facenet", "Facenet512", "OpenFace", "DeepFace", "DeepID", "ArcFace", "SFace", "GhostFaceNet"
]

PURPOSE = "the attack reidentify.deepface"
INSTALL = "pip install deepface tf-keras"
CHIP_PX = 224  # what VGG-Face takes; deepface scales it for the others
# File of each model in deepface's folder of weights (its models/facial_recognition).
WEIGHTS: dict[str, str] = {
    "VGG-Face": "vgg_face_weights.h5",
    "Facenet": "facenet_weights.h5",
    "Facenet512": "facenet512_weights.h5",
    "OpenFace": "openface_weights.h5",
    "DeepFace": "VGGFace2_DeepFace_weights_val-0.9034.h5",
    "DeepID": "deepid_keras_weights.h5",
    "ArcFace": "arcface_weights.h5",
    "SFace": "face_recognition_sface_2021dec.onnx",
    "GhostFaceNet": "ghostfacenet_v1.h5",
}


@dataclass(frozen=True)
class DeepfaceEye:
    """A model of deepface on the aligned face; see `Deepface`."""

    model: str
    face: FaceShown
    harmonise: bool

    def __call__(self, picture: Array, found: Found) -> Array:
        chip = portrait(
            picture, found.landmarks_px, face=self.face, harmonise=self.harmonise, size_px=CHIP_PX
        ).pixels
        with no_downloads():
            rows = module().represent(
                img_path=chip,  # RGB: with its detector skipped, `represent` itself turns it into blue, green, red
                model_name=self.model,
                detector_backend="skip",
                enforce_detection=False,
                align=False,
            )
        return np.asarray(rows[0]["embedding"], dtype=np.float32)

    def landmarks(self, picture: Array, found: Found) -> Found:
        """As in `Resnet`."""
        return bald_landmarks(picture, found) if self.face == "bald" else found


@dataclass(frozen=True)
class Deepface(ByEmbedding):
    """Compare renders of a scan with photographs by a recogniser of the package deepface.

    Args:
        views, centring, normalise: see `ByEmbedding`.
        model: which recogniser; its weights must lie in $DEEPFACE_HOME/.deepface/weights (without the variable: in the
            home folder), since nothing is downloaded.
        face, harmonise: as in `reidentify.embedding`.
    """

    model: Model = "VGG-Face"
    face: FaceShown = "raw"
    harmonise: bool = False

    name: ClassVar[str] = "reidentify.deepface"
    summary: ClassVar[str] = "compares renders and photographs by a recogniser of the package deepface"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_face(self.name, self.face)
        if self.model not in get_args(Model):
            raise UsageError(f"{self.name}: no such model", hint="known are " + ", ".join(get_args(Model)))

    def eye(self) -> Eye:
        """The chosen model, after a look whether package and weights are there."""
        module()
        weights_file(self.model)
        return DeepfaceEye(self.model, self.face, self.harmonise)

    def describe(self) -> str:
        """In words, what the attack will do."""
        shown = "" if self.face == "raw" else ", brows to chin only,"
        return (
            f"render each head from {self.views} sides, and compare its face embeddings ({self.model} of the package "
            f"deepface, averaged){shown} with those of each candidate's photographs {self.comparison()}"
        )


@lru_cache(maxsize=1)
def module() -> Any:
    """The package's interface, imported once a process, with the web out of reach.

    Raises:
        MissingPackage: deepface, or a package that it needs, is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        with no_downloads():
            return importlib.import_module("deepface.DeepFace")
    except ImportError as error:
        raise MissingPackage("deepface", PURPOSE, INSTALL) from error
    except ValueError as error:  # deepface's own check for tf-keras
        raise MissingPackage("tf-keras", PURPOSE, INSTALL) from error


def weights_file(model: str) -> Path:
    """Where the weights of a model lie.

    Raises:
        UsageError: they are not there; names the file, and the folder by its variable.
    """
    home = Path(os.environ.get("DEEPFACE_HOME") or Path.home())
    path = home / ".deepface" / "weights" / WEIGHTS[model]
    if not path.is_file():
        raise UsageError(
            f"reidentify.deepface: the weights of {model} are not on disk, and nothing is downloaded",
            hint=f"put {WEIGHTS[model]} into $DEEPFACE_HOME/.deepface/weights (by default ~/.deepface/weights)",
        )
    return path


@contextmanager
def no_downloads() -> Iterator[None]:
    """Shut the doors through which deepface fetches files: sockets cannot be connected within.

    Raises:
        UsageError: something inside tried to.
    """
    import socket

    def refuse(*_: object, **__: object) -> Any:
        raise UsageError(
            "reidentify.deepface: the package tried to reach the network, which is refused",
            hint="put the weights of the model, and whatever else it asks for, on disk first",
        )

    doors = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex")}
    lookup = socket.getaddrinfo
    for name in doors:
        setattr(socket.socket, name, refuse)
    socket.getaddrinfo = refuse
    try:
        yield
    finally:
        for name, door in doors.items():
            setattr(socket.socket, name, door)
        socket.getaddrinfo = lookup
