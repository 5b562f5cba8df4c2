"""Squares for training: the same ones for the same seed and step, from all films alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="networks need the extra `learn`")

from medveil.core.errors import UsageError  # noqa: E402
from medveil.nn.crops import Crops  # noqa: E402

# Every pixel tells its film, row and column, in steps that float32 holds exactly.
TOP = 65536
FILMS = [
    (np.arange(h * w, dtype=np.float32).reshape(h, w) + 20000 * n) / TOP
    for n, (h, w) in enumerate([(40, 50), (100, 33), (32, 32)])
]


def crops(**other: Any) -> Crops:
    return Crops(FILMS, **{"side": 32, "batch": 8, "seed": 3, **other})


def test_a_step_decides_what_is_drawn_whatever_was_drawn_before() -> None:
    drawn = crops()
    third = drawn(3)
    assert torch.equal(crops()(3), third)
    drawn(7)
    assert torch.equal(drawn(3), third)
    assert not any(torch.equal(drawn(step), third) for step in (0, 1, 2, 4, 5))
    assert not torch.equal(crops(seed=4)(3), third)


def test_squares_are_parts_of_films_or_of_their_mirror_images() -> None:
    got = crops(batch=60)(0)
    assert got.shape == (60, 1, 32, 32)
    assert got.dtype == torch.float32
    mirrored, films = 0, []
    for square in np.rint(got[:, 0].double().numpy() * TOP).astype(int):
        film = square[0, 0] // 20000
        films.append(film)
        if square[0, 0] > square[0, 1]:
            square, mirrored = square[:, ::-1], mirrored + 1
        i, j = divmod(square[0, 0] - 20000 * film, FILMS[film].shape[1])
        assert np.array_equal(square, TOP * FILMS[film][i : i + 32, j : j + 32])
    assert 15 < mirrored < 45
    assert all(10 < films.count(n) < 31 for n in range(3))  # however large they are


def test_the_last_row_and_column_are_drawn_too() -> None:
    film = np.arange(34 * 33, dtype=np.float32).reshape(34, 33)
    drawn = Crops([film], side=32, batch=200)(0)
    corners = {int(square.min()) for square in drawn[:, 0]}
    assert corners == {33 * i + j for i in range(3) for j in range(2)}


@pytest.mark.parametrize("films", [[], [np.zeros((31, 90))], [np.zeros((64, 64)), np.zeros((90, 31))]])
def test_no_film_or_one_that_is_too_small_is_refused(films: list[np.ndarray]) -> None:
    with pytest.raises(UsageError, match="at least 32 x 32"):
        Crops(films, side=32)


def test_the_repr_shows_no_film() -> None:
    assert len(repr(crops())) < 80
