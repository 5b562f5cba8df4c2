"""The verdict on guesses: leak, no evidence, too weak; and what corrects it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medveil.core.errors import InputRefused
from medveil.core.estimate import Estimate
from medveil.core.inference import Inference, as_number, is_numeric
from medveil.measure.guesses.verdict import correct_inferences, judge_inference, p_of


def balanced(value: float, p: float, name: str = "balanced_accuracy") -> Estimate:
    return Estimate(name, value, value - 0.1, min(value + 0.1, 1.0), n=40, chance=0.5, p_value=p)


def inference(original: float = 0.001, release: float = 0.001, **more: object) -> Inference:
    """p of either side; 40 people of two classes."""
    conditions = {
        "original": {"balanced_accuracy": balanced(0.9, original)},
        "release": {"balanced_accuracy": balanced(0.8, release)},
        "photograph": {"balanced_accuracy": balanced(1.0, 0.0001)},
        "prior": {"balanced_accuracy": balanced(0.5, 1.0)},
    }
    base = Inference(
        "infer.attributes", "guesses", {}, "sex", False, conditions, "attack too weak", "",
        people=40, classes={"F": 20, "M": 20},
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def test_better_on_the_release_is_a_leak() -> None:
    f = judge_inference(inference())
    assert f.verdict == "leak"
    assert "balanced accuracy 0.80 [0.70, 0.90] (release), p = 0.001" in f.reason
    assert "guessing without images reaches balanced accuracy 0.50" in f.reason


def test_on_the_originals_only_is_no_evidence_with_the_smallest_effect() -> None:
    f = judge_inference(inference(release=0.3))
    assert f.verdict == "no evidence of a leak"
    assert f.smallest == pytest.approx(0.69, abs=0.03)
    assert "40 people could have shown is about 0." in f.reason


def test_on_neither_is_too_weak_however_well_photographs_do() -> None:
    f = judge_inference(inference(original=0.2, release=0.3))
    assert f.verdict == "attack too weak"
    assert "means nothing" in f.reason


def test_a_leak_needs_no_control() -> None:
    f = inference()
    bare = {k: v for k, v in f.conditions.items() if k != "original"}
    assert judge_inference(replace(f, conditions=bare)).verdict == "leak"
    weak = judge_inference(
        replace(
            inference(release=0.3),
            conditions={**bare, "release": inference(release=0.3).conditions["release"]},
        )
    )
    assert weak.verdict == "attack too weak"
    assert "control" in weak.reason


def test_three_ways_of_looking_are_three_chances() -> None:
    f = inference(release=0.03)
    ways = {f"release {w}": {"balanced_accuracy": balanced(0.6, 0.5)} for w in ("brain", "render")}
    many = replace(f, conditions={**f.conditions, **ways})
    assert judge_inference(f).verdict == "leak"
    assert p_of(many, "release") == pytest.approx(0.09)
    assert judge_inference(many).verdict == "no evidence of a leak"


def test_where_a_table_is_released_images_must_beat_it() -> None:
    f = inference(release=0.0001, baseline="table")
    e = {"balanced_accuracy": balanced(0.9, 0.0001), "with_table": balanced(0.9, 0.0001, "with_table")}
    table = {"balanced_accuracy": balanced(0.88, 0.0001)}
    for p, verdict in ((0.4, "no evidence of a leak"), (0.01, "leak")):
        against = {**e, "gain_over_table": Estimate("gain_over_table", 0.02, -0.1, 0.1, p_value=p)}
        control = {**e, "gain_over_table": Estimate("gain_over_table", 0.1, 0.05, 0.2, p_value=0.001)}
        conditions = {"original": control, "release": against, "table": table}
        judged = judge_inference(replace(f, conditions=conditions))
        assert judged.verdict == verdict
        assert "the other released columns alone reach balanced accuracy 0.88" in judged.reason
        assert "with the table" in judged.reason


def test_numbers_are_held_against_the_median() -> None:
    mae = Estimate("mae", 8.0, 6.0, 10.0, n=40, unit="years", chance=15.0)
    conditions = {
        "original": {"mae": mae, "gain_over_prior": Estimate("gain_over_prior", 7.0, p_value=0.001)},
        "release": {"mae": mae, "gain_over_prior": Estimate("gain_over_prior", 7.0, p_value=0.02)},
        "prior": {"mae": replace(mae, value=15.0)},
    }
    f = judge_inference(inference(attribute="age", numeric=True, classes={}, conditions=conditions))
    assert f.verdict == "leak"
    assert "a mean error of 8.00 [6.00, 10.00] years" in f.reason
    assert f.smallest == pytest.approx(0.39, abs=0.02)


def test_what_the_table_states_cannot_leak_from_images() -> None:
    f = judge_inference(inference(stated=True))
    assert f.verdict == "no evidence of a leak"
    assert f.reason.startswith("The released table states this property itself")
    assert "0.80" in f.reason


def test_several_properties_are_corrected_together_and_twice_is_once() -> None:
    found = [judge_inference(inference(release=p)) for p in (0.001, 0.03, 0.04, 0.5)]
    assert [f.verdict for f in found] == ["leak", "leak", "leak", "no evidence of a leak"]
    once = correct_inferences(found)
    assert [f.verdict for f in once] == ["leak", *["no evidence of a leak"] * 3]
    assert "once corrected for 4 properties" in once[1].reason
    assert correct_inferences(once) == once


def test_stated_properties_do_not_make_others_pay() -> None:
    found = [judge_inference(inference(release=0.04)), judge_inference(inference(release=0.04, stated=True))]
    assert correct_inferences(found)[0].verdict == "leak"


def test_nothing_measured_keeps_its_reason() -> None:
    f = Inference("a", "b", {}, "sex", False, {}, "attack too weak", "Everybody has the same value.")
    assert judge_inference(f).reason == "Everybody has the same value."
    assert correct_inferences([f]) == [f]


def test_json_gives_the_same_back_and_refuses_what_is_none() -> None:
    f = judge_inference(inference())
    assert Inference.from_json(f.to_json()) == f
    for bad in (
        None,
        [],
        {},
        {**f.to_json(), "more": 1},
        {**f.to_json(), "conditions": {"x": {"y": {"z": 1}}}},
    ):
        with pytest.raises(InputRefused, match="inference"):
            Inference.from_json(bad)


@pytest.mark.parametrize(
    ("text", "value"),
    [("34", 34.0), (" 34.5 ", 34.5), ("89+", 89.0), ("-2", -2.0), ("1e3", 1000.0), ("", None), ("n/a", None),
     ("nan", None), ("inf", None), ("12a", None), ("1,5", None), ("1e999", None)],
)  # fmt: skip
def test_cells_are_numbers_only_if_they_look_like_one(text: str, value: float | None) -> None:
    assert as_number(text) == value


def test_a_column_is_numeric_if_all_its_cells_are_and_some_differ() -> None:
    assert is_numeric([str(i) for i in range(6)])
    assert not is_numeric([str(i) for i in range(5)])
    assert not is_numeric([*map(str, range(20)), "n/a"])
