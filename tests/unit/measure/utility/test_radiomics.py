"""Radiomic features through MIRP: a few by hand, and what a change does to them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from medveil.core.errors import InputRefused, MissingPackage
from medveil.core.seeds import Seeds
from medveil.measure.utility.before_after import BeforeAfter
from medveil.measure.utility.radiomics import FEATURES, features, texture

PEOPLE, SIDE = 6, 20


def films() -> tuple[BeforeAfter, np.ndarray]:
    rng = np.random.default_rng(0)
    spread = np.linspace(0.02, 0.15, PEOPLE)[:, None, None]
    before = np.clip(0.5 + spread * rng.normal(size=(PEOPLE, SIDE, SIDE)), 0, 1).astype(np.float32)
    other = rng.uniform(size=before.shape).astype(np.float32)
    masks = np.zeros(before.shape, dtype=bool)
    masks[:, 3:17, 3:17] = True
    group = np.array([f"p{i}" for i in range(PEOPLE)])
    return BeforeAfter(before, {"same": before.copy(), "noise": other}, group), masks


def test_without_mirp_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "mirp", None)
    data, masks = films()
    with pytest.raises(MissingPackage) as raised:
        features(data.before[0], masks[0])
    assert "medveil[radiomics]" in raised.value.hint


def test_features_by_hand(capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("mirp", reason="MIRP is not installed")
    image = np.zeros((6, 6), dtype=np.float32)
    image[1:5, 1:5] = np.array([0.25, 0.25, 0.75, 0.75])  # columns
    mask = np.zeros((6, 6), dtype=bool)
    mask[1:5, 1:5] = True
    found = dict(zip(FEATURES, features(image, mask), strict=True))
    assert len(found) == 91
    assert found["stat_mean"] == pytest.approx(0.5)
    assert found["stat_var"] == pytest.approx(1 / 16)
    assert found["stat_energy"] == pytest.approx(8 * 0.25**2 + 8 * 0.75**2)
    assert found["ih_entropy"] == pytest.approx(1)  # two grey levels, equally often: 1 bit
    assert found["szm_z_perc"] == pytest.approx(2 / 16)  # two zones of 16 pixels
    assert found["ih_uniformity"] == pytest.approx(0.5)
    assert "Initialising" not in "".join(capfd.readouterr())


def test_a_flat_region_is_refused() -> None:
    pytest.importorskip("mirp", reason="MIRP is not installed")
    with pytest.raises(InputRefused, match="do not vary"):
        features(np.full((6, 6), 0.5, dtype=np.float32), np.ones((6, 6), dtype=bool))


def test_no_change_keeps_every_feature_and_noise_does_not() -> None:
    pytest.importorskip("mirp", reason="MIRP is not installed")
    data, masks = films()
    found = texture(data, masks, seeds=Seeds(0), rounds=100)
    assert found.grades("same") == {"poor": 0, "moderate": 0, "good": 0, "excellent": 91}
    assert all(a.are.value == 0 for a in found.changes["same"])
    grades = found.grades("noise")
    assert grades["poor"] > 80
    assert sum(found.grades("noise", sure=True).values()) <= 91
    are = found.changes["noise"][FEATURES.index("stat_var")].are
    assert are.value is not None
    assert are.low is not None
    assert are.value > are.low > 0
    assert json.loads(json.dumps(found.to_json()))["persons"] == PEOPLE
