"""A place that a user gives is used where a head is, be it all noise."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.errors import Refusal
from medveil.core.seeds import Seeds
from medveil.locate.grid import head_mask, isotropic, volume_of
from medveil.locate.hints import MM, as_given
from medveil.locate.speckle import without_speckle
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, scan
from medveil.simulate.scanner import Scanner

PERSON = draw_person(Seeds(7), 2)


@pytest.fixture(scope="module")
def head() -> Scan:
    return scan(PERSON, Seeds(7), scanner=Scanner(spacing_mm=3.0))


def test_a_head_that_is_mostly_noise_is_still_one(head: Scan) -> None:
    """As in a perfusion image, which is the difference of two: its air is taken for speckle, and the head with it."""
    place, (values, affine) = head.pose @ brain_affine(PERSON), volume_of(head.image)
    noisy = values + np.random.default_rng(0).normal(0, 150, values.shape).astype(np.float32)
    assert not head_mask(without_speckle(isotropic(noisy, affine, MM), noisy, affine).values, MM).any()
    found = as_given(noisy, affine, np.linalg.inv(place), "mr")
    np.testing.assert_allclose(found.affine, place, atol=1e-9)
    away = np.linalg.inv(place)
    away[1, 3] += 60.0
    with pytest.raises(Refusal, match="in_head"):
        as_given(noisy, affine, away, "mr")


def test_where_nothing_stands_out_no_place_is_believed() -> None:
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    with pytest.raises(Refusal, match=r"no body of at least 0\.3 litre stands out"):
        as_given(np.full((50, 60, 60), 7, np.float32), affine, np.eye(4), "mr")
