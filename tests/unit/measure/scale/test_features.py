"""Scores made from features on the way are those one would have written down."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from medveil.core.errors import MissingPackage, UsageError
from medveil.core.scores import Scores
from medveil.core.seeds import Seeds
from medveil.measure.scale import grid as grid_module
from medveil.measure.scale.features import FeatureGrid, rank_from_features
from medveil.measure.scale.measure import measure_grid
from medveil.measure.verification.identification import rank_k

SEEDS = Seeds(1)


def features(people: int = 30, photos: int = 2, seed: int = 0, decimals: int = 2) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    identity = rng.normal(size=(people, 6))
    gallery = np.repeat(np.arange(people), photos)
    b = (identity[gallery] + 0.7 * rng.normal(size=(len(gallery), 6))).round(decimals)
    return (identity + 0.7 * rng.normal(size=identity.shape)).round(decimals), b, np.arange(people), gallery


def written_down(kind: str, a: np.ndarray, b: np.ndarray, p: np.ndarray, g: np.ndarray) -> Scores:
    score = np.empty((len(a), len(b)))
    for i in range(len(a)):
        for j in range(len(b)):
            score[i, j] = (
                a[i] @ b[j] / np.linalg.norm(a[i]) / np.linalg.norm(b[j])
                if kind == "cosine"
                else -np.linalg.norm(a[i] - b[j])
            )
    images = np.repeat(np.arange(len(a)), len(b))
    return Scores(score.ravel(), np.repeat(p, len(b)), np.tile(g, len(a)), images, int(g.max()) + 1)


class Flat:
    """The two flat indices of faiss, as far as we use them."""

    def __init__(self, product: bool) -> None:
        self.product = product

    def add(self, x: np.ndarray) -> None:
        assert x.dtype == np.float32
        self.x = x

    def search(self, q: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        score = q @ self.x.T if self.product else -((q[:, None] - self.x[None]) ** 2).sum(axis=2)
        at = np.argsort(-score, axis=1, kind="stable")[:, :count]
        best = np.take_along_axis(score, at, axis=1)
        return (best if self.product else -best), at


@pytest.fixture
def faiss(monkeypatch: pytest.MonkeyPatch) -> None:
    stub = SimpleNamespace(IndexFlatIP=lambda d: Flat(True), IndexFlatL2=lambda d: Flat(False))
    monkeypatch.setitem(sys.modules, "faiss", stub)


@pytest.mark.parametrize("kind", ["cosine", "l2"])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("engine", ["numpy", "faiss"])
def test_ranks_are_those_of_the_scores(
    faiss: None, monkeypatch: pytest.MonkeyPatch, kind: str, k: int, engine: str
) -> None:
    monkeypatch.setattr(grid_module, "BLOCK", 200)
    data = features()
    e = rank_from_features(FeatureGrid.of(*data, kind), k, seeds=SEEDS, engine=engine, rounds=50)
    assert e.value == pytest.approx(rank_k(written_down(kind, *data), k))
    assert 0 < e.value < 1
    assert e.low < e.value < e.high
    assert (e.name, e.n, e.chance) == (f"rank_{k}", 30, pytest.approx(k / 30))


@pytest.mark.parametrize("engine", ["numpy", "faiss"])
def test_ties_count_against_the_attacker(faiss: None, engine: str) -> None:
    same = np.ones((4, 3))
    grid = FeatureGrid.of(same, same, np.arange(4), np.arange(4))
    assert [rank_from_features(grid, k, seeds=SEEDS, engine=engine, rounds=5).value for k in (1, 3, 4)] == [
        0,
        0,
        1,
    ]


def test_all_metrics_can_be_had_from_features() -> None:
    data = features(photos=1)
    condition, null = measure_grid(FeatureGrid.of(*data), seeds=SEEDS, rounds=40, null_rounds=10)
    assert condition.estimates["rank_1"].value == pytest.approx(rank_k(written_down("cosine", *data)))
    assert condition.estimates["auc"].value > 0.8
    assert null.estimates["auc"].value == pytest.approx(0.5, abs=0.1)


def test_faiss_is_asked_for_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingPackage, match="pip install faiss-cpu"):
        rank_from_features(FeatureGrid.of(*features()), seeds=SEEDS, engine="faiss")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda a, b, p, g: (a[:, :2], b, p, g), "one D"),
        (lambda a, b, p, g: (a[0], b, p, g), "one D"),
        (lambda a, b, p, g: (a[:0], b, p[:0], g), "one D"),
        (lambda a, b, p, g: (a, b, p[1:], g), "one person"),
        (lambda a, b, p, g: (a * np.nan, b, p, g), "not finite"),
        (lambda a, b, p, g: (a * 0, b, p, g), "zeros"),
    ],
)
def test_bad_features_are_refused(change: object, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        FeatureGrid.of(*change(*features()))


def test_bad_questions_are_refused() -> None:
    a, b, p, g = features()
    with pytest.raises(UsageError, match="at least 1"):
        rank_from_features(FeatureGrid.of(a, b, p, g), 0, seeds=SEEDS)
    with pytest.raises(UsageError, match="no probe has a mate"):
        rank_from_features(FeatureGrid.of(a, b, p + 100, g), seeds=SEEDS)
    with pytest.raises(UsageError, match="no score"):
        FeatureGrid.of(a, b, p, g, "dot")
    assert repr(FeatureGrid.of(a, b, p, g)) == "FeatureGrid(30 x 60 images, cosine)"
