"""A condition says all that can be said, and nothing where nothing can be said."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.findings import Findings
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import judge, overall
from medveil.measure.verification.auc import auc

KEYS = [
    "auc",
    "eer",
    "eer_interpolated",
    "eer_step",
    "linkability",
    "linkability_pav",
    "rank_1",
    "rank_5",
    "min_cllr",
    "zebra_population",
    "zebra_individual",
    "d_prime",
    "rank_1_of_10",
    "dir_at_fpir_01",
    "dir_at_fpir_10",
    "dir_left_out_fpir_01",
    "dir_left_out_fpir_10",
]
SEEDS = Seeds(7)


def test_every_metric_has_value_interval_chance_and_persons(everyone) -> None:
    claims = everyone(20, 1.5)
    c = summarise(claims, None, seeds=SEEDS, rounds=100)
    assert list(c.estimates) == KEYS
    assert (c.label, c.persons, c.mated, c.non_mated) == ("release", 20, 20, 380)
    assert c.notes == {"detected": 1.0}
    for name in KEYS[:10]:
        e = c.estimates[name]
        assert e.name == name
        assert e.low <= e.value <= e.high
        assert e.n == 20
        assert e.chance is not None
        assert e.note
    assert c.estimates["auc"].p_value == pytest.approx(1 / 101)
    assert c.estimates["rank_1"].p_value == pytest.approx(1 / 101)
    assert c.estimates["rank_1"].chance == pytest.approx(1 / 20)
    assert c.estimates["rank_5"].chance == pytest.approx(5 / 20)
    assert c.estimates["auc"].chance == pytest.approx(0.5, abs=0.02)
    assert c.estimates["zebra_individual"].low is None
    assert "tag" in c.estimates["zebra_individual"].note
    assert c.estimates["dir_at_fpir_01"].value is None


def test_curves_are_complete_and_small(everyone) -> None:
    c = summarise(everyone(20, 1.5), None, seeds=SEEDS, rounds=50, null_rounds=20).curves
    assert len(c.fpr) == len(c.tpr) == len(c.tpr_low) == len(c.tpr_high) <= 200
    assert (c.fpr[0], c.tpr[0], c.fpr[-1], c.tpr[-1]) == (0, 0, 1, 1)
    assert np.all(np.diff(c.fpr) >= 0)
    assert np.all(np.diff(c.tpr) >= 0)
    assert np.all(np.array(c.tpr_low) <= np.array(c.tpr_high))
    assert len(c.cmc) == len(c.cmc_low) == len(c.cmc_high) == 20
    assert c.cmc[-1] == pytest.approx(1)
    widths = np.diff(c.bins)
    assert widths @ np.array(c.mated) == pytest.approx(1)
    assert widths @ np.array(c.non_mated) == pytest.approx(1)


def test_same_seed_same_numbers_other_seed_other_intervals(everyone) -> None:
    claims = everyone(10, 1.0)
    a, b, c = (summarise(claims, None, seeds=Seeds(s), rounds=50, null_rounds=20) for s in (1, 1, 2))
    assert asdict(a) == asdict(b)
    assert a.estimates["auc"].low != c.estimates["auc"].low
    assert a.estimates["auc"].value == c.estimates["auc"].value


def test_truth_says_who_is_who(table, everyone) -> None:
    claims = everyone(6, 4.0)
    renamed = table(
        [
            (f"x{p}", a, g, b, s)
            for p, a, g, b, s in zip(
                claims.probe_subject,
                claims.probe_image,
                claims.gallery_subject,
                claims.gallery_image,
                claims.score,
                strict=True,
            )
        ]
    )
    truth = Truth(probe_person={f"xs{i:03}": f"s{i:03}" for i in range(6)})
    a = summarise(claims, None, seeds=SEEDS, rounds=20, null_rounds=20).estimates["auc"]
    b = summarise(renamed, truth, seeds=SEEDS, rounds=20, null_rounds=20).estimates["auc"]
    assert a == b
    with pytest.raises(UsageError, match="no pair shows one person"):
        summarise(renamed, None, seeds=SEEDS)


def test_no_claims_at_all_is_a_clear_error(table) -> None:
    claims = table([("a", "1", "a", "1", 0.0)])
    empty = type(claims)(*(np.array([], dtype=str),) * 4, np.array([]), "x", "release", {})
    with pytest.raises(UsageError, match="no claims"):
        summarise(empty, None, seeds=SEEDS)


@pytest.mark.parametrize("persons", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("shift", [0.0, 60.0, -60.0])
@pytest.mark.parametrize("scans", [1, 2])
def test_tiny_cohorts_give_no_traceback_no_warning_and_no_nan(
    everyone, persons: int, shift: float, scans: int
) -> None:
    claims = everyone(persons, shift, scans=scans)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        c = summarise(claims, None, seeds=SEEDS, rounds=20, null_rounds=10)
        n = null_condition(claims, None, seeds=SEEDS, rounds=10)
        f = judge("test.attack", "tests", {}, c, c, n)
        page = Findings("t", "a", overall([f]), "", True, {}, [f]).to_json()
    again = Findings.from_json(json.loads(json.dumps(page, allow_nan=False)))
    assert again.attacks[0].conditions["release"].persons == persons
    for e in c.estimates.values():
        assert e.value is not None or e.note
    if persons < 5:
        assert c.estimates["auc"].low is None
        assert f.verdict == "attack too weak"


def test_constant_scores_are_chance(table) -> None:
    c = summarise(
        table([(p, "1", g, "1", 1.0) for p in "abcdefg" for g in "abcdefg"]),
        None,
        seeds=SEEDS,
        rounds=30,
        null_rounds=20,
    )
    expected = {"auc": 0.5, "eer": 0.5, "linkability": 0, "rank_1": 0, "min_cllr": 1, "d_prime": 0}
    for name, value in expected.items():
        assert c.estimates[name].value == pytest.approx(value)
    assert c.estimates["auc"].p_value == 1.0


def test_a_perfect_attack_has_a_rank_interval_that_admits_doubt(everyone) -> None:
    e = summarise(everyone(24, 60.0), None, seeds=SEEDS, rounds=50, null_rounds=20).estimates
    assert e["rank_1"].value == 1.0
    assert e["rank_1"].low < 0.9
    assert "no overlap was seen" in e["auc"].note


def test_rank_5_of_five_persons_says_it_means_nothing(everyone) -> None:
    e = summarise(everyone(5, 0.0), None, seeds=SEEDS, rounds=20, null_rounds=20).estimates["rank_5"]
    assert e.value == e.chance == 1.0
    assert "by construction" in e.note


def test_open_set_rates_where_there_are_enough_strangers(table) -> None:
    rng = np.random.default_rng(0)
    gallery = [f"g{i}" for i in range(8)]
    rows = [(p, "1", g, "1", rng.normal() + 5 * (p == g)) for p in gallery for g in gallery]
    rows += [(f"u{i}", "1", g, "1", rng.normal()) for i in range(100) for g in gallery]
    c = summarise(table(rows), None, seeds=SEEDS, rounds=40, null_rounds=10)
    assert c.estimates["dir_at_fpir_10"].value > 0.5
    assert c.estimates["dir_at_fpir_10"].low is not None
    assert c.estimates["dir_at_fpir_01"].value is None
    assert c.persons == 108
    assert c.estimates["auc"].n == 8


def test_several_images_widen_the_interval_of_pairs_to_that_of_persons(everyone) -> None:
    one = everyone(12, 1.0)
    copies = everyone(12, 1.0)
    rows = [
        (p, f"{a}-{k}", g, b, s)
        for p, a, g, b, s in zip(
            copies.probe_subject,
            copies.probe_image,
            copies.gallery_subject,
            copies.gallery_image,
            copies.score,
            strict=True,
        )
        for k in range(4)
    ]
    many = type(one)(
        *(np.array(c, dtype=str) for c in list(zip(*rows, strict=True))[:4]),
        score=np.array([r[4] for r in rows]),
        attack="test.attack",
        condition="release",
        notes={},
    )
    a = summarise(one, None, seeds=SEEDS, rounds=60, null_rounds=20).estimates["auc"]
    b = summarise(many, None, seeds=SEEDS, rounds=60, null_rounds=20).estimates["auc"]
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high))


def test_null_condition_is_chance_with_its_range(everyone) -> None:
    claims = everyone(20, 60.0)
    c = null_condition(claims, seeds=SEEDS, rounds=60)
    assert c.label == "null"
    assert c.estimates["auc"].value == pytest.approx(0.5, abs=0.02)
    assert c.estimates["auc"].low < 0.5 < c.estimates["auc"].high
    assert c.estimates["rank_1"].chance == pytest.approx(1 / 19)
    assert c.estimates["rank_1"].value == pytest.approx(1 / 19, abs=0.03)
    assert len(c.curves.fpr) == len(c.curves.tpr)
    assert c.curves.mated == c.curves.non_mated


def test_values_are_those_of_the_pure_functions(everyone) -> None:
    claims = everyone(9, 1.0)
    mated = claims.probe_subject == claims.gallery_subject
    e = summarise(claims, None, seeds=SEEDS, rounds=10).estimates["auc"]
    assert e.value == pytest.approx(auc(claims.score[mated], claims.score[~mated]))


@pytest.mark.parametrize(("shift", "expected"), [(4.0, "leak"), (0.0, "attack too weak")])
def test_hand_picked_impostors_are_judged_by_the_interval(table, shift: float, expected: str) -> None:
    rng = np.random.default_rng(2)
    rows = [
        (f"p{i}", "1", f"p{j}", "1", rng.normal() + shift * (i == j))
        for i in range(30)
        for j in (i, (i + 1) % 30)
    ]
    c = summarise(table(rows), None, seeds=SEEDS, rounds=100)
    n = null_condition(table(rows), seeds=SEEDS)
    assert c.estimates["auc"].p_value is None
    assert c.estimates["auc"].chance == n.estimates["auc"].value == 0.5
    assert n.estimates["rank_1"].value == pytest.approx(1.0)  # one impostor, left alone without the mate
    assert judge("test.attack", "tests", {}, None, c, n).verdict == expected
