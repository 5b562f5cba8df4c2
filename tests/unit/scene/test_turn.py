"""Turning: a head seen from side to side, and how far one surface lies from another."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.scene.camera import Mesh
from medveil.scene.distance import distances_mm
from medveil.scene.turn import thinned, turned

NOTHING = Mesh(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64))


def box(low: tuple[float, float, float], high: tuple[float, float, float]) -> Mesh:
    """A box as twelve triangles, wound counter-clockwise seen from outside."""
    corners = np.array([[(low, high)[b >> a & 1][a] for a in range(3)] for b in range(8)], float)
    squares = [(0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (2, 6, 7, 3), (0, 4, 6, 2), (1, 3, 7, 5)]
    faces = [t for a, b, c, d in squares for t in ((a, b, c), (a, c, d))]
    return Mesh(corners, np.array(faces))


@pytest.fixture(scope="module")
def strip() -> np.ndarray:
    """A long nose, pointing forwards (+y), seen from the left, the front and the right."""
    return turned(box((-10, 0, -10), (10, 100, 10)), (0.0, 0.0, 0.0), (-90.0, 0.0, 90.0), 64)


def test_frames_stand_side_by_side(strip: np.ndarray) -> None:
    assert strip.shape == (64, 3 * 64)


def test_the_nose_points_left_then_at_us_then_right(strip: np.ndarray) -> None:
    seen = strip > 60
    left, front, right = (np.flatnonzero(seen[:, 64 * n : 64 * n + 64].any(axis=0)) for n in range(3))
    assert left.min() < 10 < left.max() < 40
    assert 20 < right.min() < 54 < right.max()
    assert len(front) < 15
    assert abs(front.mean() - 31.5) < 1.5


def test_each_side_is_lit(strip: np.ndarray) -> None:
    assert all(strip[:, 64 * n : 64 * n + 64].max() > 120 for n in range(3))


def test_nothing_gives_frames_of_the_background() -> None:
    strip = turned(NOTHING, (0.0, 0.0, 0.0), (0.0, 90.0), 32)
    assert strip.shape == (32, 64)
    assert len(np.unique(strip)) == 1


def test_a_thinned_surface_has_fewer_corners_in_the_same_place() -> None:
    k = np.arange(41 * 41)
    sheet = np.stack([k % 41, k // 41, 3 * np.sin(k % 41 / 8)], axis=1)
    corner = k[(k % 41 < 40) & (k // 41 < 40)]
    faces = np.concatenate(
        [np.stack([corner, corner + 1, corner + 41], 1), np.stack([corner + 1, corner + 42, corner + 41], 1)]
    )
    thick = Mesh(sheet, faces)
    thin = thinned(thick, 3.0)
    assert len(thin.faces) < len(thick.faces) / 5
    assert distances_mm(thin.vertices, thick).max() < 0.5
    assert np.array_equal(thinned(thick, 3.0).vertices, thin.vertices)
    assert thinned(thick, 1000.0).faces.shape == thick.faces.shape


def test_distances_are_to_the_triangles_and_not_to_their_corners() -> None:
    cube = box((0, 0, 0), (100, 100, 100))
    points = [[50, 50, 107.0], [50, 50, 100.0], [50, 50, 95.0], [103.0, 104.0, 50]]
    assert distances_mm(np.array(points), cube) == pytest.approx([7, 0, 5, 5], abs=1e-4)


def test_a_surface_that_is_not_there_is_infinitely_far() -> None:
    assert np.isinf(distances_mm(np.zeros((2, 3)), NOTHING)).all()
