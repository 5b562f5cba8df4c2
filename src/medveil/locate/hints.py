"""Hints: what a user knows of where a head lies, as an affine or as points of its face."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medveil.core.errors import Refusal, UsageError
from medveil.core.release import Mask
from medveil.locate.confidence import SHAPE, Rule, anatomy, beyond_l, judge, refusal
from medveil.locate.grid import (
    MINIMUM_HEAD_MM3,
    Grid,
    Matrix,
    Vector,
    Volume,
    blurred,
    bodies,
    faint,
    head_mask,
    inverse,
    isotropic,
    solid,
)
from medveil.locate.location import Location, Path
from medveil.locate.speckle import without_speckle
from medveil.locate.starts import Start

# MNI mm; middles of the ranges read from six T1 heads, see `parts`.
LANDMARKS: Mapping[str, tuple[float, float, float]] = {
    "nasion": (0.0, 86.0, -28.0),
    "nose_tip": (0.0, 97.0, -70.0),
    "chin": (0.0, 87.0, -125.0),
    "left_ear": (-88.0, -22.0, -38.0),
    "right_ear": (88.0, -22.0, -38.0),
    "left_eye": (-32.0, 57.0, -38.0),
    "right_eye": (32.0, 57.0, -38.0),
}
LEAST_LANDMARKS = 3
# The faces of two people differ by a centimetre or two in MNI mm; a mirrored or turned head by five and more.
LANDMARK_RULE: Rule = {"landmark_mm": (0.0, 30.0)}
GIVEN: Rule = {n: SHAPE[n] for n in ("scale_max", "scale_min", "scale_ratio", "in_head", "in_view")}
MM = 4.0


def as_given(values: Volume, affine: Matrix, affine_to_mni: Matrix, modality: Path) -> Location:
    """A location from an affine made by other means, image RAS+ mm to MNI mm.

    Raises:
        Refusal: the brain that it puts is not in view, not in the head, or has not the size of a brain.
        UsageError: not an invertible affine.
    """
    to_mni = np.asarray(affine_to_mni, dtype=np.float64)
    if to_mni.shape != (4, 4) or not np.isfinite(to_mni).all() or np.linalg.det(to_mni[:3, :3]) <= 1e-6:
        raise UsageError("affine_to_mni: expected a 4x4 affine that turns nothing inside out")
    even = isotropic(values, affine, MM)
    grid = without_speckle(even, values, affine)
    head = _head(grid, even)
    out = inverse(to_mni)
    scales = np.linalg.svd(out[:3, :3], compute_uv=False)
    found = {
        "scale_max": float(scales[0]),
        "scale_min": float(scales[-1]),
        "scale_ratio": float(scales[0] / scales[-1]),
        "beyond_l": beyond_l(out, bodies(grid), 2 * MM),
        **anatomy(out, grid, head),
    }
    if failed := judge(found, GIVEN):
        raise refusal(found, failed, GIVEN)
    view = {"brain_in_view": found["in_view"], "head_l": float(head.sum() * MM**3 / 1e6)}
    return Location(out, found, modality, view, way="given")


def _head(grid: Grid, even: Grid) -> Mask:
    """The head on a grid; that of an image which is mostly noise, as of perfusion, from a blurred copy.

    Args:
        grid, even: without speckle, as which such noise is taken away with the head in it; and with it.

    Raises:
        Refusal: no body stands out in either.
    """
    head = head_mask(grid.values, MM)
    if _is_small(head):
        head = solid(faint(blurred(even.values)) & even.seen, MM)
    if _is_small(head):
        raise Refusal("no head found", "no body of at least 0.3 litre stands out from the air")
    return head


def _is_small(head: Mask) -> bool:
    return float(head.sum()) * MM**3 < MINIMUM_HEAD_MM3


def landmark_starts(landmarks: Mapping[str, tuple[float, float, float]]) -> tuple[Start, ...]:
    """The similarity that brings the template's landmarks onto the given ones best, as one start.

    Args:
        landmarks: name to RAS+ mm; none, or at least three.

    Raises:
        UsageError: an unknown name, too few, or all of them on one line.
    """
    if not landmarks:
        return ()
    if unknown := sorted(set(landmarks) - set(LANDMARKS)):
        raise UsageError(f"landmarks: no {unknown[0]}", hint="known are " + ", ".join(LANDMARKS))
    if len(landmarks) < LEAST_LANDMARKS:
        raise UsageError(f"landmarks: {len(landmarks)} given, expected at least {LEAST_LANDMARKS}")
    mni, ras = _pairs(landmarks)
    return (Start(placed=similarity(mni, ras), distant=False),)


def landmark_signal(landmarks: Mapping[str, tuple[float, float, float]], affine: Matrix) -> dict[str, float]:
    """`landmark_mm`: median distance between the given landmarks and where an affine puts the template's."""
    if not landmarks:
        return {}
    mni, ras = _pairs(landmarks)
    off = np.linalg.norm(mni @ affine[:3, :3].T + affine[:3, 3] - ras, axis=1)
    return {"landmark_mm": float(np.median(off))}


def _pairs(landmarks: Mapping[str, tuple[float, float, float]]) -> tuple[Vector, Vector]:
    """(N, 3) MNI mm and (N, 3) RAS mm of the landmarks that were given."""
    names = sorted(landmarks)
    return np.array([LANDMARKS[n] for n in names]), np.array([landmarks[n] for n in names], dtype=float)


def similarity(source: Vector, target: Vector) -> Matrix:
    """(4, 4) turn, one scale and shift that bring points onto points with the least squares.

    After Umeyama, IEEE PAMI 13 (1991) 376-380.

    Raises:
        UsageError: the points lie on one line, so a turn about it stays open.
    """
    a, b = source - source.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(b.T @ a / len(a))
    if s[1] < 1e-3 * s[0]:
        raise UsageError(
            "landmarks: lie on one line", hint="give both eyes or ears and a point of the midline"
        )
    flip = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(u @ vt)))])
    turn = u @ flip @ vt
    scale = float((s * np.diag(flip)).sum() / (a**2).sum(1).mean())
    out = np.eye(4)
    out[:3, :3] = scale * turn
    out[:3, 3] = target.mean(0) - out[:3, :3] @ source.mean(0)
    return out
