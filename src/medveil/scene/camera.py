"""Camera: surfaces in millimetres in, pictures out, with no screen attached.

    Mesh + Camera + Lights + Material ──render──> (size, size, 3) uint8

One world for all: RAS+ millimetres. At yaw 0 and pitch 0 the camera stands on +y and looks along -y with +z
up, so it sees a face from the front and the person's right cheek lies on the left of the picture. Lights are
directions in the same world: azimuth 0 comes from the front, positive azimuth from the person's right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.errors import UsageError

Array = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """A triangulated surface; its arrays are read-only from here on.

    Args:
        vertices: (V, 3) float32, RAS+ mm.
        faces: (F, 3) integer, indices into `vertices`; either winding, `render` follows the normals.
        normals: (V, 3) float32 pointing outwards, or None: then from the winding (counter-clockwise outside).
        colours: (V, 3) uint8, or None: then the material's colour.
    """

    vertices: Array
    faces: Array
    normals: Array | None = None
    colours: Array | None = None

    def __post_init__(self) -> None:
        vertices: Array = np.array(self.vertices, dtype=np.float32).reshape(-1, 3)
        faces: Array = np.array(self.faces, dtype=np.int64).reshape(-1, 3)
        if len(faces) and (faces.min() < 0 or faces.max() >= len(vertices)):
            raise UsageError("mesh: a face names a vertex that does not exist")
        arrays: dict[str, Array | None] = {"vertices": vertices, "faces": faces}
        arrays["normals"] = None if self.normals is None else np.array(self.normals, dtype=np.float32)
        arrays["colours"] = None if self.colours is None else np.array(self.colours, dtype=np.uint8)
        for name, array in arrays.items():
            if array is None:
                continue
            if name != "faces" and array.shape != vertices.shape:
                raise UsageError(f"mesh: {name} have shape {array.shape}, expected {vertices.shape}")
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def is_empty(self) -> bool:
        return len(self.faces) == 0

    def __repr__(self) -> str:
        return f"Mesh({len(self.vertices)} vertices, {len(self.faces)} faces)"


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from; the distance follows from `width_mm` and the view angle.

    Args:
        focus_mm: point in the middle of the picture, RAS+ mm.
        yaw_deg: how far the camera walks round the head, towards the person's right.
        pitch_deg: how far it climbs; positive looks down on the face.
        roll_deg: turns the camera about its own axis; the picture turns counter-clockwise.
        view_angle_deg: opening of the lens over the whole picture; small is a tele lens.
        width_mm: width of the plane through the focus that fills the picture.
        size_px: side of the square picture.
    """

    focus_mm: tuple[float, float, float]
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    view_angle_deg: float = 18.0
    width_mm: float = 250.0
    size_px: int = 400

    def __post_init__(self) -> None:
        if not (abs(self.pitch_deg) < 90 and 0 < self.view_angle_deg < 180):
            raise UsageError("camera: expected a pitch within 90 degrees and a view angle of 0 to 180")
        if not (self.width_mm > 0 and self.size_px > 0):
            raise UsageError("camera: expected a width and a size above 0")

    @property
    def distance_mm(self) -> float:
        return float(self.width_mm / 2 / np.tan(np.radians(self.view_angle_deg) / 2))

    @property
    def position_mm(self) -> Array:
        return np.asarray(self.focus_mm) + self.distance_mm * direction(self.yaw_deg, self.pitch_deg)

    def axes(self) -> Array:
        """(3, 3) rows: right, up and backwards (towards the camera) of the picture, in the world."""
        back = direction(self.yaw_deg, self.pitch_deg)
        right = np.cross([0.0, 0.0, 1.0], back)
        right /= np.linalg.norm(right)
        up = np.cross(back, right)
        c, s = np.cos(np.radians(self.roll_deg)), np.sin(np.radians(self.roll_deg))
        return np.stack([c * right - s * up, s * right + c * up, back])

    def project(self, points_mm: Array) -> Array:
        """(N, 2) picture coordinates (column, row) in px of (N, 3) points; row 0 is the top edge."""
        q = (np.asarray(points_mm, dtype=np.float64) - self.position_mm) @ self.axes().T  # (N, 3)
        scale = self.distance_mm / np.maximum(-q[:, 2], 1e-6) * self.size_px / self.width_mm
        half = self.size_px / 2
        return np.stack([half + q[:, 0] * scale, half - q[:, 1] * scale], axis=1)


@dataclass(frozen=True)
class Light:
    """White light from far away; azimuth 90 comes from the person's right, elevation 90 from above."""

    azimuth_deg: float
    elevation_deg: float
    intensity: float


@dataclass(frozen=True)
class Material:
    """How the surface answers light (Phong); `colour` (0..1) serves meshes without colours of their own.

    `one_sided` leaves out triangles that are seen from behind: of a closed surface they are hidden anyway.
    """

    colour: tuple[float, float, float] = (0.85, 0.72, 0.64)
    ambient: float = 0.15
    diffuse: float = 0.9
    specular: float = 0.0
    specular_power: float = 12.0
    one_sided: bool = False


def direction(azimuth_deg: float, elevation_deg: float) -> Array:
    """(3,) unit vector from the focus towards a camera or a light."""
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    return np.array([np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])


def render(
    mesh: Mesh,
    camera: Camera,
    lights: Sequence[Light],
    *,
    material: Material = Material(),
    background: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Picture:
    """One picture of a surface: the same input gives the same bytes on one machine.

    Draws in software or on a graphics card, whatever VTK finds; needs no X server and prints nothing. One
    off-screen window a size and process is kept, as is the last mesh, so more views of one mesh are cheap.
    Not for threads: use processes.

    Args:
        background: red, green, blue in 0..1.

    Returns:
        (size_px, size_px, 3) uint8, row 0 at the top.
    """
    from medveil.scene.window import window

    return window(camera.size_px).shoot(mesh, camera, tuple(lights), material, background)
