"""Can images still be told apart? AUC of a classifier learned before or after a change, tested before or after it.

One-vs-rest AUC of each label. Pairs are formed within a fold, because the numbers of two networks are not on one
scale: AUC = sum over folds of pairs in the right order / sum over folds of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.core.errors import MissingPackage, UsageError
from medveil.core.seeds import Seeds
from medveil.measure.utility.before_after import BeforeAfter, Floats, Images, Ints
from medveil.measure.utility.crossed import (
    Crossed,
    Learn,
    Measured,
    Metric,
    Told,
    compare,
    folds_of,
    predictions,
)

if TYPE_CHECKING:
    from medveil.measure.utility.nets import NetTraining

Method = Literal["network", "features"]
MACRO = "auc"
BLOCKS = 12  # `features`: the image is cut into so many blocks a side


@dataclass(frozen=True)
class ClassificationSettings:
    """How to learn.

    Args:
        method: `network`, a small convolutional one; `features`, mean and spread of 12 x 12 blocks with logistic
            regression: seconds instead of minutes, and blind to fine detail.
        folds: by person.
        rounds: of the bootstrap over people.
        control: learn from the originals a second time with another seed; useless with `features`, which has none.
        training: of the network; None takes the defaults of `nets.NetTraining`.
    """

    method: Method = "network"
    folds: int = 3
    rounds: int = 1000
    control: bool = True
    training: NetTraining | None = None

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise UsageError(f"utility: method must be one of {', '.join(get_args(Method))}")


def classification(
    data: BeforeAfter,
    labels: npt.NDArray[np.str_],
    *,
    seeds: Seeds,
    settings: ClassificationSettings | None = None,
    told: Told | None = None,
) -> Crossed:
    """`auc` of every pair of conditions; of three labels and more the mean over them, and `auc/<label>` of each.

    Args:
        data: the images.
        labels: (N,) of each image; two or more.
        told: is called with fold and condition before each training.

    Raises:
        UsageError: one label only, or too few people of one for the folds.
        MissingPackage: `network` without the extra `learn`.
    """
    s = settings or ClassificationSettings()
    names, classes = np.unique(labels, return_inverse=True)
    if labels.shape != data.group.shape or len(names) < 2:
        raise UsageError("utility: expected one label for each image, and two or more different ones")
    tested = classes[data.scored]
    if len(np.unique(tested)) < len(names):
        raise UsageError("utility: a label has no image that may be tested on")
    fold = folds_of(data, tested, s.folds, seeds)
    found = predictions(
        data,
        classes,
        fold,
        learner(s, len(names)),
        seeds,
        control=s.control and s.method == "network",
        told=told,
    )
    # Of two labels one AUC says it all. Row 0 of the weights draws everybody once: the estimate itself.
    sides = [1] if len(names) == 2 else list(range(len(names)))
    drawn = np.concatenate([np.ones((1, data.persons)), data.draws(seeds, s.rounds)])
    weights = drawn[:, data.person]
    measured = {}
    for pair, scores in found.items():
        each = np.stack([auc_within(scores[:, k], tested == k, fold, weights) for k in sides], axis=1)
        rows = np.concatenate([each.mean(axis=1, keepdims=True), each], axis=1)
        measured[pair] = Measured(rows[0], rows[1:])
    note = f"pairs within {s.folds} folds by person, {_method(s)}; interval over people"
    about = [f"{names[k]} against the others" for k in sides]
    if len(sides) == 1:
        metrics: tuple[Metric, ...] = (Metric(MACRO, "higher", f"{about[0]}; {note}", chance=0.5),)
    else:
        metrics = (
            Metric(MACRO, "higher", f"mean over the labels of the one-vs-rest AUC; {note}", chance=0.5),
            *(
                Metric(f"{MACRO}/{names[k]}", "higher", f"{what}; {note}", chance=0.5)
                for k, what in zip(sides, about, strict=True)
            ),
        )
    return compare(data, measured, metrics)


def auc_within(scores: Floats, positive: npt.NDArray[np.bool_], fold: Ints, weights: Floats) -> Floats:
    """(R,) AUC over the pairs that lie in one fold, each image counted as often as its person was drawn.

    Args:
        scores, positive, fold: (T,).
        weights: (R, T).

    >>> one = np.ones((1, 4))
    >>> auc_within(np.array([3.0, 1.0, 2.0, 2.0]), np.array([True, False, True, False]), np.zeros(4), one)
    array([0.875])
    """
    wins = np.zeros(len(weights))
    pairs = np.zeros(len(weights))
    for number in np.unique(fold):
        p, n = (np.flatnonzero((fold == number) & side) for side in (positive, ~positive))
        a, b = scores[p][:, None], scores[n][None, :]
        order = (a > b) + 0.5 * (a == b)  # (P, N)
        wins += np.einsum("rp,pn,rn->r", weights[:, p], order, weights[:, n], optimize=True)
        pairs += weights[:, p].sum(axis=1) * weights[:, n].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return wins / pairs


def learner(s: ClassificationSettings, classes: int) -> Learn:
    """The function that learns by `s.method`.

    Raises:
        MissingPackage: `network` without torch.
    """
    if s.method == "features":

        def by_features(images: Images, labels: npt.NDArray[Any], seed: int) -> Any:
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler

            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=0.01, max_iter=2000, class_weight="balanced")
            )
            model.fit(blocks(images), labels)
            return lambda some: model.predict_proba(blocks(some))

        return by_features
    try:
        from medveil.measure.utility.nets import NetTraining, trained_classifier
    except ImportError:
        raise MissingPackage(
            "torch and lightning-fabric", "training networks", "pip install 'medveil[learn]'"
        ) from None
    how = s.training or NetTraining()
    return lambda images, labels, seed: trained_classifier(images, labels, classes, how, seed)


def blocks(images: Images) -> Floats:
    """(N, F) mean and standard deviation of the blocks of each image."""
    parts = images[:, None].astype(np.float64)  # (N, 1, ...)
    rows = [parts]
    for axis in range(2, parts.ndim):
        rows = [
            piece for part in rows for piece in np.array_split(part, min(BLOCKS, part.shape[axis]), axis=axis)
        ]
    flat = [r.reshape(len(images), -1) for r in rows]
    return np.stack([f(r, axis=1) for r in flat for f in (np.mean, np.std)], axis=1)


def _method(s: ClassificationSettings) -> str:
    return "a small network" if s.method == "network" else "block features and logistic regression"
