"""Distance: how far each point of one surface lies from another surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.scene.camera import Mesh


def distances_mm(points_mm: npt.NDArray[Any], surface: Mesh) -> npt.NDArray[np.float64]:
    """(N,) distance of (N, 3) points to the nearest place on a surface, on its triangles and not only its corners.

    A surface without faces is infinitely far away.
    """
    from vtkmodules.vtkCommonCore import mutable
    from vtkmodules.vtkCommonDataModel import vtkGenericCell, vtkStaticCellLocator

    from medveil.scene.window import polydata

    points = np.asarray(points_mm, dtype=np.float64).reshape(-1, 3)
    if surface.is_empty:
        return np.full(len(points), np.inf)
    locator: Any = vtkStaticCellLocator()
    locator.SetDataSet(polydata(surface))
    locator.BuildLocator()
    nearest, cell = [0.0, 0.0, 0.0], vtkGenericCell()
    number: Any = mutable(0)
    part: Any = mutable(0)
    squared: Any = mutable(0.0)
    out = np.empty(len(points))
    for n, point in enumerate(points):
        locator.FindClosestPoint(point, nearest, cell, number, part, squared)
        out[n] = float(squared)
    return np.sqrt(out)
