"""Looking: once for each image, in order, and never without an answer."""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from medveil.attack.observer import Observer
from medveil.attack.reidentify import recogniser as recognisers
from medveil.attack.reidentify.observe import Photograph, Renders
from medveil.attack.reidentify.recogniser import Box, recogniser
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import MissingPackage, UsageError
from medveil.core.image import Image

from .heads import box, egg


def head(noise: float = 0.0) -> Image:
    return egg(*box((3.0, 3.0, 3.0)), noise=noise)


def nothing() -> Image:
    return Image(np.zeros((8, 8, 8), np.int16), np.eye(4))


def photograph(size: tuple[int, ...] = (90, 120, 3)) -> Image:
    return Image(np.random.default_rng(0).integers(0, 255, size).astype(np.uint8), np.eye(4), "photo")


def test_a_scan_is_seen_from_each_side() -> None:
    seen = Renders(views=4, keep=True)(head())
    assert seen.embedding.shape == (4, 128)
    assert seen.landmarks.shape == (4, 68, 2)
    assert seen.detected.shape == (4,)
    assert seen.pictures is not None
    assert seen.pictures.shape == (4, 400, 400, 3)
    assert not seen.empty
    assert seen.points_mm is not None
    assert seen.points_mm.shape == (4, 68, 3)
    assert seen.on_skin is not None
    assert seen.on_skin.mean() > 0.5
    assert np.ptp(seen.embedding, axis=0).max() > 0.01


def test_the_same_scan_is_seen_the_same() -> None:
    one, other = Renders(1)(head(5.0)), Renders(1)(head(5.0))
    assert np.array_equal(one.embedding, other.embedding)
    assert np.array_equal(one.landmarks, other.landmarks)
    assert one.pictures is None


def test_an_empty_volume_is_seen_and_says_so() -> None:
    seen = Renders()(nothing())
    assert seen.empty
    assert not seen.detected.any()
    assert np.isfinite(seen.embedding).all()
    assert np.isfinite(seen.landmarks).all()


@pytest.mark.parametrize("size", [(90, 120, 3), (90, 120), (500, 300, 4), (40, 40, 1)])
def test_photographs_of_any_shape_are_seen(size: tuple[int, ...]) -> None:
    seen = Photograph()(photograph(size))
    assert seen.embedding.shape == (1, 128)
    assert np.isfinite(seen.embedding).all()


def test_each_record_is_looked_at_once() -> None:
    opened: list[str] = []

    def open_(name: str) -> Image:
        opened.append(name)
        return nothing()

    cohort = Cohort(tuple(Record("s", name, partial(open_, name)) for name in "ab"))
    steps: list[tuple[int, int]] = []
    observer = Observer(progress=lambda done, total: steps.append((done, total)))
    first = observer.see(cohort, Renders(1))
    assert list(first) == [("s", "a"), ("s", "b")]
    assert observer.see(cohort, Renders(1))["s", "a"] is first["s", "a"]
    assert opened == ["a", "b"]
    assert steps == [(1, 2), (2, 2)]
    assert len(observer.see(cohort, Renders(2))["s", "a"].embedding) == 2  # another look: look again
    assert len(observer.see(cohort, Renders(1))["s", "a"].embedding) == 1
    assert opened == ["a", "b"] * 2


@pytest.mark.slow
def test_two_processes_see_what_one_sees() -> None:
    image = head()
    cohort = Cohort(tuple(Record(s, "T1w", partial(Image, image.data, image.affine)) for s in "ab"))
    one = Observer().see(cohort, Renders(1))
    two = Observer(n_jobs=2).see(cohort, Renders(1))
    for key in one:
        assert np.array_equal(one[key].embedding, two[key].embedding)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="views"):
        Renders(views=0)


def test_a_silent_detector_falls_back_to_the_known_box() -> None:
    known = Box(50, 60, 100)
    face = recogniser().look(np.zeros((200, 200, 3), np.uint8), known)
    assert not face.detected
    assert face.box is known
    assert abs(face.landmarks.mean() - 0.5) < 0.3  # the shape model's mean face, in sides of the box


def test_missing_models_are_named_with_the_line_that_installs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage, match="pip install dlib-bin face-recognition-models") as caught:
        recognisers.model_file(recognisers.RESNET)
    assert "recognising faces" in str(caught.value)
    assert isinstance(caught.value, UsageError)


def test_a_missing_dlib_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(MissingPackage, match="dlib-bin is needed"):
        recognisers.recogniser.__wrapped__()


def test_models_are_found_without_importing_their_package() -> None:
    assert isinstance(recognisers.model_file(recognisers.CORNERS), Path)
    assert "face_recognition_models" not in sys.modules
