"""Eyes: what a face is turned into, raw, bald and harmonised."""

from __future__ import annotations

import numpy as np
import pytest

from medveil.attack.reidentify.eyes import DLIB, LANDMARK_PX, Resnet, bald_landmarks, checked_face
from medveil.attack.reidentify.recogniser import Box, Found, recogniser
from medveil.core.errors import UsageError

from .test_portrait import landmarks, picture

BOX = Box(40, 30, 120)


def found() -> Found:
    return Found(landmarks(), True, BOX)


def test_the_default_eye_sees_what_the_recogniser_sees() -> None:
    shot = picture(landmarks())
    face = recogniser().look(shot, BOX)
    placed = recogniser().find(shot, BOX)
    assert np.array_equal(DLIB(shot, placed), face.embedding)
    assert np.array_equal(DLIB.landmarks(shot, placed).landmarks, face.landmarks)


def test_every_setting_is_another_eye_and_another_embedding() -> None:
    shot = picture(landmarks())
    eyes = [Resnet(face, even) for face in ("raw", "bald") for even in (False, True)]
    rows = [eye(shot, found()) for eye in eyes]
    assert len(set(eyes)) == 4
    assert all(row.shape == (128,) and np.isfinite(row).all() for row in rows)
    assert min(np.linalg.norm(a - b) for i, a in enumerate(rows) for b in rows[:i]) > 0.01


def test_a_bald_eye_does_not_see_the_hair() -> None:
    shot = picture(landmarks())
    other = shot.copy()
    other[:50] = (200, 30, 30)
    bald, raw = Resnet("bald"), Resnet("raw", True)
    assert np.array_equal(bald(shot, found()), bald(other, found()))
    assert not np.array_equal(raw(shot, found()), raw(other, found()))


def test_bald_landmarks_are_told_in_pixels_of_the_whole_picture() -> None:
    """A predictor that answers with the middle of its box, whatever it sees, comes back to the box's middle."""

    def middle(picture: np.ndarray, box: Box) -> np.ndarray:
        assert picture.shape == (LANDMARK_PX, LANDMARK_PX, 3)
        return np.full((68, 2), [box.left + box.side / 2, box.top + box.side / 2])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(recogniser()), "place", staticmethod(middle))
        again = bald_landmarks(picture(landmarks()), found())
    assert np.allclose(again.landmarks_px, [BOX.left + BOX.side / 2, BOX.top + BOX.side / 2])
    assert (again.box, again.detected) == (BOX, True)
    assert np.allclose(again.landmarks, 0.5)


def test_faces_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UsageError, match="known are raw, bald"):
        checked_face("x", "half")
