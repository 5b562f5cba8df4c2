"""Features: what a learner is told of one image, in two blocks of numbers, by source.

    volume      the whole head on 10 mm cubes around its own skull │ width, length, litres of the head
    brain       the brain on the template's grid                   │ its size along three axes
    render      face embedding of renders of the head              │ -
    photograph  face embedding of a photograph                     │ -

An alignment that scales everybody to one size throws away the best sign of sex there is, so sizes come beside the
aligned intensities as a block of their own. An image in which nothing was found gives no features: the attack
then guesses without them, and says in how many images that was so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.attack.link.aligned import Aligned, AlignedBrain
from medveil.attack.observer import Look, Observer
from medveil.attack.reidentify.grid import head_grid
from medveil.attack.reidentify.observe import Observation, Photograph, Renders
from medveil.attack.reidentify.surface import FOCUS_DOWN_MM, SLAB_MM, find_head
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.image import Image

Array = npt.NDArray[Any]
Source = Literal["volume", "brain", "render", "photograph", "table", "prior"]

# Box around the focus of a head, which lies behind the nose bridge: RAS mm, half of a neck below.
BOX_MM = ((-90.0, 90.0), (-190.0, 50.0), (-120.0, 140.0))
COARSENESS_MM = (4.0, 40.0)


@dataclass(frozen=True, eq=False, repr=False)
class Features:
    """Numbers of one image.

    Args:
        dense: (D,) many numbers that go together: intensities, an embedding.
        sizes: (S,) a few that stand alone; may be empty.
    """

    dense: Array
    sizes: Array

    def __repr__(self) -> str:
        return f"Features({len(self.dense)} dense, {len(self.sizes)} sizes)"


@dataclass(frozen=True)
class CoarseHead:
    """The head on coarse cubes, moved so that skulls agree; neither turned nor scaled. Defaced heads land alike.

    Args:
        cube_mm: edge of the cubes.
    """

    cube_mm: float = 10.0

    def __post_init__(self) -> None:
        if not COARSENESS_MM[0] <= self.cube_mm <= COARSENESS_MM[1]:
            raise UsageError(
                f"cube_mm: is {self.cube_mm:g}, expected {COARSENESS_MM[0]:g} to {COARSENESS_MM[1]:g}"
            )

    def __call__(self, image: Image) -> Features | None:
        """Intensities over the 90th percentile of the skull's, and three sizes; None if nothing is there."""
        if image.kind != "intensity":
            return None
        head = find_head(image)
        if head.is_empty:
            return None
        focus = np.array(head.focus_mm)
        shown, upper = _sampled(image, focus, self.cube_mm)
        level = float(np.percentile(shown[upper], 90))
        if not level > 0:
            return None
        vertices, faces = head.mesh.vertices - focus, head.mesh.faces
        return Features(shown / level, np.log(_sizes_mm(vertices, faces)))


def _sampled(image: Image, focus: Array, cube_mm: float) -> tuple[Array, Array]:
    """(D,) values on the cubes of the box, from the image's own darkest up, and which lie in the skull."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    grid = head_grid(image)
    smooth = gaussian_filter(grid.values, 0.4 * cube_mm / grid.spacing_mm)
    axes = [np.arange(low, high + 0.5 * cube_mm, cube_mm) for low, high in BOX_MM]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)  # (D, 3)
    inverse = np.linalg.inv(grid.affine)
    at = (points + focus) @ inverse[:3, :3].T + inverse[:3, 3]
    floor = float(grid.values.min())
    shown = map_coordinates(smooth, at.T, order=1, mode="constant", cval=floor).astype(np.float64) - floor
    return shown, points[:, 2] > FOCUS_DOWN_MM - SLAB_MM[1]


def _sizes_mm(vertices: Array, faces: Array) -> Array:
    """(3,) width and length of the skull's slab that no defacing removes; cube root of the volume of all."""
    below = FOCUS_DOWN_MM - vertices[:, 2]
    slab = vertices[(below > SLAB_MM[0]) & (below < SLAB_MM[1])]
    slab = slab if len(slab) else vertices
    low, high = np.percentile(slab[:, :2], [1, 99], axis=0)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    volume = abs(float((a * np.cross(b, c)).sum())) / 6
    return np.asarray(np.maximum([*(high - low), np.cbrt(volume)], 1.0))


def seen_features(
    cohort: Cohort, source: Source, observer: Observer, *, views: int, cube_mm: float, brain_mm: float
) -> list[Features | None]:
    """The features of each image, in the order of the cohort; None where nothing was found."""
    look: Look[Any]
    if source == "volume":
        look = CoarseHead(cube_mm)
    elif source == "brain":
        look = AlignedBrain(brain_mm)
    else:
        look = Renders(views) if source == "render" else Photograph()
    return [_features(seen, views) for seen in observer.see(cohort, look).values()]


def _features(seen: Features | Aligned | Observation | None, views: int) -> Features | None:
    if isinstance(seen, Observation):
        if seen.empty:
            return None
        return Features(seen.embedding[:views].mean(axis=0, dtype=np.float64), np.empty(0))
    if isinstance(seen, Aligned):
        if seen.empty or not seen.located:
            return None
        shown = seen.values.astype(np.float64)
        shown[~np.isfinite(shown)] = float(np.nanmean(shown))  # out of view: as if it were like the rest
        return Features(shown, np.log(seen.size))
    return seen
