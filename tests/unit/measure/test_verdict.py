"""The three verdicts, row by row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from medveil.core.estimate import Estimate
from medveil.core.findings import AttackFindings, Condition, Curves
from medveil.measure.verdict import (
    correct,
    holm,
    judge,
    judged,
    overall,
    p_value,
    smallest_auc,
    strongest,
    strongest_words,
)

NO_CURVES = Curves([], [], [], [], [], [], [], [], [], [])


def condition(
    label: str,
    auc: tuple[float | None, float | None, float | None],
    p_auc: float | None = None,
    rank_1: tuple[float | None, float | None, float | None] = (0.05, 0.0, 0.2),
    p_rank: float | None = None,
    persons: int = 24,
) -> Condition:
    return Condition(
        label,
        {
            "auc": Estimate("auc", *auc, n=persons, better="lower", chance=0.5, p_value=p_auc),
            "rank_1": Estimate("rank_1", *rank_1, n=persons, better="lower", chance=0.04, p_value=p_rank),
        },
        NO_CURVES,
        persons,
        persons,
        persons * (persons - 1),
    )


NULL = condition("null", (0.5, 0.4, 0.6), rank_1=(0.04, 0.0, 0.12))
STRONG = condition("original", (0.95, 0.9, 0.99), 0.001, (0.8, 0.6, 0.95), 0.001)
WEAK = condition("original", (0.55, 0.45, 0.66), 0.2, p_rank=0.3)
SHAKY = condition("original", (0.63, 0.55, 0.71), 0.02, p_rank=0.3)
CLEAN = condition("release", (0.52, 0.41, 0.62), 0.4, p_rank=0.6)
LEAKY = condition("release", (0.8, 0.7, 0.9), 0.001, p_rank=0.01)
LEAKY_BY_RANK = condition("release", (0.55, 0.45, 0.65), 0.3, (0.4, 0.2, 0.6), 0.001)
NEARLY = condition("release", (0.61, 0.52, 0.7), 0.03, p_rank=0.3)


def verdict(original: Condition | None, release: Condition, null: Condition = NULL) -> AttackFindings:
    return judge("test.attack", "tests", {"views": 1}, original, release, null)


@pytest.mark.parametrize(
    ("original", "release", "expected"),
    [
        (STRONG, LEAKY, "leak"),
        (STRONG, LEAKY_BY_RANK, "leak"),
        (STRONG, CLEAN, "no evidence of a leak"),
        (STRONG, NEARLY, "no evidence of a leak"),  # .03 doubled for two statistics
        (WEAK, CLEAN, "attack too weak"),
        (SHAKY, CLEAN, "attack too weak"),  # p < .05, but its interval touches the null's range
        (WEAK, LEAKY, "leak"),  # a leak needs no control
        (None, LEAKY, "leak"),
        (None, CLEAN, "attack too weak"),
    ],
)
def test_truth_table(original: Condition | None, release: Condition, expected: str) -> None:
    assert verdict(original, release).verdict == expected


def test_reasons_hold_the_numbers_in_plain_words() -> None:
    reason = verdict(STRONG, CLEAN).reason
    for part in ("AUC 0.95 [0.90, 0.99]", "AUC 0.52 [0.41, 0.62]", "p = 0.800", "24 persons", "smallest AUC"):
        assert part in reason
    assert "control is missing" in verdict(None, CLEAN).reason
    assert "control on the originals is missing" in verdict(None, LEAKY).reason
    assert "means nothing" in verdict(WEAK, CLEAN).reason


def test_no_reason_promises_anything() -> None:
    for original in (STRONG, WEAK, None):
        for release in (CLEAN, LEAKY):
            reason = verdict(original, release).reason.lower()
            assert not any(word in reason for word in ("anonymous", "safe", "compliant"))


def test_without_p_the_interval_decides() -> None:
    assert verdict(STRONG, condition("release", (0.8, 0.7, 0.9))).verdict == "leak"
    assert verdict(STRONG, condition("release", (0.7, 0.55, 0.8))).verdict == "no evidence of a leak"


def test_scores_below_chance_are_pointed_out() -> None:
    assert "wrong way round" in verdict(STRONG, condition("release", (0.1, 0.05, 0.2), 1.0)).reason


def test_conditions_are_kept_under_their_labels() -> None:
    f = verdict(STRONG, condition("clinic-b", (0.8, 0.7, 0.9), 0.001))
    assert list(f.conditions) == ["original", "clinic-b", "null"]
    assert f.settings == {"views": 1}
    assert overall([f]) == "leak"


def test_smallest_auc_comes_from_the_spread_of_the_null() -> None:
    value, source = smallest_auc(NULL)
    assert value == pytest.approx(0.5 + 2.8016 * 0.2 / 3.92, abs=1e-4)
    assert "spread" in source
    assert verdict(STRONG, CLEAN).smallest_auc == value


def test_smallest_auc_without_a_range_comes_from_the_number_of_persons() -> None:
    value, source = smallest_auc(condition("null", (None, None, None), persons=100))
    assert value == pytest.approx(0.5 + 2.8016 / (12 * 100) ** 0.5, abs=1e-4)
    assert "sqrt" in source


@pytest.mark.parametrize("persons", [1, 2, 3, 4])
def test_a_handful_of_persons_can_show_nothing(persons: int) -> None:
    null = condition("null", (0.5, 0.3, 0.7), persons=persons)
    assert smallest_auc(null)[0] is None
    assert "could not have shown" in verdict(STRONG, CLEAN, null).reason


def test_a_control_below_the_smallest_auc_is_pointed_out() -> None:
    wide = condition("null", (0.5, 0.1, 0.62), rank_1=(0.04, 0, 0.12))
    control = condition("original", (0.7, 0.65, 0.75), 0.001)
    f = verdict(control, CLEAN, wide)
    assert f.smallest_auc > 0.7
    assert "hides nothing could have passed" in f.reason


def test_undefined_figures_are_too_weak() -> None:
    nothing = condition("release", (None, None, None), rank_1=(None, None, None), persons=1)
    f = judge("a", "b", {}, nothing, nothing, condition("null", (None, None, None), persons=1))
    assert f.verdict == "attack too weak"
    assert "no figure at all (1 person)" in f.reason


def test_p_is_the_smaller_one_doubled() -> None:
    assert p_value(LEAKY_BY_RANK) == pytest.approx(0.002)
    assert p_value(condition("release", (0.5, 0.4, 0.6), 0.04)) == pytest.approx(0.04)
    assert p_value(condition("release", (0.5, 0.4, 0.6))) is None
    assert p_value(condition("release", (0.5, 0.4, 0.6), 0.9, p_rank=0.8)) == 1.0


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_overall_is_the_strongest() -> None:
    leak, clean, weak = verdict(STRONG, LEAKY), verdict(STRONG, CLEAN), verdict(WEAK, CLEAN)
    assert overall([weak, clean, leak]) == "leak"
    assert overall([weak, clean]) == "no evidence of a leak"
    assert overall([weak, weak]) == "attack too weak"
    assert overall([]) == "attack too weak"


def test_a_leak_that_many_attacks_explain_is_taken_back() -> None:
    lucky = verdict(STRONG, condition("release", (0.65, 0.55, 0.75), 0.01, p_rank=0.5))
    others = [verdict(STRONG, CLEAN)] * 4
    assert lucky.verdict == "leak"
    assert overall([lucky]) == "leak"
    assert overall([lucky, *others]) == "no evidence of a leak"
    taken_back = correct([lucky, *others])[0]
    assert taken_back.verdict == "no evidence of a leak"
    assert "p = 0.100 once corrected for 5 attacks (0.020 before)" in taken_back.reason
    assert correct(correct([lucky, *others])) == correct([lucky, *others])


def test_a_clear_leak_survives_any_number_of_attacks() -> None:
    strong = verdict(STRONG, condition("release", (0.9, 0.8, 0.95), 0.001, p_rank=0.001))
    assert overall([strong] + [verdict(STRONG, CLEAN)] * 9) == "leak"


def test_a_release_of_fewer_persons_could_have_shown_less() -> None:
    few = condition("release", (0.52, 0.31, 0.72), 0.4, persons=6)
    assert verdict(STRONG, few).smallest_auc == pytest.approx(0.5 + 2.8016 * 0.2 / 3.92 * 2, abs=1e-4)


def test_originals_alone_are_judged_without_a_control() -> None:
    f = verdict(None, condition("original", (0.65, 0.55, 0.75), 0.01, p_rank=0.5))
    assert f.verdict == "leak"
    taken_back = correct([f] + [verdict(None, CLEAN)] * 4)[0]
    assert taken_back.verdict == "attack too weak"
    assert "control is missing" in taken_back.reason


def test_among_several_labels_the_last_is_the_one_that_was_judged() -> None:
    first = condition("first", (0.5, 0.4, 0.6), 0.9, p_rank=0.9)
    f = verdict(STRONG, condition("second", (0.9, 0.8, 0.95), 0.001, p_rank=0.001))
    both = replace(f, conditions={"original": STRONG, "first": first, **f.conditions})
    assert overall([both, verdict(STRONG, CLEAN)]) == "leak"


def named(name: str, release: Condition) -> AttackFindings:
    return replace(verdict(STRONG, release), attack=name)


def test_p_is_kept_before_and_after_the_correction() -> None:
    first, second, third = (
        condition("release", (0.6, 0.5, 0.7), p, p_rank=0.5) for p in (0.005, 0.02, 0.015)
    )
    alone = [named("a", first), named("b", second), named("c", third)]
    assert [f.p_value for f in alone] == pytest.approx([0.01, 0.04, 0.03])
    assert all(f.p_corrected is None for f in alone)
    together = correct(alone)
    assert [f.p_corrected for f in together] == pytest.approx([0.03, 0.06, 0.06])
    assert [f.p_value for f in together] == pytest.approx([0.01, 0.04, 0.03])
    assert [f.verdict == "leak" for f in together] == [True, False, False]


def test_an_attack_without_p_is_neither_corrected_nor_counted() -> None:
    untested = named("u", condition("release", (0.8, 0.7, 0.9)))
    tested = named("t", condition("release", (0.8, 0.7, 0.9), 0.02, p_rank=0.5))
    corrected = correct([untested, tested])
    assert [f.p_corrected for f in corrected] == [None, pytest.approx(0.04)]
    assert [f.verdict for f in corrected] == ["leak", "leak"]


def test_the_strongest_attack_has_the_smallest_p() -> None:
    weak, strong = named("weak", CLEAN), named("strong", LEAKY)
    assert strongest([weak, strong]).attack == "strong"
    words = strongest_words([weak, strong])
    assert words.startswith("The strongest of 2 attacks is strong: AUC 0.80 [0.70, 0.90]")
    assert "p = 0.004, corrected for 2 attacks" in words
    assert strongest_words([strong]) == ""
    assert strongest([]) is None
    assert strongest_words([]) == ""


def test_of_equal_p_the_larger_excess_is_the_stronger() -> None:
    by_auc = named("auc", condition("release", (0.9, 0.8, 0.95), 0.001, p_rank=0.001))
    by_rank = named("rank", condition("release", (0.7, 0.6, 0.8), 0.001, (0.95, 0.9, 1.0), 0.001))
    assert strongest([by_auc, by_rank]).attack == "rank"  # (.95 - .04) / .96 is more than (.9 - .5) / .5


def test_nothing_measured_is_nobodys_strongest() -> None:
    nothing = condition("release", (None, None, None), rank_1=(None, None, None), persons=1)
    assert strongest([verdict(STRONG, nothing)]) is None


def test_the_judged_condition_is_the_release_or_what_stands_for_it() -> None:
    assert judged(verdict(STRONG, LEAKY)) == LEAKY
    assert judged(verdict(STRONG, condition("clinic-b", (0.5, 0.4, 0.6)))).label == "clinic-b"
    assert judged(verdict(None, STRONG)).label == "original"
