"""Render: a head volume from ten sides, the way every probe is photographed.

Views and lights are a fixed table: the pictures of two heads differ by the heads alone, and the pictures of a
head before and after protection by the protection alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.recogniser import Box
from medveil.attack.reidentify.surface import Head
from medveil.core.errors import UsageError
from medveil.scene.camera import Camera, Light, Material, render

Array = npt.NDArray[Any]

WIDTH_MM = 250.0
LENS_DEG = 18.0
SKIN = Material(colour=(0.85, 0.72, 0.64), ambient=0.15, diffuse=0.9, one_sided=True)

# The square that dlib's HOG detector draws round a face, seen from the focus of the camera: how far in front
# and below its middle lies, and its side. Means over 60 simulated people and seven views (seeds 0 to 23).
FACE_FORWARD_MM, FACE_DOWN_MM, FACE_SIDE_MM = 70.0, 19.0, 158.0


@dataclass(frozen=True)
class View:
    """One side to look from, with the lights that go with it."""

    yaw_deg: float
    pitch_deg: float
    lights: tuple[Light, ...]


def _lit(key_azimuth: float, key_elevation: float) -> tuple[Light, ...]:
    """A key light, and a weaker one from the other side so that no cheek is black."""
    side = -1.0 if key_azimuth > 0 else 1.0
    return Light(key_azimuth, key_elevation, 0.75), Light(side * 50.0, 5.0, 0.35)


VIEWS: tuple[View, ...] = (
    View(0, 0, _lit(20, 25)),
    View(15, 0, _lit(20, 25)),
    View(-15, 0, _lit(20, 25)),
    View(0, 10, _lit(-20, 25)),
    View(0, -10, _lit(-20, 25)),
    View(30, 0, _lit(40, 30)),
    View(-30, 0, _lit(-40, 30)),
    View(0, 0, _lit(0, 45)),
    View(15, 8, _lit(-40, 20)),
    View(-15, 8, _lit(40, 20)),
)


def pictures(head: Head, views: int = 3, size_px: int = 400) -> list[tuple[Array, Box]]:
    """The first so many views of a head, each with the box in which its face is, or was, to be found.

    A head without a surface gives black pictures: they are scored as they are, like any other.

    Raises:
        UsageError: more views asked for than the table has.
    """
    return [_picture(head, view, size_px) for view in VIEWS[: checked_views(views)]]


def checked_views(views: int) -> int:
    """The number of views, if the table has as many.

    Raises:
        UsageError: it has not.
    """
    if not 1 <= views <= len(VIEWS):
        raise UsageError(f"views: is {views}, expected 1 to {len(VIEWS)}")
    return views


def _picture(head: Head, view: View, size_px: int) -> tuple[Array, Box]:
    camera = camera_of(head, view, size_px)
    if head.is_empty:
        picture = np.zeros((size_px, size_px, 3), dtype=np.uint8)
    else:
        picture = render(head.mesh, camera, view.lights, material=SKIN)
    return picture, face_box(camera)


def camera_of(head: Head, view: View, size_px: int) -> Camera:
    """The camera that takes this view of a head."""
    return Camera(head.focus_mm, view.yaw_deg, view.pitch_deg, 0.0, LENS_DEG, WIDTH_MM, size_px)


def face_box(camera: Camera) -> Box:
    """Where the face is in the picture, by geometry alone."""
    x, y, z = camera.focus_mm
    middle = camera.project(np.array([[x, y + FACE_FORWARD_MM, z - FACE_DOWN_MM]]))[0]
    side = FACE_SIDE_MM * camera.size_px / camera.width_mm
    return Box(float(middle[0] - side / 2), float(middle[1] - side / 2), side)
