"""Turn: a surface seen from one side round to the other, as one strip of frames for a page without scripts.

left profile ... front ... right profile, the light walking along with the camera
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medveil.scene.camera import Camera, Light, Material, Mesh, render
from medveil.scene.slices import Grey

WIDTH_MM, LENS_DEG = 274.0, 18.0
BACKGROUND = 0.1  # as bright as the cards of the report around it
SKIN = Material(colour=(0.77, 0.77, 0.77), ambient=0.14, diffuse=0.92)


def turned(mesh: Mesh, about_mm: tuple[float, float, float], yaws_deg: Sequence[float], size_px: int) -> Grey:
    """(size_px, N * size_px) frames of a surface, from each of N sides, in the order given.

    Args:
        mesh: the surface; one without faces gives frames of the background.
        about_mm: RAS+ mm, the point in the middle of every frame.
        yaws_deg: sides to look from; positive shows the person's right (see `Camera`).
    """
    if mesh.is_empty:
        return np.full((size_px, size_px * len(yaws_deg)), round(255 * BACKGROUND), np.uint8)
    thin = thinned(mesh, WIDTH_MM / size_px)
    return np.concatenate([_frame(thin, about_mm, yaw, size_px) for yaw in yaws_deg], axis=1)


def _frame(mesh: Mesh, about_mm: tuple[float, float, float], yaw_deg: float, size_px: int) -> Grey:
    """One frame; skin and light have no colour, so one channel says it all."""
    camera = Camera(about_mm, yaw_deg=yaw_deg, view_angle_deg=LENS_DEG, width_mm=WIDTH_MM, size_px=size_px)
    lights = (Light(yaw_deg + 25, 30, 0.75), Light(yaw_deg - 50, 5, 0.35))
    grey = (BACKGROUND, BACKGROUND, BACKGROUND)
    return render(mesh, camera, lights, material=SKIN, background=grey)[..., 0]


def thinned(mesh: Mesh, mm: float) -> Mesh:
    """The surface with its corners averaged over cubes of edge `mm`: a frame shows no more than its pixels."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkBinnedDecimation

    from medveil.scene.window import polydata

    filtered = vtkBinnedDecimation()
    filtered.SetInputData(polydata(mesh))
    filtered.AutoAdjustNumberOfDivisionsOff()
    filtered.SetNumberOfDivisions(*(max(1, round(float(n) / mm)) for n in np.ptp(mesh.vertices, axis=0)))
    filtered.SetPointGenerationModeToBinAverages()
    filtered.Update()
    surface = filtered.GetOutput()
    if surface.GetNumberOfPolys() == 0:  # smaller than one cube
        return mesh
    vertices = vtk_to_numpy(surface.GetPoints().GetData())
    return Mesh(vertices, vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3))
