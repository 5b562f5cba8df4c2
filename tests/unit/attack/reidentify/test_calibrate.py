"""Means of other people, by hand."""

from __future__ import annotations

import numpy as np

from medveil.attack.reidentify.calibrate import (
    Side,
    cosine,
    mean_of,
    others_mean,
    others_spread,
    spread_of,
    symmetric_norm,
)


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


def test_symmetric_norm_equals_the_sum_done_by_hand() -> None:
    """Five scans of five people; scan a looks like everybody, photograph e like nobody."""
    score = np.array(
        [[5, 4, 4, 4, 3], [1, 2, 1, 1, 0], [1, 1, 2, 1, 0], [1, 1, 1, 2, 0], [1, 1, 1, 1, 1]], dtype=float
    )
    out = symmetric_norm(score, np.array(list("abcde")))
    # Row a: mean 4, spread sqrt(2/5). Column a: 5, 1, 1, 1, 1: mean 9/5, spread 8/5.
    assert np.isclose(out[0, 0], ((5 - 4) / np.sqrt(0.4) + (5 - 1.8) / 1.6) / 2)
    # Row e does not vary and gives 0; column e: 3, 0, 0, 0, 1: mean 4/5, spread sqrt(2 - 16/25).
    assert np.isclose(out[4, 4], (0 + (1 - 0.8) / np.sqrt(2 - 0.64)) / 2)


def test_symmetric_norm_leaves_out_sides_with_few_people() -> None:
    score = np.random.default_rng(0).normal(size=(8, 4))
    few = np.array(list("aabbccdd"))  # eight scans, but four people
    assert np.array_equal(symmetric_norm(score, few), score)
    many = symmetric_norm(score, np.array(list("abcdefgh")))
    assert np.allclose(many.mean(axis=0), 0)
    assert np.allclose(many.std(axis=0), 1)
    rows = symmetric_norm(score.T, np.array(list("abcd")))
    assert np.allclose(rows.mean(axis=1), 0)


def test_symmetric_norm_weighs_people_and_not_images() -> None:
    """A person with many scans counts once in the mean of a column."""
    score = np.array([[1.0], [0], [0], [0], [0]])
    once = symmetric_norm(score, np.array(list("abcde")))
    often = symmetric_norm(np.concatenate([score, score[:1], score[:1]]), np.array(list("abcdeaa")))
    assert np.allclose(often[:5], once)


def test_symmetric_norm_takes_out_that_some_look_like_everybody() -> None:
    rng = np.random.default_rng(0)
    row, column = 2 * rng.normal(size=(30, 1)), 2 * rng.normal(size=(1, 30))
    score = 3 * np.eye(30) + row + column + rng.normal(size=(30, 30))
    mated = np.eye(30, dtype=bool)

    def auc(score: np.ndarray) -> float:
        return float((score[mated][:, None] > score[~mated][None]).mean())

    assert auc(symmetric_norm(score, np.arange(30))) > auc(score) + 0.07
    both_ways = [
        auc(symmetric_norm(s, np.arange(30))) for s in (score - 3 * np.eye(30), rng.normal(size=(30, 30)))
    ]
    assert all(0.35 < guess < 0.65 for guess in both_ways)  # what is chance stays chance
