"""Slices: the same head looks the same however it is stored, and before and after line up."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.scene.slices import HEAD_MM, cut, upright


@pytest.fixture
def egg() -> Image:
    """An ellipsoid with a bright nose at +y, off centre; 2 x 2 x 3 mm, RAS."""
    x, y, z = np.indices((50, 60, 40)) - np.array([25, 28, 20])[:, None, None, None]
    data = np.where((x / 18) ** 2 + (y / 22) ** 2 + (z / 15) ** 2 < 1, 100, 2).astype(np.int16)
    data[23:28, 49:53, 18:22] = 200
    return Image(data, np.diag([2.0, 2.0, 3.0, 1.0]))


def test_storage_order_does_not_show(egg: Image) -> None:
    data = np.moveaxis(egg.data, (0, 1, 2), (1, 2, 0))[::-1, ::-1, :]  # axes K, I, J; K and I run backwards
    stored = np.array([[0, -1, 0, 49], [0, 0, 1, 0], [-1, 0, 0, 39], [0, 0, 0, 1]], float)
    other = Image(np.ascontiguousarray(data), egg.affine @ stored)
    assert np.array_equal(upright(other)[0], upright(egg)[0])
    assert np.array_equal(cut(other).grey(other), cut(egg).grey(egg))


def test_after_is_drawn_where_before_was(egg: Image) -> None:
    data = egg.data.copy()
    data[:, 35:] = 2
    after = egg.with_data(data)
    places = cut(egg)
    before_picture, after_picture = places.grey(egg), places.grey(after)
    assert before_picture.shape == after_picture.shape
    assert (after_picture <= before_picture).all()
    assert (after_picture < before_picture).any()


def test_the_nose_points_left_in_the_sagittal_slice(egg: Image) -> None:
    flat = egg.data.copy()
    flat[23:28, 49:53, 18:22] = 2
    places = cut(egg, height_px=120)
    strip, without = places.grey(egg), places.grey(egg.with_data(flat))
    columns = np.where((strip[:, :120] != without[:, :120]).any(axis=0))[0]
    assert 0 < columns.max() < 40


def test_a_whole_body_is_drawn_at_its_head() -> None:
    data = np.zeros((30, 30, 200), np.int16)
    data[10:20, 10:20, :] = 50
    data[12:18, 12:18, 170:195] = 90
    body = Image(data, np.diag([4.0, 4.0, 4.0, 1.0]))
    places = cut(body)
    assert places.window[2].start >= 200 - round(HEAD_MM / 4)
    assert places.window[2].start <= places.at[2] < 200
    assert (places.grey(body) > 200).any()


def test_the_air_around_a_head_is_left_out(egg: Image) -> None:
    wide = Image(np.pad(egg.data, ((30, 30), (0, 90), (40, 0)), constant_values=2), egg.affine)
    for drawn, size, before in zip(cut(wide).window, egg.data.shape, (30, 0, 40), strict=True):
        assert before <= drawn.start < drawn.stop <= before + size + 1  # every second voxel is looked at


def test_a_series_shows_its_first_volume(egg: Image) -> None:
    series = Image(np.stack([egg.data, egg.data * 0], axis=-1), egg.affine)
    assert np.array_equal(cut(series).grey(series), cut(egg).grey(egg))


def test_slices_go_where_brain_and_face_are_neighbours(egg: Image) -> None:
    brain = np.zeros(egg.data.shape, bool)
    brain[15:35, 10:40, 12:32] = True
    i, j, k = cut(egg, brain).at
    assert i == cut(egg).at[0]
    assert 33 <= j <= 37  # 85 % of the way forwards
    assert 14 <= k <= 17  # 18 % of the way up
    assert cut(egg, np.zeros_like(brain)) == cut(egg)


def test_a_mask_is_drawn_where_its_voxels_are(egg: Image) -> None:
    places = cut(egg)
    share = places.share(egg.data > 50, egg)
    assert share.shape == places.grey(egg).shape
    assert ((share > 0.5) == (places.grey(egg) > 127)).mean() > 0.99
    assert share.max() == 1.0


def test_the_slices_of_an_image_of_nothing_are_black() -> None:
    nothing = Image(np.zeros((9, 8, 7), np.int16), np.eye(4))
    assert not cut(nothing).grey(nothing).any()
