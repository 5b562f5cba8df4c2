"""Residual: what is left of a face, on a simulated head with known changes."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.reidentify.surface import NOBODY, Head, find_head
from medveil.carry.residual import face_skin, residual
from medveil.core.image import Image
from medveil.scene.camera import Mesh


@pytest.fixture(scope="module")
def before(head: Image) -> Head:
    return find_head(head)


def cut_off(head: Head, back_mm: float) -> Head:
    """The head with everything in front of a plane pushed back onto that plane."""
    vertices = head.mesh.vertices.copy()
    vertices[:, 1] = np.minimum(vertices[:, 1], head.focus_mm[1] + back_mm)
    return Head(Mesh(vertices, head.mesh.faces), head.focus_mm)


def test_the_same_head_has_moved_nowhere_and_looks_like_itself(before: Head) -> None:
    same = residual(before, before)
    assert same["face_detected_before"] == same["face_detected_after"]
    assert same["descriptor_distance"] == 0
    assert same["skin_moved_mm"] == pytest.approx(0, abs=1e-3)
    assert same["skin_moved_share"] == 0


def test_a_face_that_is_cut_off_has_moved_and_looks_like_somebody_else(before: Head) -> None:
    skin = face_skin(before)
    cut = residual(before, cut_off(before, 20.0))
    depth = float((skin[:, 1] - before.focus_mm[1] - 20.0).mean())  # no point can be nearer than the plane
    assert cut["skin_moved_mm"] == pytest.approx(depth, rel=0.1)
    assert cut["skin_moved_share"] == 1
    assert cut["descriptor_distance"] > 0.3
    assert cut["face_detected_after"] == 0


def test_the_deeper_the_cut_the_further_the_skin_has_moved(before: Head) -> None:
    moved = [residual(before, cut_off(before, back))["skin_moved_mm"] for back in (70.0, 50.0, 30.0)]
    assert 0 < moved[0] < moved[1] < moved[2]


def test_the_skin_of_a_face_is_in_front_and_between_chin_and_brow(before: Head) -> None:
    skin = face_skin(before) - np.asarray(before.focus_mm)
    assert 200 < len(skin) <= 4000
    assert skin[:, 1].max() > 70  # the nose is among it
    assert skin[:, 1].min() > 0
    assert np.abs(skin[:, 0]).max() <= 65


def test_without_a_surface_there_is_no_distance_to_it(before: Head) -> None:
    gone = residual(before, NOBODY)
    assert "skin_moved_mm" not in gone
    assert gone["face_detected_after"] == 0
    assert residual(NOBODY, before) == {}
