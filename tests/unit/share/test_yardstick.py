"""The yardstick: what plain codecs need is found by trying, and is never less than what they need."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.image import Array, Image
from medveil.share.codec.codestream import decibel, decoded, mean_square, written
from medveil.share.codec.jpeg2000 import Jpeg2000
from medveil.share.yardstick import jpeg2000_at, jpeg2000_lossless_bpp, jpeg_at


def picture(top: int = 255) -> Array:
    y, x = np.mgrid[:128, :96]
    waves = 0.5 + 0.3 * np.sin(x / 9) * np.cos(y / 13) + 0.2 * y / 128
    noise = np.random.default_rng(0).normal(0, 0.02, y.shape)
    found: Array = (top * (waves + noise)).clip(0, top).astype(np.uint8 if top < 256 else np.uint16)
    return found


def test_psnr_by_hand() -> None:
    """A squared error of 1 on a range of 10 is 20 dB; none is infinite."""
    assert decibel(mean_square(np.array([0, 2]), np.array([1, 1])), 10) == pytest.approx(20)
    assert decibel(0.0, 10) == np.inf


def test_jpeg_is_the_coarsest_quality_that_is_good_enough() -> None:
    from PIL import Image as Pillow

    film = picture()
    sizes = []
    for quality in range(1, 101):
        buffer = BytesIO()
        Pillow.fromarray(film).save(buffer, "JPEG", quality=quality, optimize=True)
        if decibel(mean_square(film, np.asarray(Pillow.open(buffer))), 255) >= 35:
            sizes.append(buffer.tell())
    assert jpeg_at(film, 35, data_range=255) == pytest.approx(8 * min(sizes) / film.size, rel=0.02)


@pytest.mark.parametrize("top", [255, 4095])
@pytest.mark.parametrize("psnr_db", [28.0, 40.0])
def test_jpeg2000_is_good_enough_and_hardly_better(top: int, psnr_db: float) -> None:
    """More dB cannot be had with fewer bits, and nothing on a ladder of the library's own aims beats it by 3 %."""
    film = picture(top)
    bits = jpeg2000_at(film, psnr_db, data_range=top)
    assert bits is not None
    better = jpeg2000_at(film, psnr_db + 1, data_range=top)
    assert better is not None
    assert bits <= better
    peak = 20 * np.log10(np.iinfo(film.dtype).max / top)
    for aim in np.arange(psnr_db - 4, psnr_db + 8, 0.5):
        stream = written(film, layers_db=[aim + peak], irreversible=True, packet_lengths=False)
        if decibel(mean_square(film, decoded(stream, film.shape, 8 * film.itemsize)), top) >= psnr_db:
            assert bits <= 1.03 * 8 * len(stream) / film.size


def test_more_than_eight_bits_are_not_for_jpeg() -> None:
    assert jpeg_at(picture(4095), 30, data_range=4095) is None


def test_out_of_reach_is_none_not_a_number() -> None:
    assert jpeg_at(picture(), 99, data_range=255) is None
    assert jpeg2000_at(picture(), 150, data_range=255) is None


def test_a_shift_of_the_values_changes_nothing() -> None:
    film = picture(4095).astype(np.int32)
    assert jpeg2000_at(film - 1024, 40, data_range=4095) == jpeg2000_at(film, 40, data_range=4095)
    assert jpeg2000_lossless_bpp(film - 1024) == jpeg2000_lossless_bpp(film)


def test_the_range_is_said_not_guessed() -> None:
    """20 log10 2 = 6.02 dB: asking for 40 dB of twice the range is asking for 33.98 dB."""
    film = picture()
    assert jpeg2000_at(film, 40, data_range=510) == pytest.approx(
        jpeg2000_at(film, 33.98, data_range=255), rel=0.05
    )
    assert jpeg_at(film, 40, data_range=510) == jpeg_at(film, 33.98, data_range=255)


def test_colour_counts_places_not_numbers() -> None:
    grey = picture()
    colour = np.stack([grey] * 3, axis=2)
    assert (
        0.9 * jpeg2000_lossless_bpp(grey) < jpeg2000_lossless_bpp(colour) < 1.2 * jpeg2000_lossless_bpp(grey)
    )
    assert jpeg_at(colour, 35, data_range=255) is not None


@pytest.mark.parametrize(
    ("film", "data_range"),
    [(picture() / 2, 255.0), (picture()[0], 255.0), (picture(), 0.0), (np.array([[0, 70000]]), 1.0)],
)
def test_what_has_no_figure_is_refused(film: Array, data_range: float) -> None:
    with pytest.raises(UsageError):
        jpeg2000_at(film, 30, data_range=data_range)


def test_levels_that_end_exact_cost_hardly_more_than_the_yardstick() -> None:
    film = picture(4095)
    graded = sum(map(len, Jpeg2000().encode(Image(film, np.eye(4), "film")).levels))
    assert 8 * graded / film.size < 1.04 * jpeg2000_lossless_bpp(film)


@pytest.mark.real
def test_real_films_agree_with_the_table_of_the_notes(real_data: Path) -> None:
    """At 38.48 dB and 512 x 512 JPEG 2000 needs less than JPEG, both well below 1 bit a pixel on most films."""
    from PIL import Image as Pillow

    paths = sorted((real_data / "cxr" / "masked" / "images").glob("*.jpg"))[::60]
    if not paths:
        pytest.skip("the films are not here")
    rates = []
    for path in paths:
        film = np.asarray(Pillow.open(path).convert("L"))
        rates.append([jpeg2000_at(film, 38.48, data_range=255), jpeg_at(film, 38.48, data_range=255)])
    found = np.array(rates, float)
    assert (found[:, 0] < found[:, 1]).all()
    assert np.median(found) < 1
