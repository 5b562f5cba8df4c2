"""Recogniser: a face in a picture as 128 numbers and 68 points, by dlib and its public models.

    picture ──HOG detector──> box ──5 points──> aligned chip ──ResNet──> 128-d embedding
                 └─ silent: the box where the face must be      └──68 points──> landmarks

A detector that fires is no evidence of a face, and one that stays silent is no evidence of privacy: HOG sees
faces in erased heads and misses some real ones. So every picture is embedded and every landmark placed, with the
known box if need be, and `detected` is only reported.

The models come with the package face_recognition_models; nothing is downloaded at run time. Their terms: dlib's
author puts them in the public domain, but the 68-point model was trained on iBUG 300-W, whose licence excludes
commercial products. The 5-point model and the ResNet carry no such note (the ResNet was trained on face pictures
gathered from the web). Source: github.com/davisking/dlib-models.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import MissingPackage

Array = npt.NDArray[Any]

EMBEDDING_SIZE = 128
PURPOSE = "recognising faces (the attacks under attack reidentify)"
INSTALL = "pip install dlib-bin face-recognition-models"
LANDMARKS = "shape_predictor_68_face_landmarks.dat"
CORNERS = "shape_predictor_5_face_landmarks.dat"
RESNET = "dlib_face_recognition_resnet_model_v1.dat"


@dataclass(frozen=True)
class Box:
    """A square in a picture, px: `left` and `top` edge and `side`."""

    left: float
    top: float
    side: float

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.left + self.side and self.top <= y <= self.top + self.side


@dataclass(frozen=True, eq=False, repr=False)
class Face:
    """What the recogniser says of one picture.

    Args:
        embedding: (128,) float32.
        landmarks: (68, 2) float32, column and row relative to the corner of the box, in box sides; the order is
            that of iBUG 300-W: jaw 0-16, brows 17-26, nose 27-35, eyes 36-47, mouth 48-67.
        detected: whether the HOG detector fired (score above 0, no upsampling) where the face had to be.
        box: the box that was used, px.
    """

    embedding: Array
    landmarks: Array
    detected: bool
    box: Box

    def __repr__(self) -> str:
        return f"Face(detected={self.detected})"


@dataclass(frozen=True, eq=False, repr=False)
class Found:
    """Where a face is in a picture, before anybody asks whose.

    Args:
        landmarks_px: (68, 2) float64, column and row; the order is that of iBUG 300-W.
        detected: whether the detector fired where the face had to be.
        box: the box that was used, px.
    """

    landmarks_px: Array
    detected: bool
    box: Box

    @property
    def landmarks(self) -> Array:
        """(68, 2) float32 relative to the corner of the box, in box sides."""
        corner = [self.box.left, self.box.top]
        return np.asarray((self.landmarks_px - corner) / self.box.side, dtype=np.float32)

    def __repr__(self) -> str:
        return f"Found(detected={self.detected})"


@dataclass(frozen=True, repr=False)
class Recogniser:
    """dlib's detector, landmark models and network, loaded once a process by `recogniser()`."""

    detector: Any
    landmarks: Any
    corners: Any
    network: Any

    def look(self, picture: Array, known: Box, *, anywhere: bool = False) -> Face:
        """The face in an (H, W, 3) uint8 picture; `known` is where it must be if the detector is silent.

        A hit whose middle lies outside `known` is a hit on something else and does not count, unless the face
        may be `anywhere`.
        """
        found = self.find(picture, known, anywhere=anywhere)
        return Face(self.describe(picture, found.box), found.landmarks, found.detected, found.box)

    def find(self, picture: Array, known: Box, *, anywhere: bool = False) -> Found:
        """The place of the face, as in `look`."""
        picture = np.ascontiguousarray(picture, dtype=np.uint8)
        box = self._detect(picture, None if anywhere else known)
        used = known if box is None else box
        return Found(self.place(picture, used), box is not None, used)

    def place(self, picture: Array, box: Box) -> Array:
        """(68, 2) px: landmarks of the face in a box."""
        points = self.landmarks(np.ascontiguousarray(picture, dtype=np.uint8), _rectangle(box))
        return np.array([[p.x, p.y] for p in points.parts()], dtype=np.float64)

    def describe(self, picture: Array, box: Box) -> Array:
        """(128,) float32: the face in a box, aligned by dlib's own five points."""
        picture = np.ascontiguousarray(picture, dtype=np.uint8)
        corners = self.corners(picture, _rectangle(box))
        return np.array(self.network.compute_face_descriptor(picture, corners), dtype=np.float32)

    def describe_chip(self, chip: Array) -> Array:
        """(128,) float32: an aligned face, (150, 150, 3) uint8."""
        chip = np.ascontiguousarray(chip, dtype=np.uint8)
        return np.array(self.network.compute_face_descriptor(chip), dtype=np.float32)

    def _detect(self, picture: Array, within: Box | None) -> Box | None:
        """The surest hit with its middle inside a box; hits come sorted by score, all above 0."""
        hits, _, _ = self.detector.run(picture, 0, 0.0)
        for hit in hits:
            middle = hit.center()
            if within is None or within.holds(middle.x, middle.y):
                return Box(hit.left(), hit.top(), (hit.width() + hit.height()) / 2)
        return None


def _rectangle(box: Box) -> Any:
    import dlib

    edges = (box.left, box.top, box.left + box.side, box.top + box.side)
    return dlib.rectangle(*(round(e) for e in edges))


@lru_cache(maxsize=1)
def recogniser() -> Recogniser:
    """Load detector and models (about a second), once a process.

    Raises:
        MissingPackage: dlib or a model file is not installed.
    """
    try:
        import dlib
    except ImportError as error:
        raise MissingPackage("dlib-bin", PURPOSE, INSTALL) from error
    return Recogniser(
        detector=dlib.get_frontal_face_detector(),
        landmarks=dlib.shape_predictor(str(model_file(LANDMARKS))),
        corners=dlib.shape_predictor(str(model_file(CORNERS))),
        network=dlib.face_recognition_model_v1(str(model_file(RESNET))),
    )


def model_file(name: str) -> Path:
    """Where an installed model lies. The package is found, not imported: importing it needs pkg_resources.

    Raises:
        MissingPackage: the package or this file of it is not there.
    """
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return path
    raise MissingPackage("face-recognition-models", PURPOSE, INSTALL)
