"""Window: the one place that talks to VTK's renderer.

Two traps shape it. A picture read without rendering first is the previous picture, so `shoot` always renders.
And VTK writes "bad X server connection" straight to the file descriptor of stderr while it looks for a screen
it does not need, so the first picture of each window is taken with that descriptor turned away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np

from medveil.scene.camera import Array, Camera, Light, Material, Mesh, Picture

SAMPLES = 4  # multisampling of edges: without it the outline of a head flickers from view to view


@lru_cache(maxsize=4)
def window(size_px: int) -> Window:
    """The off-screen window of this size in this process."""
    return Window(size_px)


class Window:
    """An off-screen renderer of fixed size with at most one mesh in it."""

    def __init__(self, size_px: int) -> None:
        import vtkmodules.vtkRenderingOpenGL2  # noqa: F401 - registers the OpenGL classes
        from vtkmodules.vtkRenderingCore import vtkRenderer, vtkRenderWindow

        self._renderer = vtkRenderer()
        with _quiet():
            self._window = vtkRenderWindow()
            self._window.SetOffScreenRendering(1)
            self._window.SetMultiSamples(SAMPLES)
            self._window.SetSize(size_px, size_px)
            self._window.AddRenderer(self._renderer)
            self._window.Render()
        self._renderer.RemoveAllLights()
        self._renderer.AutomaticLightCreationOff()
        self._mesh: Mesh | None = None
        self._actor: Any = None

    def shoot(
        self,
        mesh: Mesh,
        camera: Camera,
        lights: tuple[Light, ...],
        material: Material,
        background: tuple[float, float, float],
    ) -> Picture:
        """Render, then read: never the other way round."""
        self._place(mesh)
        _dress(self._actor, material)
        self._light(camera, lights)
        self._aim(camera)
        self._renderer.SetBackground(*background)
        self._window.Render()
        return self._read()

    def _place(self, mesh: Mesh) -> None:
        if mesh is self._mesh:
            return
        self._renderer.RemoveAllViewProps()
        self._actor = _actor(mesh)
        self._renderer.AddActor(self._actor)
        self._mesh = mesh

    def _light(self, camera: Camera, lights: tuple[Light, ...]) -> None:
        from vtkmodules.vtkRenderingCore import vtkLight

        from medveil.scene.camera import direction

        self._renderer.RemoveAllLights()
        focus = np.asarray(camera.focus_mm, dtype=np.float64)
        for one in lights:
            light = vtkLight()
            light.SetLightTypeToSceneLight()
            light.PositionalOff()
            light.SetPosition(*(focus + 1000.0 * direction(one.azimuth_deg, one.elevation_deg)))
            light.SetFocalPoint(*focus)
            light.SetIntensity(one.intensity)
            self._renderer.AddLight(light)

    def _aim(self, camera: Camera) -> None:
        lens = self._renderer.GetActiveCamera()
        lens.SetPosition(*camera.position_mm)
        lens.SetFocalPoint(*camera.focus_mm)
        lens.SetViewUp(*camera.axes()[1])
        lens.SetViewAngle(camera.view_angle_deg)
        # Fixed to the camera and not to the mesh: a stray voxel far away must not change the depth buffer.
        lens.SetClippingRange(camera.distance_mm * 0.2, camera.distance_mm * 3.0)

    def _read(self) -> Picture:
        from vtkmodules.util.numpy_support import vtk_to_numpy
        from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

        width, height = self._window.GetSize()
        raw = vtkUnsignedCharArray()
        self._window.GetPixelData(0, 0, width - 1, height - 1, 1, raw, 0)
        pixels = vtk_to_numpy(raw).reshape(height, width, 3)  # row 0 is the bottom one
        return np.array(pixels[::-1], dtype=np.uint8, order="C")


def polydata(mesh: Mesh) -> Any:
    """The mesh as VTK knows it: with normals, and wound so that the front of a triangle is where they point."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    faces, normals = wound(mesh)
    points = vtkPoints()
    points.SetData(numpy_to_vtk(mesh.vertices, deep=True))
    cells = vtkCellArray()
    offsets = numpy_to_vtkIdTypeArray(np.arange(0, 3 * len(faces) + 1, 3), deep=True)
    cells.SetData(offsets, numpy_to_vtkIdTypeArray(faces.ravel(), deep=True))
    out = vtkPolyData()
    out.SetPoints(points)
    out.SetPolys(cells)
    out.GetPointData().SetNormals(numpy_to_vtk(normals, deep=True))
    if mesh.colours is not None:
        out.GetPointData().SetScalars(numpy_to_vtk(mesh.colours, deep=True))
    return out


def wound(mesh: Mesh) -> tuple[Array, Array]:
    """Faces (F, 3) wound to agree with the normals, and normals (V, 3).

    VTK turns the normals of triangles whose back it sees: with the other winding a face is lit from behind.
    """
    corners = mesh.vertices[mesh.faces]  # (F, 3 corners, 3)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])  # (F, 3), length = 2 areas
    if mesh.normals is None:
        total = np.zeros((len(mesh.vertices), 3))
        for axis in range(3):
            weights = np.repeat(flat[:, axis], 3)
            total[:, axis] = np.bincount(mesh.faces.ravel(), weights, minlength=len(mesh.vertices))
        total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        return mesh.faces, total.astype(np.float32)
    agree = float((flat * mesh.normals[mesh.faces[:, 0]]).sum())
    faces = mesh.faces if agree >= 0 else np.ascontiguousarray(mesh.faces[:, ::-1])
    return faces, mesh.normals


def _actor(mesh: Mesh) -> Any:
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper

    mapper = vtkPolyDataMapper()
    mapper.SetInputData(polydata(mesh))
    mapper.SetScalarVisibility(mesh.colours is not None)
    actor = vtkActor()
    actor.SetMapper(mapper)
    actor.GetProperty().SetInterpolationToPhong()
    return actor


def _dress(actor: Any, material: Material) -> None:
    skin = actor.GetProperty()
    skin.SetColor(*material.colour)
    skin.SetAmbient(material.ambient)
    skin.SetDiffuse(material.diffuse)
    skin.SetSpecular(material.specular)
    skin.SetSpecularPower(material.specular_power)
    skin.SetBackfaceCulling(material.one_sided)


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn file descriptor 2 away while VTK looks for a display; Python's sys.stderr alone is not enough."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # a process without a stderr has nothing to silence
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
