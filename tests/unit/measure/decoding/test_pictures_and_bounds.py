"""MS-SSIM, bounds of the trade-off, sealed bytes, verdicts and the table."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from medveil.core.claims import Decoded
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.seeds import Seeds
from medveil.core.sparse import Statistics
from medveil.measure.decoding.assess import measured, table
from medveil.measure.decoding.joined import Joined
from medveil.measure.decoding.ms_ssim import ms_ssim
from medveil.measure.decoding.sealed import ALARM, paired, sealed_against
from medveil.measure.decoding.tradeoff import complexity, utility
from medveil.measure.decoding.verdict import DecodeFindings, judge, overall, p_of

from .made import ATOMS, K, joined, pair

SEEDS = Seeds(0)


def shades(size: int = 192) -> np.ndarray:
    y, x = np.mgrid[:size, :size] / 32
    return (0.5 + 0.4 * np.sin(x + y**2 / 3)).astype(np.float32)


def test_ms_ssim_is_one_for_the_same_and_falls_with_noise() -> None:
    a = shades()
    draw = np.random.default_rng(0).normal(size=a.shape)
    assert ms_ssim(a, a, data_range=1.0) == pytest.approx(1)
    values = [ms_ssim(a, a + s * draw, data_range=1.0) for s in (0.01, 0.05, 0.2)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < 0.9


def test_ms_ssim_of_one_scale_is_ssim() -> None:
    from medveil.measure.fidelity.similarity import ssim

    a = shades(21)
    b = (a + 0.1 * np.random.default_rng(1).normal(size=a.shape)).astype(np.float32)
    assert ms_ssim(a, b, data_range=1.0) == pytest.approx(ssim(a, b, data_range=1.0), abs=1e-3)


def test_ms_ssim_of_a_shift_of_brightness_is_its_luminance_at_the_coarsest_scale() -> None:
    a = np.full((192, 192), 0.2)
    luminance = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ms_ssim(a, a + 0.4, data_range=1.0) == pytest.approx(luminance**0.1333, rel=1e-4)


def test_ms_ssim_refuses_what_has_no_window() -> None:
    with pytest.raises(UsageError, match="at least 11"):
        ms_ssim(shades(8), shades(8), data_range=1.0)
    with pytest.raises(UsageError, match="shapes"):
        ms_ssim(shades(32), shades(40), data_range=1.0)


def test_complexity_is_the_length_of_the_true_components() -> None:
    """Nothing known: log2 C(24, 4) of a support and log2 8 of a value, so the bound is exact."""
    from medveil.measure.decoding.ambiguity import count_bits

    flat = Statistics(np.full((2, ATOMS), 100), np.ones((2, ATOMS, 8), np.int64), 600)
    one = pair(0)
    got = complexity([one], flat, SEEDS)
    exact = 2 * len(one.true[0]) * (count_bits(ATOMS, K) + K * 3) / one.picture.size
    assert got.value == pytest.approx(exact)
    assert "upper bound" in got.note


def test_leakage_is_what_the_code_tells_beyond_the_count() -> None:
    told = measured(joined(1.0), SEEDS)
    count, bound, leak = (told[n] for n in ("ambiguity_bits", "residual_bits_bound", "leakage"))
    assert count.value is not None
    assert bound.value is not None
    assert leak.value == pytest.approx(count.value - bound.value)
    assert (leak.low or 0) < (leak.value or 0) < (leak.high or 0)
    assert (measured(joined(0.0), SEEDS)["leakage"].value or 0) < 0.1


def test_utility_of_a_sure_and_of_an_ignorant_classifier() -> None:
    labels = [0, 1] * 5
    groups = [str(n) for n in range(10)]
    assert utility(np.eye(2)[labels], labels, groups, SEEDS).value == pytest.approx(1)
    assert utility(np.full((10, 2), 0.5), labels, groups, SEEDS).value == pytest.approx(0)
    with pytest.raises(UsageError, match="utility"):
        utility(np.full((10, 2), 0.5), [2] * 10, groups, SEEDS)


def test_sealed_bytes_are_told_from_clear_ones_and_from_a_key_used_twice() -> None:
    draw = np.random.default_rng(3)
    contents = [(draw.integers(0, 4, 40_000) * 60).astype(np.uint8).tobytes() for _ in range(2)]
    stream = draw.integers(0, 256, 40_000, dtype=np.uint8)
    once = [draw.bytes(40_000) for _ in contents]
    twice = [(np.frombuffer(c, np.uint8) ^ stream).tobytes() for c in contents]
    fine = sealed_against([*once, *paired(once)], [*contents, *paired(contents)], SEEDS)
    assert fine.value == pytest.approx(0.5, abs=0.02)
    assert (fine.p_value or 0) > ALARM
    assert (sealed_against(contents, contents, SEEDS).value or 0) > 0.99
    assert (
        sealed_against([*twice, *paired(twice)], [*contents, *paired(contents)], SEEDS).p_value or 1
    ) < ALARM
    assert sealed_against([b""], [b""], SEEDS).value is None
    with pytest.raises(UsageError, match="as long"):
        sealed_against([b"a"], [b"ab"], SEEDS)


def found(name: str, p: float | None, control_p: float | None = None) -> DecodeFindings:
    return DecodeFindings(name, "a sentence", {"auc": Estimate("auc", 0.6)}, p_value=p, control_p=control_p)


def test_the_three_verdicts() -> None:
    got = judge(
        [
            found("decode.mean_image", None),
            found("decode.a", 1e-9),
            found("decode.b", 0.4, control_p=1e-9),
            found("decode.c", 0.4, control_p=0.3),
            found("decode.d", 0.4),
            found("decode.e", None),
        ]
    )
    assert [f.verdict for f in got] == [
        None, "leak", "no evidence of a leak", "attack too weak", "attack too weak", "attack too weak",
    ]  # fmt: skip
    assert "control is missing" in got[4].reason
    assert "over people" in got[5].reason
    assert judge(got) == got
    assert overall(got) == "leak"
    assert overall(got[2:]) == "no evidence of a leak"
    assert overall(got[3:]) == "attack too weak"


def test_many_attacks_are_corrected_together() -> None:
    assert judge([found("decode.a", 0.02)])[0].verdict == "leak"
    assert judge([found(f"decode.{n}", p) for n, p in enumerate([0.02, 0.5, 0.6])])[0].verdict != "leak"


def test_pictures_are_tested_over_people_against_the_mean() -> None:
    one = joined(0.0, count=6)
    close = Joined([Decoded(None, c.picture, "decode.made", "public", {}) for c in one.claims], one.pairs)
    grey = [np.full(p.picture.shape, 0.5, np.float32) for p in one.pairs]
    floor = Joined([Decoded(None, g, "decode.mean_image", "public", {}) for g in grey], one.pairs)
    assert p_of(close, floor, SEEDS) == pytest.approx(1 / 64)
    assert p_of(floor, floor, SEEDS) == 1
    assert p_of(close, None, SEEDS) is None
    assert (
        p_of(Joined(close.claims[:3], close.pairs[:3]), Joined(floor.claims[:3], floor.pairs[:3]), SEEDS)
        is None
    )


def test_the_table_and_its_json() -> None:
    one = replace(found("decode.made", 1e-9), estimates=measured(joined(1.0), SEEDS))
    lines = table(judge([one]), {"authorised": {"psnr": Estimate("psnr", 40.0)}})
    assert lines[0].split()[:4] == ["attack", "AUC", "found", "solved"]
    assert lines[1].endswith("leak")
    assert lines[2].split() == ["authorised", "-", "-", "-", "40.0", "-", "-", "-"]
    assert json.loads(json.dumps(one.to_json()))["estimates"]["auc"]["value"] == one.estimates["auc"].value
