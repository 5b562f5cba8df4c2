"""The ONNX adapter, with a stand-in for onnxruntime that records what it is fed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from medveil.attack.base import PairAttack
from medveil.attack.observer import Observer
from medveil.attack.reidentify import insightface
from medveil.attack.reidentify.insightface import Insightface, OnnxEye
from medveil.attack.reidentify.recogniser import Box, Found
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused, MissingPackage, UsageError
from medveil.core.image import Image
from medveil.core.threat import Threat

from .heads import box, egg
from .test_portrait import landmarks, picture

FED: list[np.ndarray] = []


class Session:
    """Answers with the means of 16 rows; `shape` and `answer` are set by the tests."""

    shape: tuple[Any, ...] = ("N", 3, 112, 112)
    answer: Any = None

    def __init__(self, path: str, options: object, providers: list[str]) -> None:
        if Path(path).read_bytes() != b"network":
            raise RuntimeError(f"InvalidProtobuf: {path}")

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="data", shape=self.shape)]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="fc1"), SimpleNamespace(name="more")]

    def run(self, wanted: list[str], fed: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert wanted == ["fc1"]
        FED.append(fed["data"])
        if self.answer is not None:
            return [np.asarray(self.answer)]
        return [fed["data"].mean(axis=(1, 3)).reshape(1, 16, 7).mean(axis=2)]


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Session]]:
    class Fresh(Session):
        pass

    module = ModuleType("onnxruntime")
    module.InferenceSession = Fresh  # type: ignore[attr-defined]
    module.SessionOptions = SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    insightface.session.cache_clear()
    FED.clear()
    yield Fresh
    insightface.session.cache_clear()


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "Jane_Canary.onnx"
    path.write_bytes(b"network")
    return str(path)


def test_the_network_is_fed_as_arcface_expects(model: str) -> None:
    points = landmarks()
    row = OnnxEye(model, "raw", False)(picture(points), Found(points, True, Box(0, 0, 100)))
    (fed,) = FED
    assert fed.shape == (1, 3, 112, 112)
    assert fed.dtype == np.float32
    assert fed.max() == 1.0
    assert fed.min() >= -1.0
    eye = fed[0, :, 51:54, 38:41].mean()
    assert eye > 0.5  # the mark on the eye lies at (38, 52)
    assert row.shape == (16,)


def test_channels_are_red_green_blue(model: str) -> None:
    red = np.zeros((240, 240, 3), np.uint8)
    red[..., 0] = 255
    OnnxEye(model, "raw", False)(red, Found(landmarks(), True, Box(0, 0, 100)))
    assert FED[0][0, :, 56, 56].tolist() == [1.0, -1.0, -1.0]


def test_every_pair_is_scored(model: str) -> None:
    head = egg(*box((4.0, 4.0, 4.0)))
    shots = [np.random.default_rng(i).integers(0, 255, (80, 80, 3)).astype(np.uint8) for i in range(3)]
    gallery = Cohort(
        tuple(
            Record(f"s{i}", "p", lambda s=s: Image(s, np.eye(4), "photo"), contrast="photo")
            for i, s in enumerate(shots)
        )
    )
    attack = Insightface(model=model, views=1)
    probes = Cohort((Record("s0", "T1w", lambda: head), Record("s1", "T1w", lambda: head)))
    claims = attack.run(probes, Threat(gallery), condition="release", observer=Observer())
    assert isinstance(attack, PairAttack)
    assert (claims.attack, len(claims.score)) == ("reidentify.insightface", 6)


@pytest.mark.parametrize("shape", [("N", 3, 64, 64), ("N", 112, 112, 3), ("N", 512), ("N", 1, 112, 112)])
def test_networks_for_other_pictures_are_refused(
    runtime: type[Session], model: str, shape: tuple[Any, ...]
) -> None:
    runtime.shape = shape
    with pytest.raises(InputRefused, match="takes another input"):
        Insightface(model=model).eye()


def test_sizes_that_the_file_leaves_open_are_accepted(runtime: type[Session], model: str) -> None:
    runtime.shape = ("batch", 3, "height", None)
    assert Insightface(model=model).eye() == OnnxEye(model, "raw", False)


@pytest.mark.parametrize("answer", [[[np.nan] * 4], [[np.inf, 1.0]], [[1.0]], []])
def test_answers_that_are_no_embedding_are_refused(runtime: type[Session], model: str, answer: Any) -> None:
    runtime.answer = answer
    with pytest.raises(InputRefused, match="gave no embedding"):
        OnnxEye(model, "raw", False)(picture(landmarks()), Found(landmarks(), True, Box(0, 0, 100)))


def test_no_model_no_file_no_network_and_no_package_are_named(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="model is empty"):
        Insightface().eye()
    with pytest.raises(InputRefused, match="not there"):
        Insightface(model=str(tmp_path / "nowhere")).eye()
    Path(model).write_bytes(b"text")
    with pytest.raises(InputRefused, match="cannot be read as ONNX") as caught:
        Insightface(model=model).eye()
    assert "Canary" not in str(caught.value)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingPackage, match="pip install onnxruntime"):
        Insightface(model=model).eye()


def test_it_says_what_it_does() -> None:
    assert "ArcFace" in Insightface(face="bald").describe()
    assert "brows to chin" in Insightface(face="bald").describe()
