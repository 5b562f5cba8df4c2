"""Surface: the skin of a head volume, as an attacker cuts it out with nothing but open tools.

    volume ──isotropic grid──> smooth ──threshold──> one solid head ──grey-level iso-surface──> Mesh in RAS+ mm
                                                          └──> focus: where the face is, or was

Two choices carry the quality. The iso-surface runs through the grey values themselves, because their partial
volume holds the position of the skin to a fraction of a voxel; a binary mask would give terraces. And the focus
is read from the top and the sides of the head only, so that a defaced head is photographed from exactly where
the untouched one is: an attack that loses its aim flatters every defence.

Recipe after Schwarz et al. 2019 (threshold, largest part, iso-surface), with our own filling and smoothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.grid import Grid, head_grid
from medveil.core.image import Image
from medveil.scene.camera import Mesh

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

HEAD_MM = 270.0  # what lies further below the top of the head is neck, chest and table
SMALLEST_MM3 = 10_000.0  # a cube of 22 mm: less is a speck, whatever it shows
SKIN_HU = -300.0  # between air (-1000) and fat (-100)
AIR_HU = -1000.0
TAUBIN_PASSES, TAUBIN_BAND = 20, 0.05

# A round adult skull, half axes in mm: width, length, height. Only used where a scan cuts the crown off.
SKULL_MM = (75.0, 97.0, 84.0)
# From the middle of the skull's top slab to the middle of the face: forwards, and down from the vertex.
FOCUS_FORWARD_MM, FOCUS_DOWN_MM = 28.0, 132.0
SLAB_MM = (30.0, 85.0)  # below the vertex: above brows and ears, and no defacing tool removes it


@dataclass(frozen=True, eq=False, repr=False)
class Head:
    """The skin of a head, and where to point the camera.

    Args:
        mesh: closed surface in RAS+ mm; without faces if the volume showed no object.
        focus_mm: a point behind the nose bridge, RAS+ mm.
    """

    mesh: Mesh
    focus_mm: tuple[float, float, float]

    @property
    def is_empty(self) -> bool:
        return self.mesh.is_empty

    def __repr__(self) -> str:
        return f"Head({self.mesh!r})"


NOBODY = Head(Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64)), (0.0, 0.0, 0.0))


def face_surface(image: Image) -> Mesh:
    """The skin of the head in a volume: vertices in RAS+ mm, normals outwards; no faces for an empty volume."""
    return find_head(image).mesh


def find_head(image: Image) -> Head:
    """Skin and focus of the head in a volume of any grid: flipped, oblique, anisotropic or 4-D (its mean).

    A volume in which nothing stands out from the background gives `NOBODY`; a volume that holds something other
    than a head gives the surface of that. Neither raises: an attack must score every probe it was handed.
    """
    grid = head_grid(image)
    found = _threshold(grid)
    if found is None:
        return NOBODY
    values, level = found
    solid = _solid(values > level)
    if solid.sum() * grid.spacing_mm**3 < SMALLEST_MM3:
        return NOBODY
    aim = focus(solid, grid)
    keep = _head_slices(solid, grid)
    field = _skin_field(values[keep], solid[keep], level)
    mesh = _iso_surface(field, level, grid.cropped(keep).affine)
    return NOBODY if mesh.is_empty else Head(mesh, aim)


def _threshold(grid: Grid) -> tuple[Array, float] | None:
    """Smoothed values with air at 0, and the level of the skin; None if the volume is constant."""
    from scipy.ndimage import gaussian_filter
    from skimage.filters import threshold_otsu

    sigma = 0.7 if grid.spacing_mm < 1.6 else 0.5
    values = gaussian_filter(grid.values, sigma)
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return None
    if low < -500:  # Hounsfield units: MRI and PET have no such values
        return np.clip(values - AIR_HU, 0, 3000), SKIN_HU - AIR_HU
    values = np.maximum(values, 0)
    sample = values[::2, ::2, ::2]
    sample = np.minimum(sample, np.percentile(sample, 99.5))  # a few bright voxels must not set the scale
    if not sample.max() > sample.min():
        sample = values
    return values, 0.5 * float(threshold_otsu(sample))


def _solid(mask: Mask) -> Mask:
    """The largest connected object, closed, and filled slice by slice along each axis.

    Slice by slice, because nostrils, mouth and ear canals open every inner cavity to the outside in 3-D.
    """
    from scipy.ndimage import binary_closing, generate_binary_structure, label

    step = 2 if mask.size > 4_000_000 else 1  # at 1 mm half the resolution is enough to know what is inside
    small = mask[::step, ::step, ::step]
    labels, n = label(small)
    if n == 0:
        return np.zeros_like(mask)
    small = labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1
    small = np.pad(small, 3)
    small = binary_closing(small, generate_binary_structure(3, 1), iterations=2)[3:-3, 3:-3, 3:-3]
    for axis in range(3):
        small |= _holes(small, axis)
    large = small.repeat(step, 0).repeat(step, 1).repeat(step, 2)
    return np.asarray(large[tuple(slice(0, n) for n in mask.shape)])


def _holes(mask: Mask, axis: int) -> Mask:
    """Background that does not reach the border of its slice; one labelling call serves all slices."""
    from scipy.ndimage import label

    in_plane = np.zeros((3, 3, 3), dtype=bool)
    in_plane[1, 1, :] = in_plane[1, :, 1] = in_plane[:, 1, 1] = True
    lane: list[Any] = [slice(None)] * 3
    for end in (0, 2):
        lane[axis] = end
        in_plane[tuple(lane)] = False
    labels, n = label(~mask, structure=in_plane)
    outside = np.zeros(n + 1, dtype=bool)
    for other in range(3):
        if other != axis:
            for end in (0, -1):
                outside[np.take(labels, end, axis=other).ravel()] = True
    outside[0] = True  # the object itself
    return np.asarray(~outside[labels])


def _head_slices(solid: Mask, grid: Grid) -> tuple[slice, slice, slice]:
    """Box of the object, cut `HEAD_MM` below its top; the third axis of the grid points up."""
    box = []
    for axis in range(3):
        there = np.flatnonzero(solid.any(axis=tuple(a for a in range(3) if a != axis)))
        box.append([int(there[0]) - 4, int(there[-1]) + 5])
    box[2][0] = max(box[2][0], int(box[2][1] - HEAD_MM / grid.spacing_mm))
    return (
        slice(max(box[0][0], 0), box[0][1]),
        slice(max(box[1][0], 0), box[1][1]),
        slice(max(box[2][0], 0), box[2][1]),
    )


def _skin_field(values: Array, solid: Mask, level: float) -> Array:
    """Grey values near the skin, a constant above the level inside, 0 outside."""
    field = np.zeros(tuple(n + 2 for n in values.shape), dtype=np.float32)
    inner = field[1:-1, 1:-1, 1:-1]  # the pad closes the surface where the scan cuts the head
    np.minimum(values, 2 * level, out=inner, casting="same_kind")
    inner[_eroded(solid)] = 2 * level
    inner[_eroded(~solid)] = 0
    return field


def _eroded(mask: Mask) -> Mask:
    """True where a voxel and its six neighbours are; what lies beyond the border counts as being there.

    The same as scipy's erosion by the cross, several times as fast.
    """
    out = mask.copy()
    for axis in range(3):
        here, there = np.moveaxis(out, axis, 0), np.moveaxis(mask, axis, 0)
        here[1:] &= there[:-1]
        here[:-1] &= there[1:]
    return out


def _iso_surface(field: Array, level: float, affine: Array) -> Mesh:
    """Flying edges, the largest part, Taubin smoothing, then to the world. `field` is padded by one voxel."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkImageData
    from vtkmodules.vtkFiltersCore import (
        vtkFlyingEdges3D,
        vtkPolyDataConnectivityFilter,
        vtkWindowedSincPolyDataFilter,
    )

    volume = vtkImageData()
    volume.SetDimensions(*field.shape)
    volume.SetOrigin(-1.0, -1.0, -1.0)
    scalars = numpy_to_vtk(field.ravel(order="F"), deep=True)
    volume.GetPointData().SetScalars(scalars)
    edges = vtkFlyingEdges3D()
    edges.SetInputData(volume)
    edges.SetValue(0, level)
    edges.ComputeNormalsOff()
    edges.ComputeGradientsOff()
    edges.ComputeScalarsOff()
    largest = vtkPolyDataConnectivityFilter()
    largest.SetInputConnection(edges.GetOutputPort())
    largest.SetExtractionModeToLargestRegion()
    smooth = vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(largest.GetOutputPort())
    smooth.SetNumberOfIterations(TAUBIN_PASSES)
    smooth.SetPassBand(TAUBIN_BAND)
    smooth.BoundarySmoothingOff()
    smooth.Update()
    surface = smooth.GetOutput()
    if surface.GetNumberOfPolys() == 0:
        return NOBODY.mesh
    vertices = vtk_to_numpy(surface.GetPoints().GetData()).astype(np.float64)
    faces = vtk_to_numpy(surface.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    used = np.zeros(len(vertices), dtype=bool)  # the connectivity filter leaves orphaned points
    used[faces] = True
    faces = (np.cumsum(used) - 1)[faces]
    world = vertices[used] @ affine[:3, :3].T + affine[:3, 3]
    a, b, c = (world[faces[:, i]] - world[0] for i in range(3))
    outwards = float((a * np.cross(b, c)).sum()) > 0  # six times the enclosed volume, with its sign
    return Mesh(world, faces if outwards else faces[:, ::-1])


def focus(solid: Mask, grid: Grid) -> tuple[float, float, float]:
    """The point between and behind the eyes, read from the slab of skull that defacing leaves alone."""
    points = np.argwhere(solid[::2, ::2, ::2]) * 2.0  # (N, 3) voxels
    world = points @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    top = float(world[:, 2].max()) + _missing_crown_mm(solid, grid)
    below = top - world[:, 2]
    slab = world[(below > SLAB_MM[0]) & (below < SLAB_MM[1])]
    slab = slab if len(slab) else world
    low, high = np.percentile(slab, [1, 99], axis=0)
    middle = (low + high) / 2
    return float(middle[0]), float(middle[1]) + FOCUS_FORWARD_MM, top - FOCUS_DOWN_MM


def _missing_crown_mm(solid: Mask, grid: Grid) -> float:
    """Height of the crown that the field of view cut off: 0 unless the head touches the top of the volume.

    The section of an ellipsoid at height u above its centre has the area pi a b (1 - u^2 / c^2).
    """
    if not solid[:, :, -2:].any():
        return 0.0
    a, b, c = SKULL_MM
    area = float(solid[:, :, -2:].any(axis=2).sum()) * grid.spacing_mm**2
    return float(c * (1 - np.sqrt(max(1 - area / (np.pi * a * b), 0.0))))
