"""Replace: another face instead of the patient's own.

    image ──parts, with the air before them──> region ──no voxel of it is read again──>
    another face ──placed, bent to the kept skin──> Graft ──levels, coil, noise of the kept ring──> values

A head without a face breaks what follows: registrations, segmentations, detectors of faces. A head with
another face does not. Where the head lies is read from all of it, and so is how it moved in a series. From there
on, what is pasted and where depends on the kept voxels, the place of the brain and the face chosen, and on nothing
else: not one number of the region is read, not even for the seed of the noise or the end of the margin. So
whoever has the release, the place and this program can compute the pasted face of a single volume again, and
learns nothing by it that these had not said. Where a face leaves the view and comes in again at another edge, that
it does, and where its piece ends, is read from it; see `wrapped`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from medveil.core.errors import Refusal, UsageError
from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.locate.grid import Volume
from medveil.locate.head import looks_like_hounsfield
from medveil.protect.deface.faces import read_face, synthetic
from medveil.protect.deface.graft import Graft, graft
from medveil.protect.deface.layers import points_of, sample, stream_of
from medveil.protect.deface.matching import Ring, in_coats, look_of
from medveil.protect.deface.method import Change, Method
from medveil.protect.deface.parts import FACE, PARTS
from medveil.protect.deface.shares import filled, shares
from medveil.protect.deface.site import Site
from medveil.protect.deface.stock import BODY_OF_FACE
from medveil.protect.deface.wrapped import wraps

FINEST_MM, COARSEST_MM = 1.5, 2.0  # of a synthetic face; its skin is known between voxels
LEAST_IN_VIEW = 0.5  # of the other face's tissue
PSF_VOXELS = 0.5  # standard deviation of a scanner's blur
RING_VOXELS = 1_000_000  # of the image: the ring is sampled from so many
CLEAR_MM = 12.0  # a voxel so far out, as read from the even grid, is air
TISSUE_MM, AIR_MM = -1.5, 9.0  # inside the kept skin; clearly outside


Index = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Replace(Method):
    """Deface by putting another face in the place of the patient's own, ears included.

    Args:
        face: 0 for the mean person of the simulator, any other number for a random one of its people.
        template: file of a cohort's mean face instead; see `cohort_face`.
        forehead: also the forehead; the brain with its margin stays as it is.
    """

    name: ClassVar[str] = "deface.replace"
    summary: ClassVar[str] = "put another face in the place of the patient's own, with the brain untouched"
    margin_ends_at_skin: ClassVar[bool] = False

    face: int = 0
    template: str = ""
    forehead: bool = False

    def __post_init__(self) -> None:
        if self.face < 0:
            raise UsageError(f"{self.name}: face must be 0 or more")
        if self.face and self.template:
            raise UsageError(f"{self.name}: face and template exclude each other")
        super().__post_init__()

    def check(self) -> None:
        """Raises:
        InputRefused: the template is not there, or holds something else.
        """
        if self.template:
            read_face(Path(self.template))

    @property
    def volumes(self) -> tuple[str, ...]:
        return tuple(FACE) + ("forehead",) * self.forehead

    def describe(self) -> str:
        whose = "the mean face of a cohort" if self.template else "the face of nobody"
        return (
            f"find the head, remove {', '.join(self.volumes)} and the air before them, put {whose} there, and "
            f"change nothing within {self.margin_mm:g} mm of the brain"
        )

    def change(self, site: Site) -> Change:
        """Raises:
        Refusal: `field of view cuts the face` where less than half of the face would be in it.
        """
        image, region = site.image, site.parts(self.volumes)
        mm = float(np.clip(min(image.spacing_mm), FINEST_MM, COARSEST_MM))
        face = read_face(Path(self.template)) if self.template else synthetic(self.face, mm)
        unread = np.any([region, *(w.altered for w in wraps(site, self.leaving))], axis=0)
        laid = graft(site, unread, face) if region.any() else None
        if laid is None or _in_view(laid, site) < LEAST_IN_VIEW:
            raise Refusal("field of view cuts the face", "less than half of it would be in the image")
        return Change(unread, _paste(site, unread, laid, stream_of(self.name, image.data[~unread])))


def _in_view(laid: Graft, site: Site) -> float:
    """Share of the other face's tissue that lies in the image."""
    every = 4
    tissue = laid.face.outward_mm[::every, ::every, ::every] < 0
    at = np.argwhere(tissue) * float(every)
    to_patient = np.linalg.inv(laid.to_face)
    points = at @ to_patient[:3, :3].T + to_patient[:3, 3]
    mni = (points @ site.affine_to_mni[:3, :3].T + site.affine_to_mni[:3, 3]).T
    face = np.any([PARTS[name](*mni) for name in BODY_OF_FACE], axis=0)
    voxel = np.linalg.inv(site.image.affine)
    index = points[face] @ voxel[:3, :3].T + voxel[:3, 3]
    inside = ((index > -0.5) & (index < np.array(site.shape) - 0.5)).all(1)
    return float(inside.mean()) if inside.size else 0.0


