"""Depth: landmarks found in a render, laid onto the skin they were rendered from.

    pixel ──ray from the camera──> first hit on the mesh = the landmark in mm
                                   no hit: the place of the skin nearest to the ray, and `on_skin` is False

A photograph is flat; a scan is not. A predictor also puts landmarks where there is no face, and some of their rays
pass the head by. That few do is no proof of a face: behind a face that was removed there is still a head.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.surface import Head
from medveil.scene.camera import Camera

Array = npt.NDArray[Any]


def on_skin(head: Head, cameras: Sequence[Camera], points_px: Sequence[Array]) -> tuple[Array, Array]:
    """Where the rays through picture points meet the head.

    Args:
        cameras: V of them.
        points_px: for each, (N, 2) column and row in its picture.

    Returns:
        (V, N, 3) float64 RAS+ mm, and (V, N) whether the ray met the skin. Without a surface: the points in the
        plane through the focus, none on skin.
    """
    if head.is_empty:
        flat = [_in_focus_plane(c, p) for c, p in zip(cameras, points_px, strict=True)]
        return np.stack(flat), np.zeros((len(flat), len(flat[0])), dtype=bool)
    hit = _first_hit(head)
    places, met = [], []
    for camera, points in zip(cameras, points_px, strict=True):
        directions = rays(camera, points)  # (N, 3)
        places.append(np.stack([hit(camera.position_mm, d * 2 * camera.distance_mm) for d in directions]))
        met.append(np.isfinite(places[-1]).all(axis=1))
        if not met[-1].all():
            places[-1][~met[-1]] = _nearest(head, camera.position_mm, directions[~met[-1]])
    return np.stack(places), np.stack(met)


def _in_focus_plane(camera: Camera, points_px: Array) -> Array:
    """(N, 3) mm: the points at the distance of the focus."""
    directions = rays(camera, points_px)
    reach = camera.distance_mm / (directions @ -camera.axes()[2])
    return np.asarray(camera.position_mm + directions * reach[:, None])


def rays(camera: Camera, points_px: Array) -> Array:
    """(N, 3) unit vectors from the camera through (N, 2) picture points; the inverse of `Camera.project`."""
    half = camera.size_px / 2
    mm = camera.width_mm / camera.size_px  # in the plane through the focus
    right, up, back = camera.axes()
    across = (points_px[:, :1] - half) * mm * right - (points_px[:, 1:] - half) * mm * up
    out = across - camera.distance_mm * back
    return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))


def _first_hit(head: Head) -> Callable[[Array, Array], Array]:
    """A function from the start of a line, and the way along it, to its first crossing with the mesh, or NaN."""
    from vtkmodules.vtkCommonCore import reference
    from vtkmodules.vtkCommonDataModel import vtkStaticCellLocator

    from medveil.scene.window import polydata

    locator: Any = vtkStaticCellLocator()
    locator.SetDataSet(polydata(head.mesh))
    locator.BuildLocator()

    def hit(start: Array, way: Array) -> Array:
        place, inside = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]
        along, part, cell = reference(0.0), reference(0), reference(0)
        met = locator.IntersectWithLine(start, start + way, 0.0, along, place, inside, part, cell)
        return np.array(place) if met else np.full(3, np.nan)

    return hit


def _nearest(head: Head, start: Array, directions: Array) -> Array:
    """(N, 3) vertex of the mesh that lies nearest to each ray."""
    away = head.mesh.vertices.astype(np.float64) - start  # (V, 3)
    squared = (away**2).sum(axis=1)
    found = [int(np.argmin(squared - (away @ d) ** 2)) for d in directions]
    return np.asarray(head.mesh.vertices[found], dtype=np.float64)
