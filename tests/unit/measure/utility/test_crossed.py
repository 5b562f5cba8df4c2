"""Classification and segmentation on toy images: an identity costs nothing, a change that destroys is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.core.seeds import Seeds
from medveil.measure.utility.before_after import ORIGINAL, BeforeAfter
from medveil.measure.utility.classification import ClassificationSettings, classification
from medveil.measure.utility.crossed import AGAIN, folds_of
from medveil.measure.utility.segmentation import SegmentationSettings, segmentation

torch = pytest.importorskip("torch")

from medveil.measure.utility.nets import Classifier, NetTraining, UNet  # noqa: E402 - after the skip

SIDE, PEOPLE = 32, 24


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def discs() -> tuple[BeforeAfter, np.ndarray, np.ndarray]:
    """Two images each of 24 people: a bright disc anywhere, large or small by person; `grey` shows nothing of it."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(PEOPLE), 2)
    labels = np.where(people % 2 == 0, "large", "small")
    rows = np.arange(SIDE)
    masks = np.stack(
        [
            np.hypot(*np.meshgrid(rows - rng.uniform(10, 22), rows - rng.uniform(10, 22)))
            < (8 if label == "large" else 4)
            for label in labels
        ]
    )
    noise = rng.normal(0, 0.05, masks.shape)
    before = np.clip(0.3 + 0.4 * masks + noise, 0, 1).astype(np.float32)
    grey = np.clip(0.3 + rng.normal(0, 0.05, masks.shape), 0, 1).astype(np.float32)
    group = np.array([f"p{i}" for i in people])
    return BeforeAfter(before, {"same": before.copy(), "grey": grey}, group, remark="toys"), labels, masks


def test_nothing_is_lost_by_no_change_and_all_by_grey() -> None:
    data, labels, _ = discs()
    how = ClassificationSettings("network", rounds=200, training=NetTraining(40, 5e-3, 8, width=8, depth=3))
    found = classification(data, labels, seeds=Seeds(1), settings=how)
    assert len(found.cells) == 9 + 1
    assert found.cell(ORIGINAL, ORIGINAL).found["auc"].value == pytest.approx(1, abs=0.05)
    for pair in ((ORIGINAL, "same"), ("same", ORIGINAL), ("same", "same")):
        change = found.cell(*pair).change["auc"]
        assert (change.value, change.low, change.high) == (0, 0, 0)
    for pair in ((ORIGINAL, "grey"), ("grey", "grey")):
        lost = found.cell(*pair).change["auc"]
        assert lost.high is not None
        assert lost.high < -0.2
        left = found.cell(*pair).found["auc"]
        assert left.low is not None
        assert left.low < 0.6
    assert found.cell(AGAIN, ORIGINAL).found["auc"].value == pytest.approx(1, abs=0.1)
    assert found.persons == PEOPLE
    assert found.remark == json.loads(json.dumps(found.to_json()))["remark"] == "toys"


def test_block_features_see_the_same() -> None:
    data, labels, _ = discs()
    how = ClassificationSettings("features", rounds=200)
    found = classification(data, labels, seeds=Seeds(1), settings=how)
    assert len(found.cells) == 9
    assert found.cell(ORIGINAL, ORIGINAL).found["auc"].value > 0.9
    assert found.cell(ORIGINAL, "same").change["auc"].value == 0
    assert found.cell("grey", "grey").change["auc"].high < 0
    assert set(found.cells[0].found) == {"auc"}


def test_of_three_labels_each_has_its_auc() -> None:
    data, labels, _ = discs()
    three = np.where(np.arange(len(labels)) // 2 % 3 == 0, "grey", labels)
    seen = classification(data, three, seeds=Seeds(1), settings=ClassificationSettings("features", rounds=50))
    found = seen.cell(ORIGINAL, ORIGINAL).found
    assert set(found) == {"auc", "auc/grey", "auc/large", "auc/small"}
    each = [e.value for name, e in found.items() if "/" in name]
    assert found["auc"].value == pytest.approx(np.mean(each))


def test_an_outline_survives_no_change_and_not_grey() -> None:
    data, _, masks = discs()
    how = SegmentationSettings(
        2, rounds=200, control=False, training=NetTraining(40, 5e-3, 6, width=4, depth=2)
    )
    found = segmentation(data, masks, seeds=Seeds(1), settings=how)
    assert found.cell(ORIGINAL, ORIGINAL).found["dice"].value > 0.8
    same = found.cell(ORIGINAL, "same").change
    assert all(e.value == 0 for e in same.values())
    lost = found.cell(ORIGINAL, "grey")
    assert lost.change["dice"].high < -0.2
    assert lost.change["hausdorff"].low > 0
    assert lost.found["hausdorff"].unit == "pixel"


def test_no_person_is_in_two_folds_and_none_is_learned_from_and_tested_on() -> None:
    data, labels, _ = discs()
    fold = folds_of(data, (labels == "large").astype(np.int64), 3, Seeds(0))
    for name in set(data.group):
        assert len(set(fold[data.group == name])) == 1
    assert sorted(set(fold)) == [0, 1, 2]
    seen: list[int] = []

    def learn(images: np.ndarray, target: np.ndarray, seed: int) -> object:
        seen.append(len(images))
        assert not set(target) & set(now[-1])
        return lambda some: np.zeros(len(some))

    from medveil.measure.utility.crossed import predictions

    now: list[np.ndarray] = []
    tested = np.arange(len(labels)) % 2 == 0  # one image of each person
    half = BeforeAfter(data.before, {"same": data.before}, data.group, tested)
    fold = folds_of(half, np.zeros(PEOPLE, dtype=np.int64), 3, Seeds(0))
    predictions(
        half,
        data.group,
        fold,
        learn,
        Seeds(0),
        control=False,
        told=lambda number, _: now.append(data.group[half.scored[fold == number]]),
    )
    assert seen == [len(labels) - 2 * int((fold == n).sum()) for n in range(3) for _ in range(2)]


def test_too_few_people_for_the_folds() -> None:
    data, labels, _ = discs()
    with pytest.raises(UsageError, match="folds"):
        classification(data, labels, seeds=Seeds(), settings=ClassificationSettings("features", folds=13))
    with pytest.raises(UsageError, match="two or more"):
        classification(data, np.full(len(labels), "x"), seeds=Seeds())


def test_what_is_no_pair_of_images_is_refused() -> None:
    x, who = np.zeros((2, 4, 4), dtype=np.float32), np.array(["a", "b"])
    for after in ({}, {ORIGINAL: x}, {"a": x[:1]}, {"a": x - 1}, {"a": x * np.nan}):
        with pytest.raises(UsageError):
            BeforeAfter(x, after, who)
    with pytest.raises(UsageError):
        BeforeAfter(x, {"a": x}, who[:1])
    with pytest.raises(UsageError):
        BeforeAfter(x, {"a": x}, who, np.zeros(2, dtype=bool))


@pytest.mark.parametrize("sides", [(20, 31), (8, 9, 11)])
def test_networks_take_any_size(sides: tuple[int, ...]) -> None:
    x = torch.zeros(2, 1, *sides)
    assert UNet(len(sides), 4, 2)(x).shape == x.shape
    assert Classifier(len(sides), 3, 4, 2)(x).shape == (2, 3)


def test_people_are_not_shown() -> None:
    data, _, _ = discs()
    assert "p1" not in repr(data)