def _paste(site: Site, region: Mask, laid: Graft, rng: np.random.Generator) -> Volume:
    """(I, J, K[, T]) real values, of which those in the region count."""
    image = site.image
    blur_mm = PSF_VOXELS * float(np.mean(image.spacing_mm))
    index, beside, ring = _ring(image, region, laid, blur_mm)
    first = _values_at(image, index, (0,) * (image.data.ndim - 3))
    hounsfield = site.found.modality == "ct" and looks_like_hounsfield(first)
    ring, face = in_coats(ring, first, laid.face, blur_mm)

    points = points_of(region, image.affine)
    near = laid.roughly(points) < CLEAR_MM
    points = points[near]
    at, outward = laid.bent(points)
    inside = np.zeros(near.shape, dtype=np.float32)
    inside[near] = filled(outward, blur_mm)
    mix = shares(face, at, outward, blur_mm)
    where = laid.grid.indices(points)
    out = np.zeros(image.data.shape, dtype=np.float32)
    pasted = np.zeros(near.shape, dtype=np.float32)
    for volume in np.ndindex(image.data.shape[3:]):
        look = look_of(
            _values_at(image, index, volume), _values_at(image, beside, volume), ring, laid, blur_mm,
            hounsfield=hounsfield, magnitude=site.found.modality == "mr",
        )  # fmt: skip
        pasted[near] = look.paint(mix, inside[near], sample(look.field, where), sample(look.rest, where))
        out[(..., *volume)][region] = look.noise.add(pasted, inside, rng)
    return out


def _values_at(image: Image, index: Index, volume: tuple[int, ...]) -> Volume:
    """(N,) real values of one volume of an image at (N, 3) indices."""
    stored = image.data[(*index.T, *volume)]
    return image.with_data(stored[:, None, None]).values().ravel()


def _ring(image: Image, region: Mask, laid: Graft, blur_mm: float) -> tuple[Index, Index, Ring]:
    """Kept voxels around the region, and the neighbour of each along the first axis, also kept."""
    step = max(1, int(np.ceil(np.cbrt(region.size / RING_VOXELS))))
    every = tuple(slice(0, n - 1 if axis == 0 else n, step) for axis, n in enumerate(region.shape))
    kept = ~region[every]
    index = np.argwhere(kept) * step
    points = np.asarray(index @ image.affine[:3, :3].T + image.affine[:3, 3], dtype=np.float64)
    cell = np.rint(laid.grid.indices(points)).astype(np.int64)
    inside = ((cell >= 0) & (cell < laid.kept.shape)).all(1)
    index, points, cell = index[inside], points[inside], cell[inside]
    beside = index + np.array([1, 0, 0])
    held = laid.kept[tuple(cell.T)] & ~region[tuple(beside.T)]
    index, beside, points = index[held], beside[held], points[held]
    outward = sample(laid.outward_mm, laid.grid.indices(points))
    use = (outward < TISSUE_MM) | (outward > AIR_MM)
    index, beside, points, outward = index[use], beside[use], points[use], outward[use]
    at, _ = laid.bent(points)
    mix = shares(laid.face, at, outward, blur_mm)
    return index, beside, Ring(points, at, outward, mix, outward < TISSUE_MM, outward > AIR_MM)
