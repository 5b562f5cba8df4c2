"""Marks: the tint says what was altered, the line where nothing may change."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image as Pillow

from medveil.scene.marks import BLUE, ORANGE, jpeg, marked

BEFORE = np.full((20, 30), 200, np.uint8)
AFTER = np.where(np.arange(30) < 10, 0, BEFORE).astype(np.uint8)  # the left third is gone


def test_what_was_not_altered_keeps_its_grey() -> None:
    picture = marked(AFTER, BEFORE, (AFTER == 0).astype(np.float32))
    assert (picture[:, 10:] == 200).all()


def test_altered_tissue_is_tinted_more_than_altered_air() -> None:
    air = np.zeros_like(BEFORE)
    altered = np.ones(BEFORE.shape, np.float32)
    tissue_gone, air_gone = marked(air, BEFORE, altered)[0, 0], marked(air, air, altered)[0, 0]
    assert (tissue_gone > air_gone).all()
    assert air_gone[0] > air_gone[2]  # orange, not grey
    assert np.argmax(tissue_gone) == np.argmax(ORANGE)


def test_what_replaced_tissue_stays_readable_under_the_tint() -> None:
    altered = np.ones(BEFORE.shape, np.float32)
    black, white = marked(np.zeros_like(BEFORE), BEFORE, altered), marked(BEFORE, BEFORE, altered)
    assert (white.astype(int) - black).min() > 50


def test_a_region_is_outlined_one_pixel_wide_and_not_filled() -> None:
    region = np.zeros(BEFORE.shape, np.float32)
    region[5:15, 12:24] = 1
    picture = marked(AFTER, BEFORE, np.zeros(BEFORE.shape, np.float32), region)
    line = (picture == BLUE).all(axis=2)
    assert line.sum() == 2 * 12 + 2 * 8
    assert line[5, 12:24].all()
    assert not line[6:14, 13:23].any()


def test_no_line_runs_along_the_edge_of_the_picture() -> None:
    everywhere = np.ones(BEFORE.shape, np.float32)
    picture = marked(AFTER, BEFORE, np.zeros(BEFORE.shape, np.float32), everywhere)
    assert not (picture == BLUE).all(axis=2).any()


def test_the_bytes_are_a_jpeg_of_that_size_and_always_the_same() -> None:
    colour = np.random.default_rng(0).integers(0, 255, (16, 32, 3)).astype(np.uint8)
    for picture in (colour, colour[..., 0]):
        file = jpeg(picture)
        assert file == jpeg(picture)
        opened = Pillow.open(io.BytesIO(file))
        assert (opened.format, opened.size) == ("JPEG", (32, 16))
