"""Metrics of guesses: rows computed by hand, then what must hold of intervals, p and gains."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.guesses.classes import balanced, class_estimates
from medveil.measure.guesses.compare import compare
from medveil.measure.guesses.gain import gain, swap_p
from medveil.measure.guesses.joined import ClassTable, NumberTable, join_guesses
from medveil.measure.guesses.numbers import number_estimates
from medveil.measure.guesses.power import smallest_accuracy, smallest_correlation

from .rows import guesses, table, truth

SEEDS = Seeds(3)


def classes(value: list[str], guess: list[str], score: list[float] | None = None) -> ClassTable:
    out = table(value, guess, score)
    assert isinstance(out, ClassTable)
    return out


def numbers(value: list[float], guess: list[float]) -> NumberTable:
    out = table([str(v) for v in value], guess)
    assert isinstance(out, NumberTable)
    return out


def test_four_right_of_five_by_hand() -> None:
    """F F F M M guessed F F M M M: recalls 2/3 and 1, balanced 5/6, accuracy 4/5 with Wilson [.38, .96]."""
    e = class_estimates(classes(list("FFFMM"), list("FFMMM")), seeds=SEEDS)
    assert e["balanced_accuracy"].value == pytest.approx(5 / 6)
    assert e["balanced_accuracy"].chance == 0.5
    assert e["accuracy"].value == pytest.approx(0.8)
    assert (round(e["accuracy"].low or 0, 2), round(e["accuracy"].high or 0, 2)) == (0.38, 0.96)
    assert e["accuracy"].chance == pytest.approx(0.6), "three of five are women"
    assert e["recall_F"].value == pytest.approx(2 / 3)
    assert e["recall_M"].value == 1.0
    assert e["recall_M"].n == 2


def test_interval_of_the_balanced_accuracy_by_hand() -> None:
    """Wilson of 2/2: [.3424, 1], of 3/3: [.4385, 1]. MOVER: 1 - sqrt((.6576/2)^2 + (.5615/2)^2) = .5676."""
    e = class_estimates(classes(list("FFMMM"), list("FFMMM")), seeds=SEEDS)["balanced_accuracy"]
    assert (e.value, e.high) == (1.0, 1.0)
    assert e.low == pytest.approx(0.5676, abs=2e-4)


def test_p_of_five_people_is_the_share_of_orders_that_do_as_well() -> None:
    """Of the 10 ways to deal 2 M among 5, one is all right: p is near 1/10, and no attack can prove anything."""
    e = class_estimates(classes(list("FFFMM"), list("FFFMM")), seeds=SEEDS, rounds=4000)
    assert e["balanced_accuracy"].p_value == pytest.approx(0.1, abs=0.02)


def test_calling_everybody_the_same_is_worth_one_half_however_common_the_class() -> None:
    e = class_estimates(classes(["F"] * 9 + ["M"], ["F"] * 10), seeds=SEEDS)
    assert e["accuracy"].value == e["accuracy"].chance == 0.9
    assert e["balanced_accuracy"].value == 0.5
    assert e["balanced_accuracy"].p_value == 1.0


def test_auc_by_hand() -> None:
    """Evidence for M: F guesses count negative. F: -2, -1, +1; M: +3, -1. Wins 3 + (0 + .5 + 0) of... 6 pairs."""
    e = class_estimates(classes(list("FFFMM"), list("FFMMF"), [2, 1, 1, 3, 1]), seeds=SEEDS)["auc"]
    assert e.value == pytest.approx((3 + 1 + 0.5) / 6)
    assert e.low is not None
    assert e.low <= e.value <= (e.high or 0)


def test_three_classes_have_chance_one_third_and_no_auc() -> None:
    e = class_estimates(classes(list("abcabc"), list("abcbca")), seeds=SEEDS)
    assert e["balanced_accuracy"].value == pytest.approx(0.5)
    assert e["balanced_accuracy"].chance == pytest.approx(1 / 3)
    assert "auc" not in e


def test_a_guess_that_is_no_class_of_anybody_is_wrong() -> None:
    assert class_estimates(classes(list("FFMM"), list("FXXM")), seeds=SEEDS)["accuracy"].value == 0.5


def test_one_class_has_no_balanced_accuracy() -> None:
    e = class_estimates(classes(["F"] * 6, ["F"] * 6), seeds=SEEDS)
    assert e["balanced_accuracy"].value is None
    assert "same class" in e["balanced_accuracy"].note


def test_five_scans_of_one_person_are_one_person() -> None:
    person = ["a"] * 4 + ["b"]
    joined = join_guesses(guesses(person, ["F", "F", "F", "M", "M"]), truth(["a", "b"], ["F", "M"]))
    assert isinstance(joined, ClassTable)
    assert joined.right.tolist() == [0.75, 1.0]
    assert class_estimates(joined, seeds=SEEDS)["accuracy"].n == 2


def test_people_of_whom_nobody_knows_are_left_out() -> None:
    known = Truth(properties={"a": {"sex": "F"}, "b": {"sex": "n/a"}, "c": {"sex": "M"}})
    joined = join_guesses(guesses(["a", "b", "c", "d"], list("FFFF")), known)
    assert joined.person.tolist() == ["a", "c"]
    with pytest.raises(UsageError, match="none of these people"):
        join_guesses(guesses(["b", "d"], list("FF")), known)


def test_a_number_guessed_where_the_truth_is_a_word_is_refused_without_the_word() -> None:
    with pytest.raises(UsageError) as caught:
        join_guesses(guesses(["a"], [4.0]), truth(["a"], ["Canary^Jane"]))
    assert "Canary" not in str(caught.value)


def test_wilson_covers_where_the_percentiles_of_a_bootstrap_would_not() -> None:
    """20 people, an attacker of .9: the interval of the balanced accuracy holds .9 in about 95 of 100 cohorts."""
    rng, held = np.random.default_rng(5), 0
    for _ in range(300):
        right = rng.random(20) < 0.9
        value = ["F"] * 10 + ["M"] * 10
        guess = [v if r else ("M" if v == "F" else "F") for v, r in zip(value, right, strict=True)]
        e = class_estimates(classes(value, guess), seeds=SEEDS, rounds=1)["balanced_accuracy"]
        held += (e.low or 0) <= 0.9 <= (e.high or 0)
    assert 0.91 <= held / 300 <= 0.995


def test_p_of_a_guesser_is_rarely_small() -> None:
    rng, small = np.random.default_rng(6), 0
    for _ in range(200):
        guess = [str(g) for g in rng.choice(["F", "M"], 24)]
        e = class_estimates(classes(["F", "M"] * 12, guess), seeds=SEEDS, rounds=99)["balanced_accuracy"]
        small += (e.p_value or 1) <= 0.05
    assert small / 200 <= 0.09


def test_error_and_correlation_by_hand() -> None:
    """Truth 20 30 40 50 60 guessed 30 30 40 40 50: errors 10 0 0 10 10, r = 500 / sqrt(1000 * 280)."""
    t = numbers([20, 30, 40, 50, 60], [30, 30, 40, 40, 50])
    prior = numbers([20, 30, 40, 50, 60], [40, 40, 40, 40, 40])
    e = number_estimates(t, seeds=SEEDS, prior=prior, unit="years")
    assert e["mae"].value == pytest.approx(6.0)
    assert e["mae"].chance == pytest.approx(12.0)
    assert e["mae"].unit == "years"
    assert e["r"].value == pytest.approx(500 / np.sqrt(1000 * 280))
    assert e["r"].p_value == pytest.approx(3 / 120, abs=0.02), "few of the 120 orders agree as well"


def test_who_guesses_the_median_has_no_correlation() -> None:
    e = number_estimates(numbers([20, 30, 40, 50, 61], [40.0] * 5), seeds=SEEDS)
    assert e["r"].value is None
    assert "does not vary" in e["r"].note


def test_gain_and_its_p_by_hand() -> None:
    """Two guessers differ on five people, always to the better: p = 1/32, the gain 5/10."""
    value = list("FFFFFMMMMM")
    a = classes(value, list("FFFFFMMMMM"))
    b = classes(value, list("MMMFFMMMFF"))
    e = gain("gain_over_table", a, b, seeds=SEEDS)
    assert e.value == pytest.approx(0.5)
    assert e.p_value == pytest.approx(1 / 32)
    assert (e.low or 0) > 0
    assert e.chance == 0.0


def test_gain_of_numbers_is_the_error_saved_on_the_people_in_both() -> None:
    a = join_guesses(guesses(["a", "b", "c"], [10.0, 20.0, 30.0]), truth(["a", "b", "c"], ["10", "20", "31"]))
    b = join_guesses(guesses(["b", "c", "d"], [25.0, 33.0, 0.0]), truth(["b", "c", "d"], ["20", "31", "0"]))
    e = gain("gain", a, b, seeds=SEEDS, unit="years")
    assert e.value == pytest.approx(((5 - 0) + (2 - 1)) / 2)
    assert (e.n, e.low, e.unit) == (2, None, "years")


def test_no_difference_is_no_gain_and_p_one() -> None:
    a = classes(list("FFMMFM"), list("FFMMMF"))
    e = gain("gain", a, a, seeds=SEEDS)
    assert (e.value, e.p_value) == (0.0, 1.0)


def test_swaps_of_many_are_drawn_and_agree_with_all_of_few() -> None:
    d = np.array([1.0, -1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1])
    exact = swap_p(d, SEEDS, 1)
    drawn = swap_p(np.append(d, 1e-10), SEEDS, 40_000)
    assert exact == pytest.approx(79 / 4096), "12 signs, at most two of them negative: 1 + 12 + 66"
    assert drawn == pytest.approx(exact, abs=0.005)


def test_paired_interval_is_narrower_than_two_intervals_would_be() -> None:
    rng = np.random.default_rng(8)
    truth_ = rng.normal(50, 20, 60)
    hard = rng.normal(0, 15, 60)  # what makes people hard to guess is the same for both guessers
    a, b = numbers(list(truth_), list(truth_ + hard)), numbers(list(truth_), list(truth_ + 1.2 * hard))
    e = gain("gain", a, b, seeds=SEEDS)
    mae = number_estimates(a, seeds=SEEDS)["mae"]
    assert (e.high or 0) - (e.low or 0) < 0.5 * ((mae.high or 0) - (mae.low or 0))


def test_image_and_table_are_held_against_the_table() -> None:
    value = list("FFFFFMMMMM")
    prior, image = classes(value, list("F" * 10)), classes(value, list("FFFFMMMMMF"))
    said, both = classes(value, list("FFFMMMMMFF")), classes(value, list("FFFFFMMMMM"))
    e = compare(image, prior, seeds=SEEDS, table=said, told=both)
    assert e["gain_over_prior"].value == pytest.approx(0.3)
    assert e["with_table"].value == 1.0
    assert e["gain_over_table"].value == pytest.approx(0.4)
    assert "with_table" not in compare(image, prior, seeds=SEEDS)


def test_with_a_table_numbers_are_tested_against_the_median() -> None:
    value = [float(v) for v in range(20, 40, 2)]
    prior, both = numbers(value, [29.0] * 10), numbers(value, [v + 1 for v in value])
    e = compare(both, prior, seeds=SEEDS, table=prior, told=both, unit="years")
    assert e["with_table"].value == pytest.approx(1.0)
    assert (e["with_table"].p_value or 1) < 0.01


def test_five_people_show_only_an_attack_that_is_nearly_perfect() -> None:
    assert smallest_accuracy(5, 0.5) == pytest.approx(0.8**0.2)
    assert smallest_accuracy(5, 0.5, alpha=0.01) is None
    assert smallest_accuracy(4, 0.5) is None
    assert smallest_accuracy(0, 0.5) is None
    assert smallest_accuracy(10, 1.0) is None


def test_smallest_accuracy_is_found_four_times_in_five() -> None:
    rng = np.random.default_rng(9)
    p = smallest_accuracy(40, 0.5)
    assert p is not None
    right = rng.binomial(40, p, 4000)
    from scipy.stats import binom

    assert np.mean(binom.sf(right - 1, 40, 0.5) <= 0.05) == pytest.approx(0.8, abs=0.03)


def test_more_people_show_smaller_correlations() -> None:
    r = [smallest_correlation(n) or 1 for n in (5, 20, 60, 500)]
    assert r == sorted(r, reverse=True)
    assert smallest_correlation(4) is None


def test_balanced_accuracy_gives_partial_credit_for_some_images() -> None:
    assert balanced(np.array([[0.5, 0.5], [0.0, 1.0]]), np.array([0, 1]), 2) == 0.75
