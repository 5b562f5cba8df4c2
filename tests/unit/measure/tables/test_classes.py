"""Classes: who looks like whom, with rows sorted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.measure.tables.classes import Classes, encoded

COLUMNS = ("age", "sex")


def rows(*cells: str) -> list[dict[str, str]]:
    return [dict(zip(COLUMNS, cell.split(), strict=True)) for cell in cells]


TABLE = rows("34 F", "35 F", "34.0 f", "n/a F", "34 M")


def test_spellings_of_one_value_are_one_value() -> None:
    codes = encoded(TABLE, COLUMNS)
    assert codes.tolist() == [[0, 0], [1, 0], [0, 0], [-1, 0], [0, 1]]


def test_missing_as_a_value_of_its_own_stands_alone() -> None:
    classes = Classes.of(encoded(TABLE, COLUMNS), "own")
    assert classes.matches.tolist() == [2, 1, 2, 1, 1]
    assert (classes.smallest, classes.uniques) == (1, 3)


def test_missing_that_fits_everything_hides_others_and_itself() -> None:
    classes = Classes.of(encoded(TABLE, COLUMNS), "any")
    # the row without an age fits all three women, and each of them fits it
    assert classes.matches.tolist() == [3, 2, 3, 4, 1]
    assert classes.uniques == 1


def test_two_jokers_see_each_other_once() -> None:
    classes = Classes.of(encoded(rows("n/a F", "34 n/a", "34 F"), COLUMNS), "any")
    assert classes.matches.tolist() == [3, 3, 3]


def test_jokers_agree_with_a_comparison_of_every_row_with_every_row() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(-1, 4, (60, 3))
    want = np.zeros(60, dtype=int)
    for i in range(60):
        for j in range(60):
            want[i] += all(a == b or -1 in (a, b) for a, b in zip(codes[i], codes[j], strict=True))
    classes = Classes.of(codes, "any")
    assert classes.matches.tolist() == want.tolist()
    own = Classes.of(codes, "own").matches
    assert (own <= classes.matches).all()


@pytest.mark.parametrize("missing", ["own", "any"])
@pytest.mark.parametrize("size", [2, 3])
def test_who_falls_below_a_size_agrees_with_leaving_each_row_out(missing: str, size: int) -> None:
    codes = np.random.default_rng(5).integers(-1, 3, (25, 2))
    classes = Classes.of(codes, missing)
    few = classes.matches < size
    fallen = classes.falling_below(size)
    for i in range(25):
        rest = Classes.of(np.delete(codes, i, axis=0), missing)
        assert (rest.matches < size).sum() == few.sum() - few[i] + fallen[i]


def test_groups_are_the_classes_or_with_jokers_the_company_of_each_row() -> None:
    codes = encoded(TABLE, COLUMNS)
    own = sorted(g.tolist() for g in Classes.of(codes, "own").groups())
    assert own == [[0, 2], [1], [3], [4]]
    either = sorted(g.tolist() for g in Classes.of(codes, "any").groups())
    assert either == [[0, 1, 2, 3], [0, 2, 3], [1, 3], [4]]


@pytest.mark.parametrize("shape", [(0, 2), (3, 0)])
def test_a_table_without_rows_or_columns_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="at least one row"):
        Classes.of(np.zeros(shape, dtype=np.int64))


def test_repr_shows_counts_only() -> None:
    assert repr(Classes.of(encoded(TABLE, COLUMNS))) == "Classes(5 rows, 2 columns)"
