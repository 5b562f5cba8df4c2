"""Eyes: what turns a face that was found in a picture into numbers.

    picture + where the face is ──portrait──network──> embedding

One eye here, dlib's ResNet; the adapters to other recognisers bring theirs. An eye is a frozen dataclass: two
attacks whose eyes are equal share what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.portrait import CHIP_PX, FaceShown, portrait
from medveil.attack.reidentify.recogniser import Box, Found, recogniser
from medveil.core.errors import UsageError

Array = npt.NDArray[Any]

LANDMARK_PX = 2 * CHIP_PX  # landmarks are placed on a chip of twice the side: their places are whole pixels


class Eye(Protocol):
    """A recogniser: embeds a found face, and may place its landmarks anew."""

    def __call__(self, picture: Array, found: Found) -> Array:
        """(D,) float32 of the face in an (H, W, 3) uint8 picture."""
        ...

    def landmarks(self, picture: Array, found: Found) -> Found:
        """The face with its landmarks as this eye sees them."""
        ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True)
class Resnet:
    """dlib's 128-d network and 68 landmarks.

    Args:
        face: raw, or bald: what lies outside brows and chin is taken away, and landmarks are placed anew on the rest.
        harmonise: grey, with local contrast equalised, on renders and photographs alike.
    """

    face: FaceShown = "raw"
    harmonise: bool = False

    def __call__(self, picture: Array, found: Found) -> Array:
        if self.face == "raw" and not self.harmonise:
            return recogniser().describe(picture, found.box)  # aligned as the network was trained
        chip = portrait(picture, found.landmarks_px, face=self.face, harmonise=self.harmonise)
        return recogniser().describe_chip(chip.pixels)

    def landmarks(self, picture: Array, found: Found) -> Found:
        """As they were found; placed again on the bald face where that is what is seen."""
        return bald_landmarks(picture, found) if self.face == "bald" else found


DLIB = Resnet()
"""The eye that every attack uses that asks for no other, so that they share what was seen."""


def bald_landmarks(picture: Array, found: Found) -> Found:
    """Landmarks placed on the inner face alone, in pixels of the whole picture."""
    chip = portrait(picture, found.landmarks_px, face="bald", size_px=LANDMARK_PX)
    corner = np.array([[found.box.left, found.box.top]])
    scale = float(np.sqrt(np.linalg.det(chip.turn)))
    middle = (corner + found.box.side / 2) @ chip.turn.T + chip.shift  # (1, 2) the box, upright in the chip
    side = scale * found.box.side
    box = Box(float(middle[0, 0] - side / 2), float(middle[0, 1] - side / 2), side)
    placed = recogniser().place(chip.pixels, box)
    back = np.linalg.inv(chip.turn)
    return replace(found, landmarks_px=(placed - chip.shift) @ back.T)


def checked_face(name: str, face: str) -> None:
    """Refuse what is neither raw nor bald.

    Raises:
        UsageError: it is not.
    """
    if face not in get_args(FaceShown):
        raise UsageError(f"{name}: no such face", hint="known are " + ", ".join(get_args(FaceShown)))
