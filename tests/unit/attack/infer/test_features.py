"""The coarse look at a whole head: the same wherever it lies, and aimed by what defacing leaves alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medveil.attack.infer.features import CoarseHead, Features, seen_features
from medveil.core.errors import UsageError
from medveil.core.image import Image

from .told import Told, cohort


@pytest.fixture(scope="module")
def look(head: Image) -> Features:
    seen = CoarseHead()(head)
    assert seen is not None
    return seen


def like(a: Features, b: Features | None) -> float:
    assert b is not None
    return float(np.corrcoef(a.dense, b.dense)[0, 1])


def test_a_head_that_lies_elsewhere_looks_the_same(head: Image, look: Features) -> None:
    moved = np.array(head.affine)
    moved[:3, 3] += (40.0, -25.0, 60.0)
    seen = CoarseHead()(Image(head.data, moved))
    assert like(look, seen) > 0.999
    assert seen is not None
    assert seen.sizes == pytest.approx(look.sizes, abs=1e-6)


def test_a_brighter_scan_looks_the_same(head: Image, look: Features) -> None:
    seen = CoarseHead()(replace(head, slope=7.0))
    assert seen is not None
    assert seen.dense == pytest.approx(look.dense, rel=1e-3, abs=1e-3)


def test_stored_axes_do_not_matter(head: Image, look: Features) -> None:
    flipped = np.array(head.affine)
    flipped[:3, 3] += flipped[:3, 0] * (head.data.shape[0] - 1)
    flipped[:3, 0] *= -1
    assert like(look, CoarseHead()(Image(head.data[::-1].copy(), flipped))) > 0.999


def test_a_head_a_tenth_larger_is_a_tenth_larger(head: Image, look: Features) -> None:
    seen = CoarseHead()(Image(head.data, head.affine @ np.diag([1.1, 1.1, 1.1, 1.0])))
    assert seen is not None
    grown = seen.sizes - look.sizes
    assert grown[:2] == pytest.approx(np.log(1.1), abs=0.03)


def test_a_missing_face_does_not_move_the_rest(head: Image, look: Features) -> None:
    data = np.array(head.data)
    world = np.indices(data.shape).reshape(3, -1).T @ np.array(head.affine)[:3, :3].T + head.affine[:3, 3]
    top, front = world[:, 2][data.ravel() > 40].max(), np.percentile(world[:, 1][data.ravel() > 40], 99)
    face = ((world[:, 1] > front - 45) & (world[:, 2] < top - 100)).reshape(data.shape)
    data[face] = 0
    seen = CoarseHead()(Image(data, head.affine))
    assert seen is not None
    back = np.abs(look.dense) > 0.2
    assert like(look, seen) > 0.85
    assert seen.sizes[:2] == pytest.approx(look.sizes[:2], abs=0.05)
    assert np.median(np.abs(seen.dense - look.dense)[back]) < 0.1


def test_an_empty_volume_a_picture_and_noise_are_seen_without_refusal() -> None:
    assert CoarseHead()(Image(np.zeros((20, 20, 20)), np.eye(4))) is None
    assert CoarseHead()(Image(np.zeros((20, 20, 3), np.uint8), np.eye(4), kind="photo")) is None
    noise = np.random.default_rng(0).normal(size=(30, 30, 30))
    seen = CoarseHead()(Image(noise, np.diag([4.0, 4.0, 4.0, 1.0])))
    assert seen is None or np.isfinite(seen.dense).all()


def test_equal_settings_are_one_look() -> None:
    assert CoarseHead(8.0) == CoarseHead(8.0)
    assert hash(CoarseHead(8.0)) == hash(CoarseHead(8.0))
    with pytest.raises(UsageError, match="cube_mm"):
        CoarseHead(2.0)


def test_what_a_brain_does_not_show_is_as_the_rest_of_it() -> None:
    told = Told({("a", "1"): [1.0, np.nan, 3.0]})
    (seen,) = seen_features(cohort([("a", "1")]), "brain", told, views=3, cube_mm=10, brain_mm=3)
    assert seen is not None
    assert seen.dense.tolist() == [1, 2, 3]
    assert seen.sizes.tolist() == [0, 0, 0]
