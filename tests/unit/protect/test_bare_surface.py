"""The brain's own surface is no skin, where no scalp is seen; elsewhere it betrays a brain that was put on a face."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.seeds import Seeds
from medveil.locate.head import Location
from medveil.protect.deface import method
from medveil.protect.deface.erase import Erase
from medveil.protect.deface.method import proofs
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scanner, scan
from medveil.simulate.tissues import Contrast

INTACT = {"face_tissue": 0.95, "in_view_nose": 1.0, "covered_nose": 1.0}


@pytest.mark.parametrize(
    ("crown", "nose", "held"), [(0.0, 0.0, True), (0.6, 0.1, False), (0.9, 0.1, True), (0.9, 0.6, False)]
)
def test_bare_skin_is_allowed_where_the_crown_is_bare(crown: float, nose: float, held: bool) -> None:
    measured = {**INTACT, "bare_crown": crown, "bare_nose": nose}
    assert proofs(measured, ("nose",)) == {"named parts covered": held}


def _proof(monkeypatch: pytest.MonkeyPatch, contrast: Contrast, forward_mm: float) -> dict[str, bool]:
    """The proof of an erased head whose brain is said to lie so far in front of where it is."""
    seeds = Seeds(52)
    person = draw_person(seeds, 2)  # a thin skull
    seen = scan(person, seeds, scanner=Scanner(contrast=contrast, spacing_mm=3.5))
    shift = np.eye(4)
    shift[1, 3] = forward_mm
    place = Location(shift @ seen.pose @ brain_affine(person), {}, "mr", {})
    monkeypatch.setattr(method, "locate", lambda image, modality, given: place)
    return dict(Erase().apply(seen.image).proofs)


def test_an_echo_planar_image_in_its_place_is_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _proof(monkeypatch, "bold", 0.0) == {"named parts covered": True}


def test_a_brain_that_was_put_on_the_face_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _proof(monkeypatch, "T1w", 0.0) == {"named parts covered": True}
    # By 10 mm the margin reaches skin, which is taken all the same; by more, the template's brain itself does.
    assert _proof(monkeypatch, "T1w", 14.0) == {"named parts covered": False}
    assert _proof(monkeypatch, "T1w", 22.0) == {"named parts covered": False}
