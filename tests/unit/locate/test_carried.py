"""A place that is carried over: what is believed of a weak registration, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.core.release import Carried
from medveil.core.seeds import Seeds
from medveil.locate import carried
from medveil.locate.carried import NEAR_THE_HEADER, RULE, follow
from medveil.locate.grid import Matrix, volume_of
from medveil.locate.location import Location
from medveil.simulate.brain import brain_affine
from medveil.simulate.person import draw_person
from medveil.simulate.scan import Scan, scan
from medveil.simulate.scanner import Scanner

WEAK = (NEAR_THE_HEADER["peak_ratio"][0] + RULE["peak_ratio"][0]) / 2
STILL_MM, FAR_MM = NEAR_THE_HEADER["moved_mm"][1], RULE["moved_mm"][1]
PERSON = draw_person(Seeds(7), 2)


@pytest.fixture(scope="module")
def head() -> Scan:
    return scan(PERSON, Seeds(7), scanner=Scanner(spacing_mm=3.0))


def _place(head: Scan) -> Matrix:
    return np.asarray(head.pose @ brain_affine(PERSON), dtype=np.float64)


def _shifted(mm: float) -> Matrix:
    out = np.eye(4)
    out[1, 3] = mm
    return out


def _followed(
    head: Scan, monkeypatch: pytest.MonkeyPatch, movement: Matrix, peak_ratio: float
) -> Location | None:
    """An image laid onto itself by a registration that ends at `movement`, and is so much better there."""

    class Said:
        def __init__(self, *_: object) -> None:
            pass

        def at(self, pose: Matrix) -> float:
            return peak_ratio if np.array_equal(pose, movement) else 1.0

    monkeypatch.setattr(carried, "_is_still", lambda *_: False)
    monkeypatch.setattr(carried, "_rigid", lambda *_: movement)
    monkeypatch.setattr(carried, "Information", Said)
    known = Carried(head.image, np.linalg.inv(_place(head)))
    return follow(*volume_of(head.image), known, "mr")


def test_a_clear_registration_says_where_the_head_moved(head: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    place = _followed(head, monkeypatch, _shifted(STILL_MM + 1), RULE["peak_ratio"][0] + 0.1)
    assert place is not None
    np.testing.assert_allclose(place.affine, _shifted(STILL_MM + 1) @ _place(head), atol=1e-9)


def test_a_weak_one_that_came_to_rest_near_the_header_leaves_the_head_there(
    head: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _followed(head, monkeypatch, _shifted(STILL_MM - 0.5), WEAK)
    assert place is not None
    assert place.way == "carried"
    np.testing.assert_allclose(place.affine, _place(head), atol=1e-9)


def test_a_weak_one_that_moved_further_is_not_believed(head: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _followed(head, monkeypatch, _shifted(STILL_MM + 0.5), WEAK) is None


def test_neither_is_one_too_weak_or_a_clear_one_too_far_away(
    head: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _followed(head, monkeypatch, _shifted(0.1), NEAR_THE_HEADER["peak_ratio"][0] - 0.1) is None
    assert _followed(head, monkeypatch, _shifted(FAR_MM + 1), RULE["peak_ratio"][0] + 0.1) is None
