"""Means of other people, by hand."""

from __future__ import annotations

import numpy as np

from medveil.attack.reidentify.calibrate import Side, cosine, mean_of, others_mean, others_spread, spread_of


def side(rows: dict[str, list[list[float]]]) -> Side:
    return Side(
        np.array([x for images in rows.values() for x in images], dtype=float),
        np.array([name for name, images in rows.items() for _ in images]),
    )


def test_the_mean_of_the_others_leaves_out_all_images_of_the_one_in_hand() -> None:
    three = side({"b": [[2.0], [4.0]], "a": [[0.0]], "c": [[9.0]]})
    # Subject means are b 3, a 0, c 9; an image of b meets (0 + 9) / 2, of a (3 + 9) / 2, of c (3 + 0) / 2.
    assert others_mean(three)[:, 0].tolist() == [4.5, 4.5, 6.0, 1.5]


def test_a_subject_with_many_images_weighs_as_much_as_one_with_one() -> None:
    assert mean_of(side({"a": [[0.0]] * 9, "b": [[10.0]]}))[0] == 5.0


def test_one_subject_alone_has_no_others() -> None:
    assert others_mean(side({"a": [[3.0], [4.0]]})).tolist() == [[0.0], [0.0]]


def test_the_spread_of_the_others_is_their_standard_deviation() -> None:
    four = side({"a": [[100.0]], "b": [[1.0]], "c": [[2.0]], "d": [[6.0]]})
    assert np.isclose(others_spread(four)[0, 0], np.std([1.0, 2.0, 6.0]))
    assert np.isclose(spread_of(four)[0], np.std([100.0, 1.0, 2.0, 6.0]))


def test_a_feature_that_does_not_vary_is_not_blown_up() -> None:
    constant = side({name: [[0.1]] for name in "abcd"})
    assert others_spread(constant).tolist() == [[1.0]] * 4
    assert spread_of(constant).tolist() == [1.0]


def test_cosine_of_a_row_without_length_is_zero() -> None:
    a, b = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[4.0, 3.0], [-3.0, -4.0]])
    assert np.allclose(cosine(a, b), [[0.96, -1.0], [0.0, 0.0]])
