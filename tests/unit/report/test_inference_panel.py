"""The panel of guesses: the release beside those who look at no image, and no label that could do harm."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from medveil.core.estimate import Estimate
from medveil.core.inference import Inference
from medveil.report.panels.inference import PANEL


def found(**more: Any) -> Inference:
    def row(value: float, p: float | None = None) -> dict[str, Estimate]:
        return {
            "balanced_accuracy": Estimate("balanced_accuracy", value, value - 0.1, value + 0.1, n=40, chance=0.5, p_value=p),
            "accuracy": Estimate("accuracy", value, value - 0.1, value + 0.1, n=40, chance=0.55),
            "recall_F": Estimate("recall_F", value, 0.1, 0.9, n=22),
            "recall_M": Estimate("recall_M", value, 0.1, 0.9, n=18),
            "gain_over_prior": Estimate("gain_over_prior", value - 0.5, -0.1, 0.4, p_value=p),
        }  # fmt: skip

    base: dict[str, Any] = {
        "attack": "infer.attributes", "summary": "guesses", "settings": {}, "attribute": "sex", "numeric": False,
        "conditions": {"original": row(0.85, 0.001), "release brain": row(0.72, 0.004), "prior": row(0.5)},
        "verdict": "leak", "reason": "The images tell what is not told.", "people": 40, "classes": {"F": 22, "M": 18},
    }  # fmt: skip
    return Inference(**{**base, **more})


def page(*inferences: Inference) -> str:
    environment = Environment(
        loader=PackageLoader("medveil.report", "templates"), autoescape=True, undefined=StrictUndefined
    )
    context = PANEL.context(SimpleNamespace(inferences=list(inferences)))  # type: ignore[arg-type]
    return environment.get_template("inference.html.j2").render(p=context)


def test_without_inferences_there_is_no_panel() -> None:
    assert PANEL.context(SimpleNamespace(inferences=[])) is None  # type: ignore[arg-type]


def test_value_interval_chance_and_p_stand_together() -> None:
    html = page(found())
    for said in ("release, brain", "0.72", "[0.62, 0.82]", "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}0.004"):
        assert said in html
    assert "chance\N{NO-BREAK SPACE}0.50" in html
    assert "40 people: 22 F, 18 M" in html
    assert "no image, no table" in html


def test_table_columns_appear_only_where_a_table_is_the_baseline() -> None:
    assert "Gain over the table" not in page(found())
    conditions = {
        "release": {
            "with_table": Estimate("with_table", 0.8),
            "gain_over_table": Estimate("gain_over_table", 0.1),
        },
        "table": {"balanced_accuracy": Estimate("balanced_accuracy", 0.7)},
    }
    assert "Gain over the table" in page(found(baseline="table", conditions=conditions))


def test_numbers_have_an_error_and_no_recalls() -> None:
    conditions = {
        "release": {
            "mae": Estimate("mae", 8.2, 6.0, 10.0, unit="years", chance=15.0),
            "r": Estimate("r", None, note="undefined"),
        }
    }
    html = page(found(attribute="age", numeric=True, classes={}, conditions=conditions))
    assert "Mean error" in html
    assert "8.2 years" in html
    assert "recall" not in html.lower()


def test_what_could_not_be_guessed_still_says_why() -> None:
    html = page(
        found(conditions={}, classes={}, people=0, verdict="attack too weak", reason="Too few people.")
    )
    assert "Too few people." in html
    assert "<table" not in html


@pytest.mark.parametrize("bad", ["<script>alert(1)</script>", "\x1b[31m"])
def test_a_hostile_column_or_class_is_only_text(bad: str) -> None:
    html = page(found(attribute=bad, classes={bad: 40}, reason=bad))
    assert bad not in html
