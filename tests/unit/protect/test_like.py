"""The namesakes of other tools leave what those tools leave, and never touch a brain."""

from __future__ import annotations

import sys
from functools import lru_cache

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.release import Outcome
from medveil.protect.deface.like_anonymi import LikeAnonymi
from medveil.protect.deface.like_fsl_deface import LikeFslDeface
from medveil.protect.deface.like_maskface import LikeMaskface
from medveil.protect.deface.like_mri_deface import LikeMriDeface
from medveil.protect.deface.like_pydeface import LikePydeface
from medveil.protect.deface.scramble import How, Scramble

from .posed import known, posed

LIKE = {
    "pydeface": LikePydeface,
    "fsl_deface": LikeFslDeface,
    "mri_deface": LikeMriDeface,
    "mask_face": LikeMaskface,
    "AnonyMI": LikeAnonymi,
}


@lru_cache
def outcome(tool: str) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        return LIKE[tool]().apply(known(posed(), patch).image)


def covered(tool: str) -> dict[str, float]:
    measured = outcome(tool).measured
    return {name: measured[f"covered_{name}"] for name in ("eyes", "nose", "cheeks", "chin", "ears")}


@pytest.mark.parametrize("tool", LIKE)
def test_no_voxel_of_the_brain_changes_and_what_is_promised_holds(tool: str) -> None:
    truth, out = posed().scan, outcome(tool)
    assert out.altered is not None
    assert not (out.altered & truth.brain_mask).any()
    np.testing.assert_array_equal(out.image.data[~out.altered], truth.image.data[~out.altered])
    assert out.proofs == {"named parts covered": True}
    assert out.measured["covered_nose"] > 0.9


@pytest.mark.parametrize("tool", LIKE)
def test_each_says_whose_like_it_is_and_that_it_is_not_the_tool(tool: str) -> None:
    assert "stand-in" in (sys.modules[LIKE[tool].__module__].__doc__ or "")
    assert tool in LIKE[tool].summary


def test_pydeface_leaves_ears_and_flanks() -> None:
    gone = covered("pydeface")
    assert gone["nose"] >= 0.995
    assert gone["cheeks"] < 0.8
    assert gone["ears"] == 0.0


def test_fsl_deface_takes_the_ears_as_well() -> None:
    gone = covered("fsl_deface")
    assert gone["ears"] >= 0.995
    assert gone["cheeks"] < 0.8


def test_mri_deface_leaves_the_ears_and_more_around_the_brain() -> None:
    gone = covered("mri_deface")
    assert gone["ears"] == 0.0
    assert gone["eyes"] < 1.0
    wide, usual = outcome("mri_deface"), outcome("pydeface")
    assert wide.protected is not None
    assert usual.protected is not None
    assert wide.altered is not None
    assert wide.protected.sum() > 1.2 * usual.protected.sum()
    assert not (wide.altered & ~usual.altered).any()


@pytest.mark.parametrize("tool", ["pydeface", "fsl_deface", "mri_deface"])
def test_what_is_removed_becomes_air(tool: str) -> None:
    out = outcome(tool)
    assert (out.image.data[out.altered] == posed().scan.image.data.min()).all()


def test_anonymi_draws_over_the_face_and_leaves_its_outline() -> None:
    truth, noise, blur = posed().scan, outcome("AnonyMI"), outcome("mask_face")
    head, air = truth.labels > 0, truth.image.data.min()
    assert noise.altered is not None
    assert blur.altered is not None
    inside = noise.altered & head
    assert (noise.image.data[inside] > air).mean() > 0.9  # still there, as noise
    outside = noise.altered & ~head
    assert (noise.image.data[outside] == air).mean() > 0.9
    bright = 0.3 * np.median(truth.image.data[inside])
    eaten = [float((o.image.data[o.altered & head] < bright).mean()) for o in (noise, blur)]
    assert eaten[0] < 0.02
    assert eaten[1] > 2 * eaten[0]  # a blur moves the outline: the tip of the nose goes


@pytest.mark.parametrize(("step", "how"), [(LikeMaskface, "noise"), (LikeAnonymi, "smooth")])
def test_a_namesake_has_one_way_to_scramble(step: type[Scramble], how: How) -> None:
    with pytest.raises(UsageError, match="as with the tool"):
        step(how=how)
