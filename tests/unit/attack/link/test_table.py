"""Table: evidence worked out by hand, and what must never exclude anybody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from medveil.attack.link.table import CLASH_BITS, Table, comparable
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

NOBODY: Any = None  # the attack looks at no image, so it needs no observer


def cohort(rows: dict[str, dict[str, str]], images: int = 1) -> Cohort:
    def closed() -> Any:
        raise AssertionError("an image was opened")

    return Cohort(tuple(Record(s, f"T1w-{i}", closed) for s in rows for i in range(images)), rows)


def run(
    released: dict[str, dict[str, str]],
    known: dict[str, dict[str, str]],
    attack: Table | None = None,
    images: int = 1,
) -> PairClaims:
    attack = attack or Table()
    threat = Threat(gallery=cohort(known))
    return attack.run(cohort(released, images), threat, condition="release", observer=NOBODY)


def matrix(claims: PairClaims) -> np.ndarray:
    return claims.score.reshape(-1, len(set(claims.gallery_subject)))


def test_a_rare_value_that_agrees_counts_for_more() -> None:
    hands = {"a": {"hand": "R"}, "b": {"hand": "R"}, "c": {"hand": "R"}, "d": {"hand": "L"}}
    score = matrix(run(hands, hands))
    assert score[3, 3] == pytest.approx(2)  # 2 of 8 rows: -log2(1/4)
    assert score[0, 1] == pytest.approx(-np.log2(3 / 4))
    assert score[0, 3] < -CLASH_BITS / 2


def test_an_age_may_be_a_year_off_and_no_more() -> None:
    released = {"x": {"age": "34"}}
    known = {"same": {"age": "34"}, "birthday": {"age": "35"}, "before": {"age": "33.0"}, "no": {"age": "36"}}
    score = matrix(run(released, known))[0]
    # 34 is what two of five rows say: log2(0.8 / 0.4) for the same age, log2(0.1 / 0.4) for a year off either way
    assert score[:3].tolist() == pytest.approx([1, -2, -2])
    assert score[3] < -CLASH_BITS / 2
    wider = matrix(run(released, known, Table(age_years=2)))[0]
    assert wider[3] > -CLASH_BITS / 2


def test_missing_is_no_evidence_either_way() -> None:
    known = {"a": {"age": "34", "sex": "n/a"}, "b": {"age": "", "sex": "F"}, "c": {"age": "90", "sex": "M"}}
    score = matrix(run({"x": {"age": "34", "sex": "F"}, "y": {"age": "n/a", "sex": "n/a"}}, known))
    assert score[1].tolist() == [0, 0, 0]
    assert score[0, 0] > 0
    assert score[0, 1] > 0
    assert score[0, 2] == pytest.approx(-2 * CLASH_BITS)


def test_bands_and_open_ends_agree_with_what_lies_in_them() -> None:
    known = {"a": {"age": "31"}, "b": {"age": "42"}, "c": {"age": "93"}}
    score = matrix(run({"x": {"age": "30-39"}, "y": {"age": "89+"}, "z": {"age": "40-49"}}, known))
    possible = score > -CLASH_BITS / 2
    assert possible.tolist() == [[True, False, False], [False, False, True], [False, True, False]]


def test_to_lie_in_a_band_says_less_than_to_have_the_same_age() -> None:
    known = {"exact": {"age": "34"}, "band": {"age": "30-39"}, "c": {"age": "36"}, "d": {"age": "38"}}
    score = matrix(run({"x": {"age": "34"}}, known))[0]
    # 34 fits three of five rows, the band all of them
    assert score[:2].tolist() == pytest.approx([np.log2(0.8 / 0.6), 0])


def test_spellings_of_sex_hand_and_dates_are_one_value() -> None:
    released = {"x": {"sex": "Female", "handedness": "right", "scan_date": "2020-02-03"}}
    known = {
        "a": {"sex": "f", "handedness": "R", "scan_date": "2020-02-03T10:00:00"},
        "b": {"sex": "M", "handedness": "L", "scan_date": "2021-01-01"},
    }
    score = matrix(run(released, known))[0]
    assert score[0] > 0
    assert score[1] <= -2 * CLASH_BITS


def test_what_may_change_only_speaks_against() -> None:
    known = {
        "a": {"sex": "F", "weight": "64"},
        "b": {"sex": "F", "weight": "90"},
        "c": {"sex": "M", "weight": "64"},
    }
    score = matrix(run({"x": {"sex": "F", "weight": "61.5"}}, known))[0]
    assert score[0] > score[1] > -CLASH_BITS / 2 > score[2]
    assert score[1] < matrix(run({"x": {"sex": "F"}}, {k: {"sex": v["sex"]} for k, v in known.items()}))[0][1]


def test_a_column_in_which_nobody_agrees_with_anybody_says_nothing() -> None:
    """Dates that were all shifted, or sexes coded 1 and 2 on one side: a clash with everybody is no clash."""
    known = {"a": {"sex": "M", "age": "20"}, "b": {"sex": "F", "age": "30"}}
    score = matrix(run({"x": {"sex": "1", "age": "20"}, "y": {"sex": "2", "age": "30"}}, known))
    assert score[0, 0] > 0 > score[0, 1]
    assert (score > -1.5 * CLASH_BITS).all()


def test_everybody_in_one_band_says_nothing_rather_than_something_against() -> None:
    score = matrix(run({"x": {"age": "0-120"}}, {"a": {"age": "30"}, "b": {"age": "n/a"}}))
    assert score.tolist() == [[0, 0]]


def test_every_image_of_a_person_gets_the_same_scores_for_every_candidate() -> None:
    rows = {"a": {"age": "20"}, "b": {"age": "50"}}
    claims = run(rows, rows, images=2)
    assert len(claims.score) == 2 * 2 * 2
    assert claims.score[:2].tolist() == claims.score[2:4].tolist()
    assert claims.probe_image[:4].tolist() == ["T1w-0", "T1w-0", "T1w-1", "T1w-1"]
    assert np.isfinite(claims.score).all()


def test_notes_count_and_name_nobody() -> None:
    rows = {"a": {"age": "20", "sex": "F"}, "b": {"age": "50", "sex": "F"}, "c": {"age": "50", "sex": "F"}}
    notes = run(rows, rows).notes
    assert notes == {
        "columns_compared": 2.0,
        "candidates_left": pytest.approx(5 / 3),
        "one_candidate_left": pytest.approx(1 / 3),
        "no_candidate_left": 0.0,
    }


def test_a_person_without_a_row_is_neither_linked_nor_excluded() -> None:
    rows = {"a": {"age": "20"}, "b": {"age": "50"}}
    probes = Cohort((*cohort(rows), Record("c", "T1w", lambda: None)), rows)
    claims = Table().run(probes, Threat(gallery=cohort(rows)), condition="release", observer=NOBODY)
    assert matrix(claims)[2].tolist() == [0, 0]


def test_simulated_people_are_found_by_age_and_sex_about_as_often_as_their_rows_are_unique() -> None:
    from medveil.core.seeds import Seeds

    rng = Seeds(4).stream("people")
    rows = {
        f"s{i:03d}": {"age": str(int(a)), "sex": "MF"[int(s)]}
        for i, (a, s) in enumerate(zip(rng.uniform(20, 80, 60), rng.integers(0, 2, 60), strict=True))
    }
    score = matrix(run(rows, rows, Table(age_years=0)))
    first = (score == score.max(axis=1, keepdims=True)).sum(axis=1) == 1
    cells = [tuple(r.values()) for r in rows.values()]
    unique = np.array([cells.count(c) == 1 for c in cells])
    assert first.tolist() == unique.tolist()
    assert (score.argmax(axis=1)[first] == np.flatnonzero(first)).all()


def test_only_shared_quasi_identifiers_are_compared_unless_columns_are_named() -> None:
    released = {"a": {"age": "20", "group": "AD", "site": "x"}}
    known = {"a": {"age": "20", "group": "AD", "sex": "F"}, "b": {"age": "20", "group": "HC", "sex": "F"}}
    assert comparable(released, known) == ("age",)
    score = matrix(run(released, known, Table(columns=("group",))))[0]
    assert score[0] > 0 > score[1] > -CLASH_BITS / 2


@pytest.mark.parametrize(
    ("released", "known", "attack", "error"),
    [
        ({}, {"a": {"age": "1"}}, Table(), "at least one probe"),
        ({"a": {}}, {"a": {"age": "1"}}, Table(), "both have the columns"),
        ({"a": {"group": "Canary"}}, {"a": {"group": "Canary"}}, Table(), "both have the columns"),
        ({"a": {"age": "1"}}, {"a": {"age": "1"}}, Table(columns=("Canary",)), "both have the columns"),
    ],
)
def test_tables_that_share_nothing_are_refused(released: Any, known: Any, attack: Table, error: str) -> None:
    with pytest.raises(UsageError, match=error) as caught:
        run(released, known, attack)
    assert "Canary" not in str(caught.value)


def test_a_side_without_a_table_is_named() -> None:
    rows = {"a": {"age": "1"}}
    bare = Cohort(cohort(rows).records)
    with pytest.raises(UsageError, match="the released images come with no table"):
        Table().run(bare, Threat(gallery=cohort(rows)), condition="release", observer=NOBODY)
    with pytest.raises(UsageError, match="the candidates come with no table"):
        Table().run(cohort(rows), Threat(gallery=bare), condition="release", observer=NOBODY)


@pytest.mark.parametrize("settings", [{"age_years": -1}, {"weight_kg": -0.1}, {"drift": 0}, {"drift": 0.6}])
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"link\.table"):
        Table(**settings)
