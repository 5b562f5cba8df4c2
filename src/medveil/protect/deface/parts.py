"""Parts: the volumes of a face by name, in MNI millimetres.

The brain of a head fixes where its face is to about a centimetre, so every volume is generous and open to
the front: it takes the air before the face along, where the noise and the ghosts of a scan can hold a
second face. Towards the side, where no brain lies, volumes are open as well. What protects the brain is
never the shape of a volume: the protected region is subtracted from all of them.

Read from six T1 heads (spread from person to person in brackets): eye centre (+-32, 57, -38); skin over the
eyes y 74 to 95; nasion (0, 80 to 92, -28); nose tip (0, 84 to 107, -60 to -81); lips z -84 to -105;
chin z -110 to -140, y 76 to 98; ears |x| 80 to 100, y -40 to -4, z -75 to 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.core.release import Mask
from medveil.locate.grid import Matrix
from medveil.locate.template import template

Coordinate = npt.NDArray[np.float64]
Volume = Callable[[Coordinate, Coordinate, Coordinate], Any]


def eyes(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """Eyeballs, lids, root of the nose and brow, up to the brain; out to the side, with the air there."""
    aside = np.abs(x)
    back = 44 + 0.45 * np.clip(aside - 36, 0, 30)
    top = -14 + np.clip(1.2 * (y - 62), 0, 17)
    return (y > back) & (z > -60) & (z < top)


def nose(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    return (np.abs(x) < 26) & (y > 66) & (z > -92) & (z < -14 + np.clip(0.5 * (y - 80), -14, 6))


def cheeks(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """Cheeks, cheekbones and the sides of the jaw as far back as the ears."""
    return ((y > _jaw(z)) & (z <= -52) | _flank(x, y, z)) & (z > -112)


def mouth(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    return (np.abs(x) < 48) & (y > _jaw(z)) & (z > -114) & (z <= -84)


def _jaw(z: Coordinate) -> Any:
    """The back of the lower face: it falls from the cheekbones to behind the chin."""
    return 50 - np.clip(-0.37 * (z + 52), 0, 20)


def _flank(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """The sides of the face before the ears: chewing muscle and angle of the jaw.

    With them left in place the outline of the jaw alone still told simulated people apart
    (`benchmarks/reidentification`).
    """
    # Under the level of the brain they go back to the ear.
    return (
        (np.abs(x) > 40 + 0.4 * np.clip(8 - y, 0, 44)) & (y > 8 - np.clip(-0.9 * (z + 30), 0, 44)) & (z < -30)
    )


def chin(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """Chin and body of the jaw; further down, where a body begins, the volume draws back to the front."""
    front = (y > 7 + np.clip(-1.0 * (z + 204), 0, 80)) & (z > -240)
    return (front | _flank(x, y, z) & (z > -175)) & (z <= -106)


def ears(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    wall = 76 - np.clip(-0.2 * (z + 25), 0, 6)
    return (np.abs(x) > wall) & (y > -78) & (y < 16) & (z > -106) & (z < 9)


def forehead(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """The shell before the brain above the brow: its skin, and the bone beyond the margin."""
    return (y > 30) & (z > -22) & (z < 62)


def nasal_cavity(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """What a refacing attack reads the nose from."""
    return (np.abs(x) < 20) & (y > 0) & (y <= 70) & (z > -100) & (z < -38)


def throat(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    return (np.abs(x) < 30) & (y > -20) & (y <= 34) & (z < -60)


def front(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """The face from the brow to the chin without its flanks, about as other tools cut it.

    It has millimetres of its own: the parts above may grow, what others remove does not grow with them.
    """
    aside = np.abs(x)
    brow = -21 + np.clip(0.9 * (y - 64), 0, 24)
    upper = (y > 44 + 0.45 * np.clip(aside - 36, 0, 30)) & (z > -60) & (z < brow)
    bridge = (aside < 26) & (y > 66) & (z > -60) & (z < -8)
    lower = (y > 50 - np.clip(-0.37 * (z + 52), 0, 20)) & (z <= -52) & (z > -112)
    under = (y > 30 + np.clip(-1.0 * (z + 175), 0, 60)) & (z <= -106) & (z > -215)
    return (upper | bridge | lower | under) & (aside < 72)


def eye_box(x: Coordinate, y: Coordinate, z: Coordinate) -> Any:
    """Above the lowest slice of the eyes and before the middle of the eyeballs: brow and forehead as well.

    Radiotherapy keeps what lies below for glands and nodes. The rule, not its millimetres, is from
    O'Sullivan-Steben et al. (2025).
    """
    return (y > 57) & (z > -52)


FACE: Mapping[str, Volume] = {
    "eyes": eyes,
    "nose": nose,
    "cheeks": cheeks,
    "mouth": mouth,
    "chin": chin,
    "ears": ears,
}
MORE: Mapping[str, Volume] = {
    "forehead": forehead,
    "nasal_cavity": nasal_cavity,
    "throat": throat,
    "front": front,
    "eye_box": eye_box,
}
PARTS: Mapping[str, Volume] = {**FACE, **MORE}


def in_parts(names: tuple[str, ...], shape: tuple[int, ...], to_mni: Matrix) -> dict[str, Mask]:
    """Each named volume as a mask over an array.

    Args:
        shape: (I, J, K) of the array; to_mni: (4, 4) from its voxel indices to MNI mm.
    """
    out = {name: np.zeros(shape, dtype=bool) for name in names}
    for i, xyz in enumerate(mni_slices(shape, to_mni)):
        for name in names:
            out[name][i] = PARTS[name](*xyz)
    return out


def mni_slices(shape: tuple[int, ...], to_mni: Matrix) -> Iterator[tuple[Coordinate, Coordinate, Coordinate]]:
    """MNI x, y, z of an array, one slice (J, K) at a time: those of a whole CT would fill the memory."""
    j, k = (np.arange(n, dtype=np.float64) for n in shape[1:])
    for i in range(shape[0]):
        x, y, z = (row[0] * i + row[3] + row[1] * j[:, None] + row[2] * k[None, :] for row in to_mni[:3])
        yield x, y, z


def near_brain(
    shape: tuple[int, ...], to_mni: Matrix, margin_mm: float, mm_per_mni: float, skin: Mask | None = None
) -> Mask:
    """(I, J, K) True within the brain of the template and `margin_mm` around it, in patient millimetres.

    Args:
        to_mni: (4, 4) voxel indices to MNI mm.
        mm_per_mni: size of this head in templates, to turn MNI distances into patient distances.
        skin: (I, J, K) where the margin ends, and only the brain itself counts.
    """
    from scipy import ndimage as ndi

    t = template()
    out = np.zeros(shape, dtype=bool)
    corners = t.points(np.ones((2, 2, 2), dtype=bool))
    corners = t.origin + (corners - t.origin) * (np.array(t.brain.shape) - 1)
    from_mni = np.linalg.inv(to_mni)
    box = corners @ from_mni[:3, :3].T + from_mni[:3, 3]
    low = np.clip(np.floor(box.min(0)), 0, shape).astype(int)
    high = np.clip(np.ceil(box.max(0)) + 1, 0, shape).astype(int)
    if (high <= low).any():
        return out
    into = np.diag([1 / t.mm, 1 / t.mm, 1 / t.mm, 1.0])
    into[:3, 3] = -t.origin / t.mm
    into = into @ to_mni
    distance = ndi.affine_transform(
        t.distance_mm,
        into[:3, :3],
        into[:3, 3] + into[:3, :3] @ low,
        output_shape=tuple(high - low),
        order=1,
        cval=1e3,
    )
    # Distances of the template count from voxel centres: the surface lies half a voxel further out.
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    distance = (distance - t.mm / 2) * mm_per_mni
    out[window] = distance <= margin_mm
    if skin is not None:
        out[window] &= (distance <= 0.0) | ~skin[window]
    return out
