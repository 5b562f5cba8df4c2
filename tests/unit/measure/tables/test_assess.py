"""Assess: whole tables, with figures worked out on paper."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medveil.core.errors import InputRefused, UsageError
from medveil.core.table_risk import TableRisk
from medveil.measure.tables.assess import assess
from medveil.measure.tables.classes import Classes, encoded
from medveil.measure.tables.closeness import closeness, equal_distance, ordered_distance
from medveil.measure.tables.combinations import singled_out
from medveil.measure.tables.diversity import diversity, sensitive_codes
from medveil.measure.tables.gaps import gap_risk, gaps

SALARIES = (3, 4, 5, 6, 11, 8, 7, 9, 10)  # thousands; Li et al. 2007, table 3
DISEASES = ("ulcer", "gastritis", "stomach cancer", "gastritis", "flu", "bronchitis", "bronchitis", "pneumonia", "stomach cancer")  # fmt: skip
PATIENTS = [
    {"zip": z, "age": a, "salary_group": str(s), "diagnosis": d}
    for z, a, s, d in zip(
        ["476**"] * 3 + ["4790*"] * 3 + ["476**"] * 3,
        ["2*"] * 3 + [">=40"] * 3 + ["3*"] * 3,
        SALARIES,
        DISEASES,
        strict=True,
    )
]
BY_CLASS = Classes.of(encoded(PATIENTS, ("zip", "age")))


def people(*cells: str) -> list[dict[str, str]]:
    return [
        {"participant_id": f"sub-{i:02d}", **dict(zip(("age", "sex", "group"), c.split(), strict=True))}
        for i, c in enumerate(cells)
    ]


TABLE = people("34 F AD", "34 F HC", "34 F AD", "35 F HC", "35 F HC", "60 M AD", "61 M AD", "n/a M HC")


def test_every_figure_of_a_table_of_eight_is_the_one_on_paper() -> None:
    risk = assess(TABLE)
    value = {name: e.value for name, e in risk.estimates.items()}
    assert value == pytest.approx(
        {
            "k": 1,
            "sample_uniques": 3 / 8,
            "prosecutor_max": 1,
            "prosecutor_mean": 5 / 8,  # classes per row
            "below_5": 1,
            "below_11": 1,
        }
    )
    assert all(e.n == 8 for e in risk.estimates.values())
    assert risk.estimates["sample_uniques"].low < 3 / 8 < risk.estimates["sample_uniques"].high
    assert (risk.rows, risk.missing_cells) == (8, 1)
    assert "value of its own" in risk.missing
    assert risk.sensitive[0].column == "group"
    assert risk.sensitive[0].estimates["l_distinct"].value == 1


def test_with_jokers_the_same_table_is_less_telling_and_says_so() -> None:
    risk = assess(TABLE, missing="any")
    # the man without an age looks like both others, who each look like him
    assert risk.estimates["k"].value == 2
    assert risk.estimates["sample_uniques"].value == 0
    assert risk.estimates["prosecutor_mean"].value == pytest.approx(
        (3 / 3 + 2 / 2 + 1 / 2 + 1 / 2 + 1 / 3) / 8
    )
    assert risk.estimates["prosecutor_mean"].low is None
    assert "fits every value" in risk.missing


def test_columns_are_taken_by_name_and_the_reason_is_told() -> None:
    rows = [
        {"participant_id": "sub-1", "AgeAtScan": "3", "gender": "F", "shoe": "4", "MMSE": "30", "email": "x"}
    ]
    roles = {c.label: (c.role, c.kind) for c in assess(rows).columns}
    assert roles == {
        "participant_id": ("identifier", "participant"),
        "AgeAtScan": ("quasi-identifier", "age"),
        "gender": ("quasi-identifier", "sex"),
        "column 4": ("not judged", ""),
        "MMSE": ("sensitive", "score"),
        "email": ("identifier", "contact"),
    }
    warnings = " ".join(assess(rows).warnings)
    assert "name people: email" in warnings
    assert "no rule knows, so nobody counted them: column 4" in warnings


def test_named_columns_overrule_their_names() -> None:
    risk = assess(TABLE, quasi=["sex"], sensitive=["age"])
    assert risk.estimates["k"].value == 3
    assert [s.column for s in risk.sensitive] == ["age"]
    assert {c.label: c.reason for c in risk.columns}["sex"] == "named as such"


def test_combinations_tell_which_facts_single_out_and_which_only_together() -> None:
    rows = people("34 F x", "34 M x", "35 F x", "35 F x", "36 M x", "36 M x", "60 F x")
    found, left_out = singled_out(encoded(rows, ("age", "sex")), ("age", "sex"))
    told = {c.columns: (c.uniques, c.minimal) for c in found}
    assert told == {("age",): (1, 1), ("sex",): (0, 0), ("age", "sex"): (3, 2)}
    assert left_out == 0


def test_combinations_agree_with_sorting_every_one_of_them() -> None:
    codes = np.random.default_rng(2).integers(0, 5, (40, 6))
    found, _ = singled_out(codes, list("abcdef"))
    assert len(found) == 6 + 15 + 20 + 15
    for one in found:
        at = ["abcdef".index(c) for c in one.columns]
        assert one.uniques == Classes.of(codes[:, at]).uniques
        smaller = np.zeros(40, dtype=bool)
        for drop in at:
            rest = [i for i in at if i != drop]
            if rest:
                smaller |= Classes.of(codes[:, rest]).matches == 1
        assert one.minimal == ((Classes.of(codes[:, at]).matches == 1) & ~smaller).sum()


@pytest.mark.parametrize("missing", ["own", "any"])
def test_many_columns_take_bounded_work_and_what_is_left_out_is_told(missing: str) -> None:
    codes = np.random.default_rng(2).integers(-1, 3, (50, 30))
    assert (codes == -1).any(axis=1).all()  # every row has a joker
    cells = 100 * (125 if missing == "any" else 50)
    found, left_out = singled_out(codes, [f"c{i}" for i in range(30)], missing=missing, most_cells=cells)
    assert len(found) == 100
    assert left_out == 30 + 435 + 4060 + 27405 - 100


def test_columns_of_very_many_values_do_not_overflow() -> None:
    codes = np.stack([np.arange(5) * 10**15] * 4, axis=1).astype(np.int64)
    assert singled_out(codes, list("abcd"))[0][-1].uniques == 5


def test_diversity_of_a_class_is_the_number_of_its_values_and_exp_of_their_entropy() -> None:
    rows = people("34 F a", "34 F a", "34 F a", "34 F b", "35 F a", "35 F b", "35 F c")
    distinct, entropy = diversity(Classes.of(encoded(rows, ("age",))), sensitive_codes(rows, "group"))
    assert distinct.value == 2
    assert entropy.value == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))


def test_a_missing_diagnosis_is_no_diversity() -> None:
    rows = people("34 F a", "34 F n/a", "34 F a", "35 F n/a", "35 F n/a")
    distinct, _ = diversity(Classes.of(encoded(rows, ("age",))), sensitive_codes(rows, "group"))
    assert distinct.value == 1
    assert distinct.n == 2
    nothing, _ = diversity(Classes.of(encoded(rows, ("age",))), np.full(5, -1))
    assert nothing.value is None


def test_closeness_gives_the_figures_of_the_paper_that_defined_it() -> None:
    """Li et al. 2007, section 4.1: 0.375 for salaries 3, 4, 5 and 0.167 for 6, 8, 11, of nine salaries 3 to 11."""
    every = np.full(9, 1 / 9)
    low, mixed = np.zeros(9), np.zeros(9)
    low[:3] = 1 / 3
    mixed[[3, 5, 8]] = 1 / 3
    assert ordered_distance(low, every) == pytest.approx(0.375)
    assert ordered_distance(mixed, every) == pytest.approx(1 / 6)
    assert closeness(BY_CLASS, PATIENTS, "salary_group").value == pytest.approx(0.375)


def test_closeness_of_categories_is_half_the_sum_of_differences() -> None:
    assert equal_distance(np.array([1.0, 0, 0]), np.array([0.5, 0.25, 0.25])) == pytest.approx(0.5)
    # first class: ulcer, gastritis, stomach cancer each 1/3 against 1/9, 2/9, 2/9 of all, 4/9 elsewhere
    one = Classes.of(np.array([[0]] * 3 + [[1]] * 6))
    assert closeness(one, PATIENTS, "diagnosis").value == pytest.approx(4 / 9)


def test_closeness_of_an_unknown_column_is_undefined() -> None:
    assert closeness(BY_CLASS, PATIENTS, "nowhere").value is None


def test_gaps_outlive_a_shift_of_all_dates() -> None:
    assert gaps(["2019-03-04", "2019-06-12", "2020-06-11"]) == (100, 365)
    assert gaps(["2011-01-20", "2011-04-30", "2012-04-29"]) == (100, 365)
    assert gaps(["2020-01-01", "2020-01-01T12:00:00", "n/a", "later"]) is None


def test_people_are_counted_by_their_gaps() -> None:
    visits = {
        "a": ["2020-01-01", "2020-01-31"],
        "b": ["2010-05-01", "2010-05-31"],
        "c": ["2020-01-01", "2020-01-08"],
        "d": ["2020-01-01"],
    }
    found = gap_risk(visits)
    assert found["gap_uniques"].value == pytest.approx(1 / 3)
    assert (found["gap_uniques"].n, found["gap_k"].value) == (3, 1)
    assert gap_risk({"d": ["2020-01-01"]}) == {}
    assert assess(TABLE, visits=visits).estimates["gap_k"].value == 1


def test_high_ages_and_parts_of_years_are_flagged() -> None:
    risk = assess([{"age": a} for a in ("89", "89.5", "90", "104", "89+", "n/a")])
    assert (risk.ages_over_89, risk.ages_with_fraction) == (2, 1)
    assert "2 of 6 people" in risk.warnings[0]


def test_findings_survive_json() -> None:
    risk = assess(TABLE, visits={"a": ["2020-01-01", "2020-01-31"]})
    assert TableRisk.from_json(json.loads(json.dumps(risk.to_json()))) == risk


@pytest.mark.parametrize("broken", [{}, None, {"rows": 1}, {"columns": 3, "estimates": {}}])
def test_broken_json_is_refused(broken: object) -> None:
    with pytest.raises(InputRefused, match="table risk"):
        TableRisk.from_json(broken)


def test_no_cell_and_no_foreign_column_name_reaches_the_findings() -> None:
    rows = [{"participant_id": "sub-Canary", "age": "34", "Canary_Jane": "Canary", "group": "Canary"}] * 1
    assert "Canary" not in json.dumps(assess(rows).to_json())


def test_a_table_with_nothing_to_know_people_by_says_so() -> None:
    risk = assess([{"participant_id": "sub-1", "shoe": "4"}])
    assert "k" not in risk.estimates
    assert "no column was taken" in risk.warnings[-1]


@pytest.mark.parametrize(
    ("rows", "settings", "error"),
    [
        ([], {}, "no rows"),
        (TABLE + TABLE[:1], {}, "1 participants have more than one row"),
        (TABLE, {"quasi": ["Canary"]}, "1 of the columns named as quasi-identifier"),
        (TABLE, {"quasi": ["age"], "sensitive": ["age"]}, "both"),
        (TABLE, {"quasi": []}, None),
        (TABLE, {"missing": "never"}, "own"),
        (TABLE, {"upto": 5}, "1 to 4"),
        (TABLE, {"upto": 0}, "1 to 4"),
    ],
)
def test_bad_questions_are_refused_without_showing_values(
    rows: list[dict[str, str]], settings: dict[str, object], error: str | None
) -> None:
    if error is None:
        assert "k" not in assess(rows, **settings).estimates
        return
    with pytest.raises(UsageError, match=error) as caught:
        assess(rows, **settings)
    assert "Canary" not in str(caught.value)
