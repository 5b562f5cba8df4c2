"""Slices: the same head looks the same however it is stored, and before and after line up."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.image import Image
from medveil.scene.slices import HEAD_MM, mosaic, upright


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
    assert np.array_equal(mosaic(other, other), mosaic(egg, egg))


def test_after_is_drawn_where_before_was(egg: Image) -> None:
    data = egg.data.copy()
    data[:, 35:] = 2
    after = egg.with_data(data)
    before_picture, after_picture = mosaic(egg, egg), mosaic(after, egg)
    assert before_picture.shape == after_picture.shape
    assert (after_picture <= before_picture).all()
    assert (after_picture < before_picture).any()


def test_the_nose_points_left_in_the_sagittal_slice(egg: Image) -> None:
    flat = egg.data.copy()
    flat[23:28, 49:53, 18:22] = 2
    strip, without = mosaic(egg, egg, height_px=120), mosaic(egg.with_data(flat), egg, height_px=120)
    columns = np.where((strip[:, :120] != without[:, :120]).any(axis=0))[0]
    assert 0 < columns.max() < 30


def test_a_whole_body_is_drawn_at_its_head() -> None:
    data = np.zeros((30, 30, 200), np.int16)
    data[10:20, 10:20, :] = 50
    data[12:18, 12:18, 170:195] = 90
    body = Image(data, np.diag([4.0, 4.0, 4.0, 1.0]))
    picture = mosaic(body, body, height_px=round(HEAD_MM / 4))
    assert picture.shape[0] == round(HEAD_MM / 4)
    assert (picture > 200).any()


def test_a_series_shows_its_first_volume(egg: Image) -> None:
    series = Image(np.stack([egg.data, egg.data * 0], axis=-1), egg.affine)
    assert np.array_equal(mosaic(series, series), mosaic(egg, egg))
