"""Ten views of one head: all different, with the known face box where the face is."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from medveil.attack.reidentify import render as rendering
from medveil.attack.reidentify.render import SKIN, VIEWS, pictures
from medveil.attack.reidentify.surface import NOBODY, Head, find_head
from medveil.core.errors import UsageError

from .heads import NOSE_MM, box, egg


@pytest.fixture(scope="module")
def head() -> Head:
    return find_head(egg(*box((3.0, 3.0, 3.0))))


def test_all_ten_views_differ(head: Head) -> None:
    shots = [picture for picture, _ in pictures(head, len(VIEWS), 200)]
    assert len(shots) == 10
    for one, other in combinations(shots, 2):
        assert np.abs(one.astype(int) - other).mean() > 0.5


def test_the_first_views_are_the_same_however_many_are_taken(head: Head) -> None:
    few, many = pictures(head, 2, 200), pictures(head, 5, 200)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(few, many, strict=False))


def test_the_known_box_holds_the_nose(head: Head) -> None:
    from medveil.attack.reidentify.render import LENS_DEG, WIDTH_MM
    from medveil.scene.camera import Camera

    for view, (_, known) in zip(VIEWS, pictures(head, 10, 200), strict=True):
        camera = Camera(head.focus_mm, view.yaw_deg, view.pitch_deg, 0.0, LENS_DEG, WIDTH_MM, 200)
        assert known.holds(*camera.project(NOSE_MM[None])[0])
        assert known.left > 0
        assert known.left + known.side < 200


def test_nobody_is_photographed_as_black() -> None:
    shots = pictures(NOBODY, 3, 100)
    assert len(shots) == 3
    assert not any(picture.any() for picture, _ in shots)


def test_more_views_than_there_are_is_refused(head: Head) -> None:
    for views in (0, 11):
        with pytest.raises(UsageError, match="expected 1 to 10"):
            pictures(head, views)


def test_leaving_out_what_is_seen_from_behind_changes_next_to_nothing(
    head: Head, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skins are closed, so their backs are hidden; up to a few pixels where two triangles meet at the outline."""
    fast = pictures(head, 4, 200)
    monkeypatch.setattr(rendering, "SKIN", replace(rendering.SKIN, one_sided=False))
    assert rendering.SKIN != SKIN
    for (one, _), (other, _) in zip(fast, pictures(head, 4, 200), strict=True):
        assert (one != other).any(axis=-1).sum() < 20
