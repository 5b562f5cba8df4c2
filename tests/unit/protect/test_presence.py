"""Presence: a face is there or not, whatever its name says; located by the simulation's own truth."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.locate.head import Location
from medveil.protect.deface import presence
from medveil.protect.deface.presence import face_left
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan


@pytest.fixture
def someone(monkeypatch: pytest.MonkeyPatch) -> tuple[Image, np.ndarray]:
    """A simulated head at 3 mm, and where each voxel is in MNI mm: (3, I, J, K)."""
    seeds = Seeds(11)
    person = draw_person(seeds, 0)
    seen = scan(person, seeds, scanner=Scanner(spacing_mm=3.0))
    truth = seen.pose @ brain_affine(person)
    monkeypatch.setattr(presence, "locate", lambda image: Location(truth, {}, "mr", {}))
    to_mni = np.linalg.inv(truth) @ seen.image.affine
    voxels = np.indices(seen.image.data.shape).reshape(3, -1)
    mni = to_mni[:3, :3] @ voxels + to_mni[:3, 3:]
    return seen.image, mni.reshape(3, *seen.image.data.shape)


def test_an_intact_face_is_there(someone: tuple[Image, np.ndarray]) -> None:
    image, _ = someone
    left = face_left(image)
    assert left.is_there
    assert left.tissue > 0.75
    assert left.in_view > 0.9


def test_a_face_that_was_cut_off_is_not(someone: tuple[Image, np.ndarray]) -> None:
    image, (_, y, z) = someone
    data = image.data.copy()
    data[(y > 30) & (z < -20)] = 0
    assert not face_left(image.with_data(data)).is_there


def test_a_face_that_was_filled_with_something_else_is_still_a_face(
    someone: tuple[Image, np.ndarray],
) -> None:
    image, (_, y, z) = someone
    data = image.data.copy()
    front = (y > 30) & (z < -20) & (data > 100)
    data[front] = 400
    assert face_left(image.with_data(data)).is_there


def test_a_field_of_view_above_the_face_shows_none(someone: tuple[Image, np.ndarray]) -> None:
    image, (_, _, z) = someone
    first = int(np.argmax((z > 5).all(axis=(0, 1))))
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, 2] * first
    slab = Image(image.data[:, :, first:], affine)
    left = face_left(slab)
    assert left.in_view < 0.1
    assert not left.is_there
