"""Depth: rays through picture points, and where they meet the skin."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.reidentify.depth import on_skin, rays
from medveil.attack.reidentify.surface import NOBODY, Head
from medveil.scene.camera import Camera, Mesh

SIZE = 400


def wall(y: float = 30.0, half: float = 60.0) -> Mesh:
    """A square before the camera at depth y; its front looks to +y."""
    corners = [[-half, y, -half], [half, y, -half], [half, y, half], [-half, y, half]]
    return Mesh(np.array(corners), np.array([[0, 2, 1], [0, 3, 2]]))


@pytest.mark.parametrize("camera", [Camera((0, 0, 0)), Camera((5, -9, 40), 30, -10, 12)])
def test_rays_are_the_inverse_of_the_projection(camera: Camera) -> None:
    pixels = np.array([[200.0, 200.0], [0.0, 0.0], [399.0, 17.5], [123.4, 310.0]])
    for reach in (300.0, 700.0):
        points = camera.position_mm + reach * rays(camera, pixels)
        assert np.allclose(camera.project(points), pixels, atol=1e-6)


def test_points_are_laid_onto_the_first_surface_that_they_meet() -> None:
    camera = Camera((0.0, 0.0, 0.0))
    near, far = wall(30.0, 20.0), wall(-50.0, 60.0)
    both = Mesh(np.concatenate([near.vertices, far.vertices]), np.concatenate([near.faces, far.faces + 4]))
    wanted = np.array([[0.0, 30.0, 0.0], [-15.0, 30.0, 12.0], [40.0, -50.0, 44.0]])
    places, met = on_skin(Head(both, (0.0, 0.0, 0.0)), [camera], [camera.project(wanted)])
    assert met.all()
    assert np.allclose(places[0], wanted, atol=1e-3)


def test_a_ray_through_air_is_told_and_given_the_nearest_skin() -> None:
    camera = Camera((0.0, 0.0, 0.0))
    head = Head(wall(30.0, 60.0), (0.0, 0.0, 0.0))
    beside = camera.project(np.array([[80.0, 30.0, 61.0]]))
    places, met = on_skin(head, [camera], [beside])
    assert not met.any()
    assert np.allclose(places[0, 0], [60.0, 30.0, 60.0])  # the corner


def test_views_of_one_point_agree_in_space() -> None:
    head = Head(wall(), (0.0, 0.0, 0.0))
    cameras = [Camera((0.0, 0.0, 0.0), yaw, pitch) for yaw, pitch in ((0, 0), (25, 5), (-20, -10))]
    point = np.array([[11.0, 30.0, -7.0]])
    places, _ = on_skin(head, cameras, [c.project(point) for c in cameras])
    assert np.allclose(places, point, atol=1e-3)


def test_nobody_has_points_too_and_none_on_skin() -> None:
    camera = Camera((0.0, 0.0, 0.0))
    places, met = on_skin(NOBODY, [camera], [np.array([[200.0, 200.0], [10.0, 300.0]])])
    assert not met.any()
    assert np.allclose(camera.project(places[0]), [[200, 200], [10, 300]])
    assert np.allclose(places[0, 0], 0)
