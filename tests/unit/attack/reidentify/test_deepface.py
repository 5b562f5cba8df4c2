"""The deepface adapter, with a package that is not there, half there, and a stand-in that is."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.observer import Observer
from medveil.attack.reidentify import deepface
from medveil.attack.reidentify.deepface import WEIGHTS, Deepface, DeepfaceEye, no_downloads, weights_file
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import MissingPackage, UsageError
from medveil.core.image import Image
from medveil.core.threat import Threat

from .heads import box, egg


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    deepface.module.cache_clear()
    yield
    deepface.module.cache_clear()


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, object]]:
    """A package that describes a picture by the means of its quarters, and all weights as empty files."""
    calls: list[dict[str, object]] = []

    def represent(**asked: object) -> list[dict[str, object]]:
        calls.append(asked)
        shot = np.asarray(asked["img_path"], dtype=float)
        half = len(shot) // 2
        parts = [shot[:half, :half], shot[:half, half:], shot[half:, :half], shot[half:, half:]]
        return [{"embedding": [float(p.mean()) for p in parts]}]

    package, module = ModuleType("deepface"), ModuleType("deepface.DeepFace")
    module.represent = represent  # type: ignore[attr-defined]
    package.DeepFace = module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deepface", package)
    monkeypatch.setitem(sys.modules, "deepface.DeepFace", module)
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    (tmp_path / ".deepface" / "weights").mkdir(parents=True)
    for name in WEIGHTS.values():
        (tmp_path / ".deepface" / "weights" / name).write_bytes(b"")
    return calls


def someone(seed: int) -> tuple[Record, Record]:
    head = egg(*box((4.0, 4.0, 4.0)), noise=1.0)
    shot = np.random.default_rng(seed).integers(0, 255, (90, 90, 3)).astype(np.uint8)
    return (
        Record(f"s{seed}", "T1w", lambda: head),
        Record(f"s{seed}", "p1", lambda: Image(shot, np.eye(4), "photo"), contrast="photo"),
    )


def test_every_pair_is_scored_by_the_package(fake: list[dict[str, object]]) -> None:
    pairs = [someone(i) for i in range(2)]
    probes, gallery = (Cohort(tuple(side)) for side in zip(*pairs, strict=True))
    attack = Deepface(model="ArcFace", views=2)
    claims = attack.run(probes, Threat(gallery), condition="original", observer=Observer())
    assert isinstance(attack, PairAttack)
    assert (claims.attack, len(claims.score)) == ("reidentify.deepface", 4)
    assert len(fake) == 2 * 2 + 2
    asked = fake[0]
    assert (asked["model_name"], asked["detector_backend"], asked["align"]) == ("ArcFace", "skip", False)
    assert np.shape(asked["img_path"]) == (224, 224, 3)


def test_a_bald_face_is_what_the_package_sees(fake: list[dict[str, object]]) -> None:
    _, photo = someone(0)
    for face in ("raw", "bald"):
        Deepface(face=face).run(  # type: ignore[arg-type]
            Cohort((someone(0)[0],)), Threat(Cohort((photo,))), condition="x", observer=Observer()
        )
    raw, bald = (np.asarray(c["img_path"]) for c in (fake[0], fake[len(fake) // 2]))
    assert (bald[0, 0] == bald[-1, -1]).all()
    assert not np.array_equal(raw, bald)


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deepface", None)
    with pytest.raises(MissingPackage, match="pip install deepface tf-keras"):
        Deepface().eye()


def test_missing_weights_are_named_and_nothing_is_fetched(
    fake: list[dict[str, object]], tmp_path: Path
) -> None:
    (tmp_path / ".deepface" / "weights" / "vgg_face_weights.h5").unlink()
    with pytest.raises(UsageError, match=r"vgg_face_weights\.h5 into \$DEEPFACE_HOME") as caught:
        Deepface().eye()
    assert str(tmp_path) not in str(caught.value)
    assert isinstance(Deepface(model="ArcFace").eye(), DeepfaceEye)
    assert weights_file("ArcFace").name == "arcface_weights.h5"
    assert not fake


def test_without_the_variable_the_home_folder_is_searched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DEEPFACE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match="not on disk"):
        weights_file("Facenet")
    (tmp_path / ".deepface" / "weights").mkdir(parents=True)
    (tmp_path / ".deepface" / "weights" / "facenet_weights.h5").write_bytes(b"")
    assert weights_file("Facenet").is_file()


def test_the_web_is_out_of_reach_while_the_package_works(
    fake: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(**_: object) -> list[dict[str, object]]:
        socket.create_connection(("localhost", 9), timeout=0.1)
        return [{"embedding": [1.0, 2.0]}]

    monkeypatch.setattr(sys.modules["deepface.DeepFace"], "represent", fetch)
    before = socket.socket.connect, socket.getaddrinfo
    with pytest.raises(UsageError, match="tried to reach the network"):
        Deepface().run(
            Cohort((someone(0)[0],)), Threat(Cohort((someone(0)[1],))), condition="x", observer=Observer()
        )
    assert before == (socket.socket.connect, socket.getaddrinfo)
    with no_downloads(), pytest.raises(UsageError):
        socket.socket().connect(("127.0.0.1", 9))


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="no such model"):
        Deepface(model="Jane")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no such face"):
        Deepface(face="x")  # type: ignore[arg-type]
    assert "VGG-Face" in Deepface().describe()
