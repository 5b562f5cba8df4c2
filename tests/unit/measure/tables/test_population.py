"""Population: chances among people who are not in the table, by hand and by counting."""

from __future__ import annotations

import math

import numpy as np
import pytest

from medveil.core.errors import InputRefused, UsageError
from medveil.measure.tables.assess import assess
from medveil.measure.tables.classes import Classes, encoded
from medveil.measure.tables.population import AssumedPopulation, CountedPopulation

ROWS = [
    {"age": "34", "sex": "F"},
    {"age": "34", "sex": "F"},
    {"age": "50", "sex": "M"},
    {"age": "n/a", "sex": "M"},
]
COLUMNS = ("age", "sex")
CLASSES = Classes.of(encoded(ROWS, COLUMNS))
COUNTS = [
    {"age": "34", "sex": "F", "people": "100"},
    {"age": "50", "sex": "M", "people": "4"},
    {"age": "51", "sex": "M", "people": "6"},
]


def test_counted_people_make_the_chances() -> None:
    found = CountedPopulation(COUNTS, count="people").among_all(ROWS, COLUMNS, CLASSES)
    # a man of unknown age may be any of the ten men
    assert found.inverse.tolist() == pytest.approx([0.01, 0.01, 0.25, 0.1])
    assert found.alone.tolist() == [0, 0, 0, 0]
    assert found.size == 110


def test_a_population_of_persons_counts_its_rows() -> None:
    people = [{"age": "34", "sex": "f"}] * 3 + [{"age": "50.0", "sex": "m"}]
    found = CountedPopulation(people).among_all(ROWS, COLUMNS, CLASSES)
    assert found.inverse.tolist() == pytest.approx([1 / 3, 1 / 3, 1, 1])
    assert found.alone.tolist() == [0, 0, 1, 1]


def test_a_sample_that_is_not_of_this_population_is_told_and_never_flatters() -> None:
    found = CountedPopulation([{"age": "70", "sex": "F"}]).among_all(ROWS, COLUMNS, CLASSES)
    assert found.inverse.tolist() == pytest.approx([0.5, 0.5, 1, 1])
    assert "4 rows look like fewer" in found.note


def test_journalist_and_marketer_are_the_formulas_of_the_textbook() -> None:
    risk = assess(ROWS, population=CountedPopulation(COUNTS, count="people")).estimates
    assert risk["journalist_max"].value == pytest.approx(0.25)
    assert risk["marketer"].value == pytest.approx((0.01 + 0.01 + 0.25 + 0.1) / 4)
    assert risk["marketer"].chance == pytest.approx(1 / 110)


def test_an_assumed_population_gives_the_mean_of_one_over_f() -> None:
    found = AssumedPopulation(104, "uniform", {"age": 10, "sex": 2}).among_all(ROWS, COLUMNS, CLASSES)

    # 100 other people, one in twenty looks like a row: F = f + Poisson(5); for the unknown age one in two.
    def mean(f: int, others: float) -> float:
        return sum(
            math.exp(-others + x * math.log(others) - math.lgamma(x + 1)) / (f + x) for x in range(400)
        )

    assert found.inverse.tolist() == pytest.approx(
        [mean(2, 5), mean(2, 5), mean(1, 5), mean(1, 50)], rel=1e-9
    )
    assert found.alone.tolist() == pytest.approx([0, 0, math.exp(-5), math.exp(-50)])


def test_independent_columns_take_the_shares_of_the_sample() -> None:
    found = AssumedPopulation(1004).among_all(ROWS, COLUMNS, CLASSES)
    # of the known ages one in three is 50; half are men
    assert found.alone[2] == pytest.approx(math.exp(-1000 / 6))
    assert "independent (an assumption)" in found.note


def test_a_population_no_larger_than_the_sample_is_the_prosecutor() -> None:
    risk = assess(ROWS, population=AssumedPopulation(4)).estimates
    assert risk["journalist_max"].value == risk["prosecutor_max"].value == 1
    assert risk["marketer"].value == pytest.approx(risk["prosecutor_mean"].value)
    assert risk["population_uniques"].value == 1


def test_an_assumption_that_holds_agrees_with_a_drawn_population() -> None:
    """200 of 5,000 people whose two columns are independent; the share of uniques alone among all, over 200 draws."""
    rng = np.random.default_rng(1)
    said, seen = [], []
    for _ in range(200):
        people = np.stack([rng.integers(0, 50, 5000), rng.integers(0, 40, 5000)], axis=1)
        sample = Classes.of(people[:200])
        rows = [{"a": str(a), "b": str(b)} for a, b in people[:200]]
        unique = sample.matches == 1
        found = AssumedPopulation(5000, "uniform", {"a": 50, "b": 40}).among_all(rows, ("a", "b"), sample)
        said.append(found.alone[unique].mean())
        seen.append((Classes.of(people).matches[:200] == 1)[unique].mean())
    assert np.mean(said) == pytest.approx(np.mean(seen), abs=0.01)


@pytest.mark.parametrize(
    ("population", "error"),
    [
        (AssumedPopulation(3), "expected at least the 4"),
        (AssumedPopulation(100, "uniform", {"age": 0}), "at least one level"),
        (CountedPopulation([]), "no rows"),
        (CountedPopulation([{"age": "34"}]), "1 of the quasi-identifiers are not"),
    ],
)
def test_populations_that_make_no_sense_are_refused(population: object, error: str) -> None:
    with pytest.raises(UsageError, match=error):
        population.among_all(ROWS, COLUMNS, CLASSES)


@pytest.mark.parametrize("cell", ["many", "-1", "2.5", "", "inf"])
def test_counts_that_are_no_counts_are_refused_without_showing_them(cell: str) -> None:
    with pytest.raises(InputRefused, match="no whole number"):
        CountedPopulation([{**COUNTS[0], "people": cell}], "people").among_all(ROWS, COLUMNS, CLASSES)
