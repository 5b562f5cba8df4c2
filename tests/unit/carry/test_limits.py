"""A limit holds, or it says in one line why not; what nobody measured never holds."""

from __future__ import annotations

from math import inf, nan

import pytest

from medveil.carry.limits import Limit, broken
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Condition, Curves, Findings

NO_CURVES = Curves([], [], [], [], [], [], [], [], [], [])
ESTIMATE = Estimate("linkability", 0.12, 0.08, 0.2, n=20, chance=0.05)


def findings(*released: Estimate | None, label: str = "release") -> Findings:
    """One attack for each estimate of the release; None for an attack that measured something else."""
    other = Estimate("auc", 0.5, 0.4, 0.6, chance=0.5)
    attacks = []
    for i, e in enumerate(released):
        estimates = {"auc": other} | ({} if e is None else {e.name: e})
        # The originals are worse: a limit on the release must not look at them.
        original = {"linkability": Estimate("linkability", 0.99, 0.9, 1.0, chance=0.0), "auc": other}
        conditions = {
            "original": Condition("original", original, NO_CURVES, 20, 20, 380),
            label: Condition(label, estimates, NO_CURVES, 20, 20, 380),
            "null": Condition("null", original, NO_CURVES, 20, 20, 380),
        }
        attacks.append(AttackFindings(f"attack{i}", "", {}, conditions, "attack too weak", ""))
    return Findings("t", "a", "attack too weak", "", True, {}, attacks)


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("linkability>0.1", True),
        ("linkability>0.12", False),
        ("linkability<0.12", False),
        ("linkability<0.13", True),
        ("linkability.high>0.15", True),
        ("linkability.high>0.2", False),
        ("linkability.low>0.07", True),
        ("linkability.low>0.1", False),
        ("linkability-chance>0.06", True),
        ("linkability-chance>0.071", False),
        ("linkability.high-chance>0.1", True),
        ("linkability.high - chance > 1.6e-1", False),
        ("linkability.low-chance>0", True),
        (" linkability > +1E-1 ", True),
        ("linkability>-1", True),
    ],
)
def test_each_form_looks_at_its_own_number(text: str, over: bool) -> None:
    limit = Limit.parse(text)
    assert limit.broken_by(findings(ESTIMATE)) is over
    assert Limit.parse(str(limit)) == limit
    assert len(limit.reasons(findings(ESTIMATE))) == over


@pytest.mark.parametrize(
    "text",
    [
        "", "linkability", "linkability>", ">0.1", "linkability>=0.1", "linkability=0.1", "linkability>0,1", "linkability>x",
        "linkability>nan", "linkability>inf", "linkability>1e999", "linkability>0.1.2", "linkability>.", "linkability.mid>0.1",
        "linkability.high.low>0.1", "linkability+chance>0.1", "linkability-chance", "Linkability>0.1", "a b>0.1",
        "linkability>0.1 eer<0.3", "linkability>0.1\nx",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--fail-if: expected"):
        Limit.parse(text)


@pytest.mark.parametrize("value", [None, nan, inf, -inf])
@pytest.mark.parametrize("sign", ["<", ">"])
def test_an_undefined_figure_breaks_every_limit(value: float | None, sign: str) -> None:
    e = Estimate("linkability", value, note="undefined")
    assert Limit.parse(f"linkability{sign}0.5").reasons(findings(e)) == [
        f"linkability{sign}0.5: undefined (attack0)"
    ]


def test_a_missing_end_or_chance_breaks_the_limit_that_needs_it() -> None:
    bare = Estimate("linkability", 0.01)
    assert "has no interval" in Limit.parse("linkability.high>0.5").reasons(findings(bare))[0]
    assert "has no chance" in Limit.parse("linkability-chance>0.5").reasons(findings(bare))[0]
    assert not Limit.parse("linkability>0.5").broken_by(findings(bare))


def test_a_metric_that_nobody_measured_is_a_usage_error_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no estimate named linkabilty") as caught:
        Limit.parse("linkabilty>0.1").broken_by(findings(ESTIMATE))
    assert caught.value.hint == "known are auc, linkability"


def test_nothing_measured_breaks_the_limit() -> None:
    assert Limit.parse("linkability>0.1").reasons(findings()) == ["linkability>0.1: nothing was measured"]


def test_any_attack_over_the_limit_breaks_it_and_is_named() -> None:
    low = Estimate("linkability", 0.01, 0.0, 0.02, chance=0.05)
    lines = broken([Limit.parse("linkability>0.1")], findings(low, ESTIMATE, None))
    assert lines == ["linkability>0.1: it is 0.12 (attack1)"]
    assert broken([Limit.parse("linkability>0.1")], findings(low, None)) == []


def test_several_limits_are_all_looked_at() -> None:
    limits = [Limit.parse(t) for t in ("auc>0.9", "auc.high>0.55", "linkability>0.1")]
    assert [line.split(":")[0] for line in broken(limits, findings(ESTIMATE))] == [
        "auc.high>0.55",
        "linkability>0.1",
    ]


def test_a_table_without_a_release_is_held_to_what_was_judged() -> None:
    assert Limit.parse("linkability>0.1").broken_by(findings(ESTIMATE, label="clinic-b"))
    assert not Limit.parse("linkability>0.5").broken_by(findings(ESTIMATE, label="clinic-b"))
