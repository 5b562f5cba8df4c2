"""Every registered protection on one simulated head: what a step promises, whichever it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medveil.core import catalog
from medveil.core.errors import Refusal
from medveil.core.image import Image
from medveil.core.release import Given, Outcome, Step
from medveil.locate.head import locate
from medveil.protect.deface.erase import Erase
from medveil.protect.verify import verify_image

PARTS = [p for p in catalog.parts("protect") if isinstance(p.load()(), Step)]
STEPS = [pytest.param(p, id=p.name) for p in PARTS]


@pytest.fixture(scope="module")
def known(head: Image) -> Given:
    """Where the head is, searched for once and told to every step."""
    return Given(affine_to_mni=np.linalg.inv(locate(head).affine))


@pytest.fixture(scope="module")
def outcomes(head: Image, known: Given) -> dict[str, tuple[Outcome, bytes]]:
    """Each step applied once; with the bytes of the input as they were before."""
    before = head.data.tobytes()
    return {p.name: (p.load()().apply(head, known), before) for p in PARTS}


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


@pytest.mark.parametrize("part", STEPS)
def test_same_bytes_again(part: catalog.Part, head: Image, known: Given, outcomes: dict) -> None:
    again = part.load()().apply(head, known)
    assert again.image.data.tobytes() == outcomes[part.name][0].image.data.tobytes()


@pytest.mark.parametrize("part", STEPS)
def test_promised_parts_are_proved_gone(part: catalog.Part, outcomes: dict) -> None:
    proofs = outcomes[part.name][0].proofs
    assert proofs
    assert all(proofs.values()), proofs


@pytest.mark.parametrize("part", STEPS)
def test_what_is_to_be_kept_is_kept(part: catalog.Part, head: Image, known: Given, outcomes: dict) -> None:
    was = outcomes[part.name][0].altered
    keep = np.zeros(was.shape, dtype=bool)
    keep[np.argwhere(was)[was.sum() // 2][0]] = True  # a slab through the middle of what was altered
    out = part.load()().apply(head, replace(known, keep=keep))
    assert (was & keep).any()
    assert not (out.altered & keep).any()
    np.testing.assert_array_equal(out.image.data[keep], head.data[keep])


@pytest.mark.parametrize("part", STEPS)
def test_a_series_is_treated_as_a_whole(part: catalog.Part, head: Image, known: Given) -> None:
    series = Image(np.stack([head.data, head.data // 2], axis=-1), head.affine)
    out = part.load()().apply(series, known)
    proofs = verify_image(series, out.image, out.altered, out.protected)
    assert all(proofs.values()), proofs


@pytest.mark.parametrize("part", STEPS)
def test_nothing_at_all_is_refused_by_name(part: catalog.Part) -> None:
    step: Step = part.load()()
    with pytest.raises(Refusal) as caught:
        step.apply(Image(np.zeros((50, 50, 50), np.int16), np.diag([4.0, 4.0, 4.0, 1.0])))
    assert caught.value.reason == "no head found"


@pytest.mark.slow
def test_noise_is_refused_by_name() -> None:
    noise = np.random.default_rng(1).integers(0, 500, (50, 50, 50)).astype(np.int16)
    with pytest.raises(Refusal) as caught:
        Erase().apply(Image(noise, np.diag([4.0, 4.0, 4.0, 1.0])))
    assert caught.value.reason
