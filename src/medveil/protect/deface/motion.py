"""Motion: how a head moved during a series, so that one mask covers it in every volume.

    series ──6 mm──> each volume registered to the mean of the first ones ──> movements
    mask ──carried along with every movement that differs──> union

A mask that fits the first volumes leaves the tip of a nose in the volume where the head nodded. The mask of a
series is therefore the union of the mask over all places the head was in; so is what is protected. A
volume whose registration is not believed is a reason to refuse the series: nobody knows where its nose is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.locate.confidence import Information, displaced
from medveil.locate.grid import (
    FIRST_VOLUMES,
    Grid,
    Matrix,
    Vector,
    head_mask,
    isotropic,
    volume_of,
)
from medveil.locate.register import CENTRE, Picture, Stage, matrix_of, one_thread

MM = 6.0
STILL_MM = 0.5  # a volume whose head moved by less is taken as still
APART_MM = 0.25  # movements nearer to each other than this share one copy of the mask
LEAST_CORRELATION = 0.9  # with the reference, over head and edge; EPI in its right place has 0.97 or more
LEAST_PEAK = 1.4  # of the information here to the most of it with the head displaced by 30 mm or 25 degrees
MOST_MM, MOST_DEG = 40.0, 30.0  # heads in a coil do not move further; a fit that says so is lost
SMOOTHED_VOXELS = (2.0, 0.7)  # 12 mm of blur to find a head that moved far, 4 mm to place it
STEPS, SETTLED_MM = 15, 0.02
REACH_MM = 60.0  # corners of a cube of this half edge lie as far from the middle of a head as its nose


def movements(image: Image) -> tuple[Matrix, ...]:
    """How the head moved: one rigid movement a volume.

    Args:
        image: (I, J, K, T).

    Returns:
        T matrices (4, 4): RAS mm of a point of the head in the reference (the mean of the first 8 volumes,
        the one that `locate` sees) to its RAS mm in that volume. The identity where the head was still.

    Raises:
        Refusal: `motion not trusted`, where a volume does not fit the reference, or seems to have moved
            further than a head can.
    """
    reference = _grid(image, slice(0, FIRST_VOLUMES))
    head = head_mask(reference.values, MM)
    if not head.any():
        raise Refusal("motion not trusted", "no head in the mean of the first volumes")
    centre = reference.origin + MM * np.argwhere(head).mean(0)
    ways = _GreyLevels(reference, head, centre), _Information(reference, head, centre)
    out: list[Matrix] = []
    now = np.eye(4)
    for volume in range(image.data.shape[3]):
        grid = _grid(image, slice(volume, volume + 1))
        if float(np.ptp(grid.values)) > 0:  # an empty volume shows no nose, wherever it is
            now = _follow(ways, grid, volume, now)
        out.append(np.eye(4) if displacement_mm(now, centre) < STILL_MM else now)
    return tuple(out)


def farthest_mm(moves: Sequence[Matrix], image: Image) -> float:
    """The largest displacement of any part of a head about the middle of the field of view, in any volume."""
    middle = image.affine[:3, :3] @ ((np.array(image.data.shape[:3]) - 1) / 2) + image.affine[:3, 3]
    return max(displacement_mm(m, middle) for m in moves)


def displacement_mm(move: Matrix, centre: Vector) -> float:
    """The largest displacement under a movement of a head with its middle at `centre` (RAS mm)."""
    corners = centre + REACH_MM * (np.indices((2, 2, 2)).reshape(3, -1).T * 2.0 - 1.0)
    return float(np.linalg.norm(corners @ (move[:3, :3] - np.eye(3)).T + move[:3, 3], axis=1).max())


def over_all(mask: Mask, affine: Matrix, moves: Sequence[Matrix]) -> Mask:
    """The union of a mask over all places its head was in.

    What reaches the border of the image goes on beyond it, so a mask that runs out to the border still
    does so after it has moved.

    Args:
        mask: (I, J, K) over the reference; affine: (4, 4) its voxels to RAS mm; moves: from `movements`.
    """
    from scipy import ndimage as ndi

    out = mask.copy()
    to_voxel = np.linalg.inv(affine)
    soft = mask.astype(np.float32)
    for move in _distinct(moves, affine, mask.shape):
        back = to_voxel @ np.linalg.inv(move) @ affine
        moved = ndi.affine_transform(soft, back[:3, :3], back[:3, 3], order=1, mode="nearest")
        out |= moved > 0.25  # a quarter of a voxel of skin is skin
    return out


def _distinct(moves: Sequence[Matrix], affine: Matrix, shape: tuple[int, ...]) -> list[Matrix]:
    """Movements of which none is near another one or near standing still; all others are near one of them."""
    middle = affine[:3, :3] @ ((np.array(shape) - 1) / 2) + affine[:3, 3]
    out: list[Matrix] = [np.eye(4)]
    for move in moves:
        if all(displacement_mm(move @ np.linalg.inv(known), middle) > APART_MM for known in out):
            out.append(move)
    return out[1:]


def _follow(ways: tuple[_GreyLevels, _Information], grid: Grid, volume: int, start: Matrix) -> Matrix:
    """Where a volume's head is, looked for from where it was before, and else from where it began.

    Grey levels place it best and soonest. Volumes of another contrast (a diffusion weighting, a label) have
    them all different; there mutual information decides.
    """
    for way in ways:
        for begin in (start, np.eye(4)):
            move = way.fit(grid, begin)
            if move is not None:
                return move
    raise Refusal("motion not trusted", f"volume {volume + 1} does not fit the first ones")


class _GreyLevels:
    """Registration of volumes to the reference by least squares.

    Gauss and Newton over turn, shift, gain and offset, with the gradient taken of the reference once and for
    all (Friston et al. 1995 realign like this; the inverse composition is that of Baker and Matthews 2004).
    It takes 15 ms a volume, where a general optimiser took 270.

    Args:
        reference: the mean of the first volumes; head: (I, J, K) its head; centre: (3,) of it, RAS mm.
    """

    def __init__(self, reference: Grid, head: Mask, centre: Vector) -> None:
        from scipy import ndimage as ndi

        self.centre, self.values = centre, reference.values
        self.around = ndi.binary_dilation(head, iterations=2) & ndi.binary_erosion(reference.seen)
        self.points = (reference.origin + MM * np.argwhere(self.around)) - centre  # (N, 3)
        self.levels = [self._level(sigma) for sigma in SMOOTHED_VOXELS]

    def _level(self, sigma: float) -> tuple[float, Any, Any]:
        """One smoothness: its sigma, the values (N,) and the pseudo-inverse (8, N) of their derivatives."""
        from scipy import ndimage as ndi

        smooth = ndi.gaussian_filter(self.values, sigma)
        slope = np.stack([g[self.around] for g in np.gradient(smooth, MM)], axis=1).astype(np.float64)
        values = smooth[self.around].astype(np.float64)
        turns = np.cross(self.points, slope)  # how a value answers to a turn about each axis
        return sigma, values, np.linalg.pinv(np.column_stack([turns, slope, values, np.ones_like(values)]))

    def fit(self, grid: Grid, start: Matrix) -> Matrix | None:
        """The movement that fits a volume best, from smooth to sharp; None if it is not believed."""
        from scipy import ndimage as ndi

        about = np.eye(4)
        about[:3, 3] = self.centre
        move = np.linalg.inv(about) @ start @ about  # acts on points about the centre
        correlation = -1.0
        for sigma, values, solve in self.levels:
            smooth = ndi.gaussian_filter(grid.values, sigma)
            for _ in range(STEPS):
                at = grid.indices(self.points @ move[:3, :3].T + move[:3, 3] + self.centre)
                seen = ndi.map_coordinates(smooth, at.T, order=1, mode="nearest")
                correlation = _correlation(seen, values)
                step = solve @ (seen - values)
                step = _rigid(step[:3], step[3:6])
                move = move @ np.linalg.inv(step)
                if displacement_mm(step, np.zeros(3)) < SETTLED_MM:
                    break
        out = np.asarray(about @ move @ np.linalg.inv(about), dtype=np.float64)
        return out if correlation >= LEAST_CORRELATION and _is_a_heads(out, self.centre) else None


class _Information:
    """Registration of volumes of any contrast, by mutual information; slower, and believed less easily."""

    def __init__(self, reference: Grid, head: Mask, centre: Vector) -> None:
        from scipy import ndimage as ndi

        self.centre = centre
        self.around = ndi.binary_dilation(head, iterations=2) & reference.seen
        self.picture = Picture(reference.values, reference.origin, MM, self.around)

    def fit(self, grid: Grid, start: Matrix) -> Matrix | None:
        """The movement under which a volume tells most of the reference; None if it is not believed."""
        import SimpleITK as sitk

        moving = Picture(grid.values, grid.origin, MM, grid.seen).padded()
        transform = sitk.Euler3DTransform()
        transform.SetCenter(self.centre.tolist())
        transform.SetMatrix(start[:3, :3].ravel().tolist(), 1e-6)
        transform.SetTranslation((start[:3, :3] @ self.centre + start[:3, 3] - self.centre).tolist())
        with one_thread():
            stage = Stage((self.picture, moving), iterations=40, step_mm=2.0, smallest_mm=0.05)
            move = matrix_of(stage.run(transform)[1])
        information = Information(self.picture, self.around, moving)
        here = np.eye(4)
        here[:3, 3] = self.centre - CENTRE
        elsewhere = [information.at(move @ here @ d @ np.linalg.inv(here)) for d in displaced()]
        clear = information.at(move) >= LEAST_PEAK * max(*elsewhere, 1e-3)
        return move if clear and _is_a_heads(move, self.centre) else None


def _is_a_heads(move: Matrix, centre: Vector) -> bool:
    """Whether a head in a coil can have moved so."""
    turn_deg = np.degrees(np.arccos(np.clip((np.trace(move[:3, :3]) - 1) / 2, -1, 1)))
    return displacement_mm(move, centre) <= MOST_MM and bool(turn_deg <= MOST_DEG)


def _rigid(turn: Vector, shift: Vector) -> Matrix:
    """A rotation by the vector `turn` (radians about its own direction) and then a shift in mm."""
    from scipy.spatial.transform import Rotation

    out = np.eye(4)
    out[:3, :3], out[:3, 3] = Rotation.from_rotvec(turn).as_matrix(), shift
    return out


def _correlation(a: Any, b: Any) -> float:
    if a.std() == 0 or b.std() == 0:
        return -1.0
    return float(np.corrcoef(a, b)[0, 1])


def _grid(image: Image, volumes: slice) -> Grid:
    """The mean of some volumes on a small even grid."""
    values, affine = volume_of(image.with_data(image.data[..., volumes]))
    return isotropic(values, affine, MM)
