"""Insightface: an ArcFace model in an ONNX file as this attack's eye.

    face found by dlib ──five points onto the template, 112 px──> RGB, (x - 127.5) / 127.5 ──ONNX──> 512-d embedding

The models that are named after ArcFace (Deng et al. 2019) are stronger than dlib's network, and most of them may
not be used commercially. So none comes with this package: the file is a setting, and stays what its owner allows.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.by_embedding import ByEmbedding
from medveil.attack.reidentify.eyes import Eye, bald_landmarks, checked_face
from medveil.attack.reidentify.portrait import (
    FIVE_112,
    FaceShown,
    aligned,
    five_points,
    shown,
)
from medveil.attack.reidentify.recogniser import Found
from medveil.core.errors import InputRefused, MissingPackage, UsageError

Array = npt.NDArray[Any]

SIDE_PX = 112
PURPOSE = "the attack reidentify.insightface"
INSTALL = "pip install onnxruntime"


@dataclass(frozen=True)
class OnnxEye:
    """A network in an ONNX file on the aligned face; see `Insightface`."""

    model: str
    face: FaceShown
    harmonise: bool

    def __call__(self, picture: Array, found: Found) -> Array:
        chip = aligned(picture, found.landmarks_px, five_points(found.landmarks_px), FIVE_112, SIDE_PX)
        pixels = shown(chip, face=self.face, harmonise=self.harmonise).pixels
        batch = (pixels.astype(np.float32) - 127.5) / 127.5
        batch = np.ascontiguousarray(batch.transpose(2, 0, 1)[None])  # (1, 3, 112, 112)
        net = session(self.model)
        (out,) = net.run([net.get_outputs()[0].name], {net.get_inputs()[0].name: batch})
        row = np.asarray(out, dtype=np.float32).reshape(-1)
        if len(row) < 2 or not np.isfinite(row).all():
            raise InputRefused("reidentify.insightface: the model gave no embedding, expected finite numbers")
        return row

    def landmarks(self, picture: Array, found: Found) -> Found:
        """As in `Resnet`."""
        return bald_landmarks(picture, found) if self.face == "bald" else found


@dataclass(frozen=True)
class Insightface(ByEmbedding):
    """Compare renders of a scan with photographs by an ArcFace model in an ONNX file.

    Args:
        views, centring, normalise: see `ByEmbedding`.
        model: path of the file: input (N, 3, 112, 112) float32, RGB in -1..1; output (N, D), usually 512.
        face, harmonise: as in `reidentify.embedding`.
    """

    model: str = ""
    face: FaceShown = "raw"
    harmonise: bool = False

    name: ClassVar[str] = "reidentify.insightface"
    summary: ClassVar[str] = "compares renders and photographs by an ArcFace model in an ONNX file"

    def __post_init__(self) -> None:
        super().__post_init__()
        checked_face(self.name, self.face)

    def eye(self) -> Eye:
        """The model, loaded once to see that it can be."""
        if not self.model:
            raise UsageError(
                f"{self.name}: the setting model is empty",
                hint="name an ONNX file of an ArcFace model; none comes with medveil, because of their licences",
            )
        session(self.model)
        return OnnxEye(self.model, self.face, self.harmonise)

    def describe(self) -> str:
        """In words, what the attack will do."""
        shown_as = "" if self.face == "raw" else ", brows to chin only,"
        return (
            f"render each head from {self.views} sides, and compare its face embeddings (an ArcFace model in an ONNX "
            f"file, averaged){shown_as} with those of each candidate's photographs {self.comparison()}"
        )


@lru_cache(maxsize=2)
def session(model: str) -> Any:
    """The network in a file, loaded once a process, on one thread.

    Raises:
        MissingPackage: onnxruntime is not installed.
        InputRefused: the file is not there, or is no network for pictures of 112 px.
    """
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise MissingPackage("onnxruntime", PURPOSE, INSTALL) from error
    if not Path(model).is_file():
        raise InputRefused("reidentify.insightface: the model file is not there")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        net = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - onnxruntime has its own classes of errors, and their words hold the path
        raise InputRefused("reidentify.insightface: the model file cannot be read as ONNX") from None
    shape = net.get_inputs()[0].shape
    wanted = [3, SIDE_PX, SIDE_PX]
    if len(net.get_inputs()) != 1 or len(shape) != 4 or not _fits(shape[1:], wanted):
        raise InputRefused(
            "reidentify.insightface: the model takes another input",
            hint="expected one of shape (N, 3, 112, 112)",
        )
    return net


def _fits(shape: list[Any], wanted: list[int]) -> bool:
    """Whether every size is the wanted one; a name stands for any size."""
    return all(not isinstance(n, int) or n == w for n, w in zip(shape, wanted, strict=True))
