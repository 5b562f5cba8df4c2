"""Scores from known distributions give the known values of every metric."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from medveil.core.errors import UsageError
from medveil.measure.verification.auc import auc
from medveil.measure.verification.calibration import cllr, min_cllr, zebra, zebra_population_of, zebra_tag
from medveil.measure.verification.eer import eer
from medveil.measure.verification.linkability import linkability
from medveil.measure.verification.separation import d_prime
from medveil.measure.verification.tally import Tally

# Quantile grids: a sample with no luck in it.
GRID = (np.arange(20_000) + 0.5) / 20_000
GAUSSIANS = {
    # d': AUC, EER, D_sys at omega 1, .1, .01, Cllr
    0.5: (0.63816, 0.40129, 0.12818, 0.0, 0.0, 0.95627),
    1.0: (0.76025, 0.30854, 0.29349, 0.00673, 0.0, 0.83925),
    2.0: (0.92135, 0.15866, 0.61654, 0.23399, 0.03698, 0.51406),
    3.0: (0.98305, 0.06681, 0.83457, 0.60404, 0.32392, 0.24002),
}


@pytest.mark.parametrize("d", GAUSSIANS)
def test_gaussians(d: float) -> None:
    n = norm.ppf(GRID)
    m = n + d
    area, error, d1, d01, d001, cost = GAUSSIANS[d]
    assert auc(m, n) == pytest.approx(area, abs=2e-4)
    for kind in ("rocch", "interpolated", "step"):
        assert eer(m, n, kind) == pytest.approx(error, abs=2e-4)
    for omega, expected in ((1.0, d1), (0.1, d01), (0.01, d001)):
        assert linkability(m, n, omega=omega, bins=100) == pytest.approx(expected, abs=5e-3)
        assert linkability(m, n, omega=omega, method="pav") == pytest.approx(expected, abs=6e-3)
    assert min_cllr(m, n) == pytest.approx(cost, abs=1e-3)
    assert cllr(d * m - d * d / 2, d * n - d * d / 2) == pytest.approx(cost, abs=1e-3)
    assert d_prime(m, n) == pytest.approx(d, rel=1e-3)


def test_uniforms_that_overlap_by_half() -> None:
    m, n = GRID + 0.5, GRID
    assert auc(m, n) == pytest.approx(0.875, abs=1e-3)
    assert eer(m, n) == pytest.approx(0.25, abs=1e-3)
    assert linkability(m, n, bins=30) == pytest.approx(0.5, abs=1e-3)
    assert linkability(m, n, method="pav") == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("ratio", [0.3, 0.9999, 1.0, 1.0001, 1.002, 4.0])
def test_zebra_population_is_the_integral_over_all_priors(ratio: float) -> None:
    """Two scores of which the higher is `ratio` times as frequent among mated pairs: Z by quadrature."""
    from scipy.integrate import quad
    from scipy.special import xlogy

    # p = mated share above, q = non-mated share above, p / q = the LR above.
    q = 0.2
    p = q * max(ratio, 1 / ratio)
    high, low = p / q, (1 - p) / (1 - q)

    def entropy(x: float) -> float:
        return float(-(xlogy(x, x) + xlogy(1 - x, 1 - x)) / np.log(2))

    def gain(prior: float) -> float:
        odds = prior / (1 - prior)
        cost = prior * (p * np.log2(1 + 1 / (odds * high)) + (1 - p) * np.log2(1 + 1 / (odds * low)))
        cost += (1 - prior) * (q * np.log2(1 + odds * high) + (1 - q) * np.log2(1 + odds * low))
        return entropy(prior) - float(cost)

    size = 1_000_000  # of a tally, not of a sample: the blocks are given directly
    block = Tally(np.array([1 - p, p]) * size, np.array([1 - q, q]) * size)
    assert zebra_population_of(block) == pytest.approx(quad(gain, 0, 1)[0], abs=1e-9)


def test_zebra_of_everything_and_nothing() -> None:
    population, individual, tag = zebra(np.arange(90) + 1000.0, np.arange(90.0))
    assert population == pytest.approx(1 / np.log(4))
    assert 1 < individual <= np.log10(90 * 90)
    assert tag == "B"
    assert zebra([1.0], [1.0]) == (0.0, 0.0, "0")


def test_zebra_individual_grows_with_the_number_of_pairs() -> None:
    few, many = (zebra(np.arange(n) + 1e6, np.arange(n) * 1.0)[1] for n in (10, 1000))
    assert many > few + 1


@pytest.mark.parametrize(
    ("strength", "tag"),
    [(0.0, "0"), (0.5, "A"), (1.0, "A"), (1.5, "B"), (3.0, "C"), (4.5, "D"), (5.5, "E"), (7.0, "F")],
)
def test_zebra_tags(strength: float, tag: str) -> None:
    assert zebra_tag(strength) == tag


def test_d_prime_by_hand() -> None:
    # means 6 and 4.2, variances 5 and 6.56
    assert d_prime([3, 5, 7, 9], [1, 2, 4, 6, 8]) == pytest.approx(1.8 / np.sqrt(5.78), abs=1e-12)
    assert d_prime([1, 1], [1]) == 0.0
    assert d_prime([2, 2], [1]) == float("inf")
    assert d_prime([1e9 + 0.1, 1e9 + 0.1], [1e9 + 0.1]) == 0.0


METRICS = (auc, eer, linkability, min_cllr, zebra, d_prime)


@pytest.mark.parametrize("metric", METRICS)
def test_a_missing_side_is_a_clear_error(metric) -> None:
    with pytest.raises(UsageError, match="no mated pairs"):
        metric([], [1.0])
    with pytest.raises(UsageError, match="no non-mated pairs"):
        metric([1.0], [])


@pytest.mark.parametrize("metric", METRICS)
def test_a_score_that_is_no_number_is_a_clear_error(metric) -> None:
    with pytest.raises(UsageError, match="not finite"):
        metric([1.0, float("nan")], [1.0])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("pair", [([2.0], [1.0]), ([1.0], [2.0]), ([1.0], [1.0])])
def test_one_pair_of_each_kind_is_enough(metric, pair) -> None:
    metric(*pair)


@pytest.mark.parametrize(
    "settings",
    [
        {"omega": 0.0},
        {"bins": 0},
        {"method": "magic"},
        {"compat": "voiceprivacy1999"},
        {"compat": "voiceprivacy2022", "omega": 0.1},
        {"method": "pav", "bins": 5},
    ],
)
def test_linkability_settings_that_make_no_sense(settings) -> None:
    with pytest.raises(UsageError):
        linkability([1.0, 2.0], [0.0, 1.0], **settings)


def test_eer_of_an_unknown_kind() -> None:
    with pytest.raises(UsageError, match="rocch"):
        eer([1.0], [0.0], "best")


def test_linkability_of_few_pairs_is_zero_in_the_compat_mode_only() -> None:
    m, n = np.arange(19.0) + 300, np.arange(100.0)
    assert linkability(m, n, compat="voiceprivacy2022") == 0.0
    assert linkability(m, n) == pytest.approx(1.0)


def test_linkability_of_an_attacker_who_has_it_backwards() -> None:
    m, n = np.arange(50.0), np.arange(50.0) + 100
    assert auc(m, n) == 0.0
    assert linkability(m, n) == pytest.approx(1.0)
    assert linkability(m, n, method="pav") == 0.0


def test_zebra_individual_by_hand() -> None:
    # With one pair of each kind beyond either end the blocks hold (1, 3), (3, 3) and (2, 1) pairs: the
    # strongest evidence is the last one's, (2 / 4) / (1 / 5) = 2.5.
    assert zebra([3, 5, 7, 9], [1, 2, 4, 6, 8])[1] == pytest.approx(np.log10(2.5))


def test_zebra_individual_of_scores_that_say_nothing_is_the_mark_of_laplaces_rule() -> None:
    assert zebra([1] * 24, [1] * 552)[1] == pytest.approx(np.log10((25 / 24) / (553 / 552)))
