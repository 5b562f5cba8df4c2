"""Every registered protection on one simulated head: what a step promises, whichever it is."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core import catalog
from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Outcome, Step
from medveil.protect.verify import verify_image

STEPS = [pytest.param(p, id=p.name) for p in catalog.parts("protect")]


@pytest.fixture(scope="module")
def outcomes(head: Image) -> dict[str, tuple[Outcome, bytes]]:
    """Each step applied once; with the bytes of the input as they were before."""
    before = head.data.tobytes()
    return {p.name: (p.load()().apply(head), before) for p in catalog.parts("protect")}


@pytest.mark.parametrize("part", STEPS)
def test_input_is_not_mutated(part: catalog.Part, head: Image, outcomes: dict) -> None:
    assert head.data.tobytes() == outcomes[part.name][1]


@pytest.mark.parametrize("part", STEPS)
def test_kept_and_protected_voxels_are_bit_identical(part: catalog.Part, head: Image, outcomes: dict) -> None:
    outcome = outcomes[part.name][0]
    proofs = verify_image(head, outcome.image, outcome.altered, outcome.protected)
    assert all(proofs.values()), proofs
    assert outcome.protected.sum() * np.prod(head.spacing_mm) > 1e6  # a brain and its margin, over a litre
    assert not (outcome.altered & outcome.protected).any()


@pytest.mark.parametrize("part", STEPS)
def test_measurements_are_finite_numbers(part: catalog.Part, outcomes: dict) -> None:
    measured = outcomes[part.name][0].measured
    assert measured
    assert all(np.isfinite(v) for v in measured.values()), measured


@pytest.mark.slow
@pytest.mark.parametrize("part", STEPS)
def test_same_bytes_again(part: catalog.Part, head: Image, outcomes: dict) -> None:
    again = part.load()().apply(head)
    assert again.image.data.tobytes() == outcomes[part.name][0].image.data.tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("part", STEPS)
def test_noise_is_refused_by_name(part: catalog.Part) -> None:
    noise = np.random.default_rng(1).integers(0, 500, (50, 50, 50)).astype(np.int16)
    step: Step = part.load()()
    with pytest.raises(Refusal) as caught:
        step.apply(Image(noise, np.diag([4.0, 4.0, 4.0, 1.0])))
    assert caught.value.reason
