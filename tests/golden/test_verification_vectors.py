"""Six sets of scores whose metrics were worked out with fractions, and one with two ways of binning."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medveil.measure.verification.auc import auc
from medveil.measure.verification.calibration import min_cllr, zebra
from medveil.measure.verification.eer import eer
from medveil.measure.verification.linkability import linkability

GOLDEN = json.loads((Path(__file__).parent / "verification_vectors.json").read_text())

METRICS = {
    "auc": auc,
    "eer": eer,
    "eer_interpolated": lambda m, n: eer(m, n, "interpolated"),
    "eer_step": lambda m, n: eer(m, n, "step"),
    "linkability": lambda m, n: linkability(m, n, bins=4),
    "linkability_trapz": lambda m, n: linkability(m, n, bins=4, compat="voiceprivacy2022"),
    "min_cllr": min_cllr,
    "zebra_population": lambda m, n: zebra(m, n)[0],
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("vector", GOLDEN["vectors"])
def test_a_metric_of_a_vector_is_what_fractions_give(vector: str, metric: str) -> None:
    v = GOLDEN["vectors"][vector]
    found = METRICS[metric](v["mated"], v["non_mated"])
    assert found == pytest.approx(v[metric], abs=GOLDEN["tolerance"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 1.0),
        ({"compat": "voiceprivacy2022"}, 0.7),
        ({"bins": 10}, 1.0),
        ({"bins": 10, "compat": "voiceprivacy2022"}, 0.85),
        ({"method": "pav"}, 1.0),
    ],
)
def test_the_trapezoid_loses_half_of_the_outer_bins_of_separated_scores(settings, expected: float) -> None:
    assert linkability(np.linspace(2, 3, 50), np.linspace(0, 1, 500), **settings) == pytest.approx(
        expected, abs=1e-6
    )
