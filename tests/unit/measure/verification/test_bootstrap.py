"""Weights do what re-building the pairs of the drawn persons would do."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.scores import Scores, join
from medveil.measure.verification.auc import auc, auc_of
from medveil.measure.verification.battery import Battery
from medveil.measure.verification.bootstrap import basic, multiplicities, pair_weights, percentiles, wilson
from medveil.measure.verification.calibration import min_cllr, zebra
from medveil.measure.verification.eer import eer
from medveil.measure.verification.linkability import linkability
from medveil.measure.verification.separation import d_prime
from medveil.measure.verification.tally import Ladder


def rebuilt(scores: Scores, drawn: np.ndarray) -> tuple[list[float], list[float]]:
    """The slow way: a cohort of copies; copies of one person never meet as impostors."""
    copies = np.repeat(np.arange(scores.persons), drawn.astype(int))
    mated, non_mated = [], []
    for a, i in enumerate(copies):
        for b, j in enumerate(copies):
            pairs = scores.score[(scores.probe == i) & (scores.gallery == j)]
            if a == b:
                mated += pairs.tolist()
            elif i != j:
                non_mated += pairs.tolist()
    return mated, non_mated


@pytest.mark.parametrize("round_to", [9, 0])  # without and with ties
def test_weighted_metrics_are_those_of_the_rebuilt_cohort(everyone, round_to: int) -> None:
    claims = everyone(7, 1.0, scans=2, photos=2)
    scores = join(claims)
    scores = Scores(
        scores.score.round(round_to), scores.probe, scores.gallery, scores.probe_image, scores.persons
    )
    battery = Battery.of(scores.score, len(scores.mated))
    rng = np.random.default_rng(3)
    for drawn in multiplicities(scores.persons, 25, rng):
        m, n = rebuilt(scores, drawn)
        found, _ = battery.measure(*pair_weights(scores, drawn))
        expected = {
            "auc": auc(m, n),
            "eer": eer(m, n),
            "eer_interpolated": eer(m, n, "interpolated"),
            "eer_step": eer(m, n, "step"),
            "linkability": linkability(m, n, bins=battery.edges),
            "linkability_pav": linkability(m, n, method="pav"),
            "min_cllr": min_cllr(m, n),
            "zebra_population": zebra(m, n)[0],
            "zebra_individual": zebra(m, n)[1],
            "d_prime": d_prime(m, n),
        }
        assert found == pytest.approx(expected, abs=1e-9)


def test_a_draw_of_one_person_only_is_undefined_and_not_an_error(everyone) -> None:
    scores = join(everyone(3, 1.0))
    battery = Battery.of(scores.score, 3)
    found, tally = battery.measure(*pair_weights(scores, np.array([3.0, 0.0, 0.0])))
    assert tally is None
    assert np.isnan(list(found.values())).all()


def test_every_draw_has_as_many_persons_as_the_cohort() -> None:
    draws = list(multiplicities(10, 20, np.random.default_rng(0)))
    assert [d.sum() for d in draws] == [10] * 20


def test_a_person_on_one_side_only_has_weight_there() -> None:
    # person 2 is in the gallery only: one numbering for both sides
    scores = Scores(
        np.arange(6.0),
        np.array([0, 0, 0, 1, 1, 1]),
        np.array([0, 1, 2, 0, 1, 2]),
        np.array([0, 0, 0, 1, 1, 1]),
        3,
    )
    mated, non_mated = pair_weights(scores, np.array([1.0, 0.0, 2.0]))
    assert mated.tolist() == [1, 0, 0, 0, 0, 0]
    assert non_mated.tolist() == [0, 0, 2, 0, 0, 0]


def test_percentiles_need_half_of_the_rounds() -> None:
    assert percentiles(np.array([1.0, 2.0, np.nan])) == pytest.approx((1.025, 1.975))
    assert percentiles(np.array([1.0, np.nan, np.nan, np.nan])) is None
    assert percentiles(np.array([np.inf, 1.0, 2.0])) == pytest.approx((1.025, 1.975))


def test_basic_intervals_undo_the_bias_of_the_rounds() -> None:
    rounds = np.array([0.2, 0.3, 0.4])  # a value of .2 that rounds put at .3
    low, high = percentiles(rounds, 0.9)
    assert basic(rounds, 0.2, (0.0, 1.0), 0.9) == pytest.approx((max(0.4 - high, 0), 0.4 - low))
    assert basic(rounds, 0.2, (0.15, 0.18), 0.9) == (0.15, 0.18)
    assert basic(np.array([np.nan, np.nan]), 0.2, (0.0, 1.0)) is None


@pytest.mark.parametrize(
    ("share", "n", "low", "high"),
    [(4 / 5, 5, 0.38, 0.96), (3 / 5, 5, 0.23, 0.88), (2 / 5, 5, 0.12, 0.77), (70 / 84, 84, 0.74, 0.90)],
)
def test_wilson_of_published_rates(share: float, n: int, low: float, high: float) -> None:
    assert wilson(share, n) == pytest.approx((low, high), abs=0.006)


def test_wilson_is_never_empty() -> None:
    assert wilson(0.0, 24)[1] > 0.1
    assert wilson(1.0, 24)[0] < 0.9


@pytest.mark.slow
def test_subject_intervals_cover_and_pair_intervals_do_not() -> None:
    """30 persons with 3 scans and 3 photographs: pairs of one person are anything but independent."""
    rng = np.random.default_rng(11)
    large = correlated(rng, 1000, scans=1, photos=1)
    truth = auc(large.mated, large.non_mated)
    covered = {"persons": 0, "pairs": 0}
    trials = 30
    for _ in range(trials):
        scores = correlated(rng, 30)
        ladder, mated = Ladder.of(scores.score), scores.is_mated
        by_person = [
            auc_of(ladder.tally(*pair_weights(scores, drawn))) for drawn in multiplicities(30, 100, rng)
        ]
        by_pair = [
            auc_of(ladder.tally(w * mated, w * ~mated))
            for w in rng.poisson(1.0, size=(100, len(mated))).astype(np.float64)
        ]
        for unit, samples in (("persons", by_person), ("pairs", by_pair)):
            low, high = percentiles(np.array(samples))
            covered[unit] += low <= truth <= high
    assert covered["persons"] >= 0.85 * trials
    assert covered["pairs"] <= 0.8 * trials


def correlated(rng: np.random.Generator, persons: int, scans: int = 3, photos: int = 3) -> Scores:
    """Inner products of noisy views of persons: images of one person share their luck."""
    identity = rng.normal(size=(persons, 1, 4))
    luck = rng.normal(size=(2, persons, 1, 4))  # how off this person's scans and photographs are
    scan = identity + 1.2 * luck[0] + 0.5 * rng.normal(size=(persons, scans, 4))
    photo = identity + 1.2 * luck[1] + 0.5 * rng.normal(size=(persons, photos, 4))
    return Scores(
        score=(scan.reshape(-1, 4) @ photo.reshape(-1, 4).T).ravel(),
        probe=np.repeat(np.arange(persons), scans * persons * photos),
        gallery=np.tile(np.repeat(np.arange(persons), photos), persons * scans),
        probe_image=np.repeat(np.arange(persons * scans), persons * photos),
        persons=persons,
    )
