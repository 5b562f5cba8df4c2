"""The learner, its folds and its columns."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.infer.columns import Columns
from medveil.attack.infer.folds import deal, quarters
from medveil.attack.infer.learner import Fitted, Prior, Rows, fit


def rows(dense: np.ndarray, subject: list[str] | None = None, sizes: np.ndarray | None = None) -> Rows:
    n = len(dense)
    who = np.array(subject or [f"s{i}" for i in range(n)])
    return Rows(dense, np.empty((n, 0)) if sizes is None else sizes, who)


def test_three_classes_are_learned_with_more_numbers_than_people() -> None:
    rng = np.random.default_rng(0)
    kind = np.arange(60) % 3
    dense = rng.normal(size=(60, 500))
    dense[:, :50] += 1.5 * rng.normal(size=(3, 50))[kind]
    names = np.array(["a", "b", "c"])[kind]
    fitted = fit(rows(dense[:45]), names[:45], numeric=False, components=20)
    guess, score = fitted.guess(rows(dense[45:]))
    assert (guess == names[45:]).mean() > 0.8
    assert np.isfinite(score).all()


def test_noise_teaches_no_more_than_the_median() -> None:
    rng = np.random.default_rng(1)
    dense, target = rng.normal(size=(60, 200)), rng.normal(50, 10, size=60)
    fitted = fit(rows(dense), target, numeric=True, components=30)
    guess, _ = fitted.guess(rows(rng.normal(size=(200, 200))))
    assert guess.std() < 4.0, "the strongest penalties win, and guesses hardly move"
    assert abs(guess.mean() - target.mean()) < 3.0


def test_sizes_are_not_drowned_by_thousands_of_intensities() -> None:
    rng = np.random.default_rng(2)
    sex = np.arange(80) % 2
    dense = 100 * rng.normal(size=(80, 2000))
    sizes = (0.01 * sex + 0.003 * rng.normal(size=80))[:, None]
    names = np.array(["F", "M"])[sex]
    fitted = fit(rows(dense[:60], sizes=sizes[:60]), names[:60], numeric=False, components=10)
    guess, _ = fitted.guess(rows(dense[60:], sizes=sizes[60:]))
    assert (guess == names[60:]).mean() >= 0.8


def test_the_rarer_class_is_guessed_too() -> None:
    rng = np.random.default_rng(3)
    rare = np.arange(100) % 5 == 0
    dense = rng.normal(size=(100, 5))
    dense[:, 0] += 1.5 * rare
    fitted = fit(rows(dense), np.where(rare, "yes", "no"), numeric=False, components=5)
    guess, _ = fitted.guess(rows(dense))
    assert (guess[rare] == "yes").mean() > 0.6


def test_a_person_with_many_images_weighs_as_much_as_one_with_one() -> None:
    """One person's hundred copies must not pull the line: with weights by person they count once."""
    x = np.concatenate([np.linspace(-1, 1, 20), np.full(200, 1.0)])[:, None]
    y = np.concatenate([np.linspace(-1, 1, 20), np.full(200, -5.0)])
    who = [f"s{i}" for i in range(20)] + ["copy"] * 200
    fitted = fit(rows(x, who), y, numeric=True, components=1)
    guess, _ = fitted.guess(rows(np.array([[-1.0]])))
    assert guess[0] < -0.3


def test_too_few_people_one_class_or_no_numbers_give_the_prior() -> None:
    few = fit(rows(np.eye(3)), np.array(["a", "b", "a"]), numeric=False, components=2)
    assert isinstance(few, Prior)
    assert few.guess == "a"
    same = fit(rows(np.eye(8)), np.array(["a"] * 8), numeric=False, components=2)
    assert isinstance(same, Prior)
    empty = fit(rows(np.empty((8, 0))), np.arange(8.0), numeric=True, components=2)
    assert isinstance(empty, Prior)
    assert empty.guess == 3.5


def test_a_block_that_does_not_vary_does_no_harm() -> None:
    target = np.array(["a", "b"] * 5)
    fitted = fit(rows(np.ones((10, 30)), sizes=np.ones((10, 2))), target, numeric=False, components=5)
    assert isinstance(fitted, Fitted)
    guess, score = fitted.guess(rows(np.ones((2, 30)), sizes=np.ones((2, 2))))
    assert np.isfinite(score).all()
    assert set(guess) <= {"a", "b"}


def test_folds_differ_by_one_person_at_most_and_spread_each_kind() -> None:
    kinds = {f"s{i:02d}": "F" if i < 9 else "M" for i in range(23)}
    fold = deal(kinds, 5, np.random.default_rng(0))
    sizes = np.bincount(list(fold.values()))
    assert sizes.max() - sizes.min() <= 1
    women = np.bincount([fold[s] for s, k in kinds.items() if k == "F"], minlength=5)
    assert women.max() - women.min() <= 1


def test_folds_depend_on_the_seed_alone() -> None:
    kinds = {f"s{i}": "x" for i in range(20)}
    same = [deal(kinds, 4, np.random.default_rng(7)) for _ in range(2)]
    assert same[0] == same[1] == deal(dict(reversed(kinds.items())), 4, np.random.default_rng(7))
    assert same[0] != deal(kinds, 4, np.random.default_rng(8))


def test_quarters_are_by_rank() -> None:
    assert quarters([5.0, 1.0, 9.0, 7.0, 2.0, 3.0, 8.0, 6.0]) == ["1", "0", "3", "2", "0", "1", "3", "2"]


TABLE = [
    {"participant_id": "sub-1", "age": "20", "hand": "R", "site": "one", "note": "Canary^A"},
    {"participant_id": "sub-2", "age": "40", "hand": "L", "site": "two", "note": "Canary^B"},
    {"participant_id": "sub-3", "age": "60", "hand": "R", "site": "n/a", "note": "Canary^C"},
    {"participant_id": "sub-4", "age": "80", "hand": "L", "site": "one", "note": "Canary^D"},
    {"participant_id": "sub-5", "age": "30", "hand": "R", "site": "two", "note": "Canary^E"},
    {"participant_id": "sub-6", "age": "70", "hand": "R", "site": "one", "note": "Canary^F"},
]


def test_columns_become_numbers_and_levels_but_identifiers_do_not() -> None:
    columns = Columns.learn(TABLE, TABLE, "hand")
    assert columns.numbers == {"age": (50.0, pytest.approx(21.602, abs=1e-3))}
    assert columns.words == {"site": ("one", "two")}
    assert columns.matrix([{"age": "50", "site": "two"}, {}]).tolist() == [[0, 0, 1], [0, 0, 0]]


def test_a_column_that_is_not_known_of_the_probes_is_not_used() -> None:
    assert Columns.learn(TABLE, [{"site": "one"}], "hand").numbers == {}
    assert Columns.learn(TABLE, [{"age": "n/a"}], "hand").width == 0


def test_the_guessed_column_is_never_used() -> None:
    assert "age" not in Columns.learn(TABLE, TABLE, "age").numbers


def test_a_cell_that_is_no_number_counts_as_missing() -> None:
    columns = Columns.learn(TABLE, TABLE, "hand")
    assert columns.matrix([{"age": "Canary^Jane"}])[0, 0] == 0
    assert "Canary" not in repr(columns)
