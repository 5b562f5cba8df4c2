"""Figures as pieces of a page."""

from __future__ import annotations

import math
import re
from dataclasses import replace

from medveil.report.panels import cmc, curves, det, forest, histogram, roc

from .example import attack

ONE = attack("a.b", (0.9, 0.8, 0.95), (0.5, 0.4, 0.6), "leak", "")


def test_every_drawing_is_one_svg_without_address_style_or_date() -> None:
    for drawing in curves.DRAWINGS:
        svg = str(drawing.paint(ONE, "here-0"))
        assert svg.startswith("<svg ")
        assert not re.search(r"http|style=|<style|metadata|font-family|<!--|xmlns", svg)
        assert set(re.findall(r' id="([^"]+)', svg)) == set(re.findall(r"#(here-0-[^\")]+)", svg))


def test_an_attack_without_curves_draws_nothing() -> None:
    empty = replace(
        ONE,
        conditions={
            k: replace(
                c,
                estimates={},
                curves=replace(
                    c.curves, fpr=[], tpr=[], cmc=[], bins=[], mated=[], non_mated=[], gallery_sizes=[]
                ),
            )
            for k, c in ONE.conditions.items()
        },
    )
    assert forest.paint([empty]) is None
    assert forest.paint([]) is None
    assert all(drawing.paint(empty, "x") is None for drawing in curves.DRAWINGS)


def test_bands_are_optional() -> None:
    bare = replace(
        ONE,
        conditions={
            k: replace(c, curves=replace(c.curves, tpr_low=[], tpr_high=[], cmc_low=[], cmc_high=[]))
            for k, c in ONE.conditions.items()
        },
    )
    assert roc.paint(bare, "x") is not None
    assert cmc.paint(bare, "x") is not None
    assert len(str(roc.paint(bare, "x"))) < len(str(roc.paint(ONE, "x")))


def test_histograms_name_the_counts() -> None:
    assert "11 mated, 110 non-mated" in str(histogram.paint(ONE, "x"))


def test_normal_deviates_are_symmetric_and_stay_on_the_axis() -> None:
    assert det.deviate(0.5) == 0
    assert math.isclose(det.deviate(0.2), -det.deviate(0.8))
    assert det.deviate(0.0) == det.deviate(det.EDGE)
    assert det.deviate(1.0) == det.deviate(1 - det.EDGE)


def test_the_gallery_is_taken_from_the_notes_or_from_chance() -> None:
    release = ONE.conditions["release"]
    assert cmc.gallery(release) == 11
    assert cmc.gallery(replace(release, notes={})) == 11
    assert cmc.gallery(replace(release, notes={}, estimates={})) == 0
