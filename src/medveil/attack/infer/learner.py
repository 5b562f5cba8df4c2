"""Learner: penalised regression on principal components, the penalty chosen among people left out.

    dense ──rotate──> components, to mean variance 1 ──┐
    sizes ──standardise────────────────────────────────┴──> logistic (classes) or ridge (numbers) ──> guess, score

A few dozen people cannot teach a network to read a head, and need not: what sex and age do to a head is broad and
smooth, and a linear rule on components finds it. Every person weighs the same however many images they
have, and every class as much as any other, so that the rarer one is not simply never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medveil.attack.infer.folds import deal, quarters
from medveil.core.seeds import Seeds

Array = npt.NDArray[Any]

PENALTIES = (1e3, 1e2, 1e1, 1.0, 0.1)  # strongest first: of equals, the stronger wins
INNER_FOLDS = 4
SURE = 1e-6  # no probability is believed to be nearer to 0 or 1
STREAM = "infer/inner-folds"


@dataclass(frozen=True, eq=False, repr=False)
class Rows:
    """N images as numbers.

    Args:
        dense: (N, D), D may be 0; `sizes`: (N, S), S may be 0.
        subject: (N,) whose image each is.
    """

    dense: Array
    sizes: Array
    subject: Array

    def at(self, index: Array) -> Rows:
        return Rows(self.dense[index], self.sizes[index], self.subject[index])

    def __repr__(self) -> str:
        return f"Rows({len(self.subject)} images)"


@dataclass(frozen=True, eq=False, repr=False)
class Prior:
    """What one guesses knowing nothing of the person: the most frequent class, or the median."""

    guess: str | float
    score: float

    def of(self, n: int) -> tuple[Array, Array]:
        return np.full(n, self.guess), np.full(n, self.score)


@dataclass(frozen=True, eq=False, repr=False)
class Fitted:
    """A learner that has learned; `error` is its error among people left out, in the unit of its penalty choice."""

    lossless: Any  # rotation of the dense block, None if there is none
    scaled: _Scaled
    model: Any
    numeric: bool
    error: float

    def guess(self, rows: Rows) -> tuple[Array, Array]:
        """(N,) guesses and (N,) scores: the log odds of the guess against all else; for numbers, minus `error`."""
        dense = rows.dense if self.lossless is None else self.lossless.transform(rows.dense)
        x = self.scaled.apply(Rows(dense, rows.sizes, rows.subject))
        if self.numeric:
            return np.asarray(self.model.predict(x), dtype=np.float64), np.full(len(x), -self.error)
        p = self.model.predict_proba(x).clip(SURE, 1 - SURE)
        best = p.max(axis=1)
        return np.asarray(self.model.classes_)[p.argmax(axis=1)].astype(str), np.log(best / (1 - best))


@dataclass(frozen=True, eq=False, repr=False)
class _Scaled:
    """Means and scales learned from some rows: components of the dense block, and sizes one by one."""

    pca: Any
    dense_scale: float
    size_mean: Array
    size_scale: Array

    @staticmethod
    def learn(rows: Rows, components: int) -> _Scaled:
        from sklearn.decomposition import PCA

        pca, dense_scale = None, 1.0
        most = min(components, len(rows.subject) - 1, rows.dense.shape[1])
        if most > 0 and np.ptp(rows.dense, axis=0).max() > 0:
            pca = PCA(most, svd_solver="full").fit(rows.dense)
            dense_scale = float(np.sqrt(pca.explained_variance_.mean())) or 1.0
        spread = rows.sizes.std(axis=0)
        return _Scaled(pca, dense_scale, rows.sizes.mean(axis=0), np.where(spread > 1e-12, spread, 1.0))

    def apply(self, rows: Rows) -> Array:
        sizes = (rows.sizes - self.size_mean) / self.size_scale
        if self.pca is None:
            return np.asarray(sizes)
        return np.concatenate([self.pca.transform(rows.dense) / self.dense_scale, sizes], axis=1)


def prior(target: Sequence[str] | Array, subject: Sequence[str] | Array, *, numeric: bool) -> Prior:
    """The guess without any features, every person counted once.

    >>> prior(["F", "F", "M"], ["a", "a", "b"], numeric=False).guess  # one person each; the first in the alphabet
    'F'
    """
    values = list(dict(zip(subject, target, strict=True)).values())
    if numeric:
        middle = float(np.median(np.array(values, dtype=np.float64)))
        return Prior(middle, -float(np.mean(np.abs(np.array(values, dtype=np.float64) - middle))))
    names, counts = np.unique(np.array(values, dtype=str), return_counts=True)
    share = float((counts.max() / counts.sum()).clip(SURE, 1 - SURE))
    return Prior(str(names[counts.argmax()]), float(np.log(share / (1 - share))))


def fit(rows: Rows, target: Array, *, numeric: bool, components: int) -> Fitted | Prior:
    """Learn a property from people of whom it is known.

    Args:
        rows: images of at least one person; `target`: (N,) str or float64, one value a person.
        components: of the dense block, at most.

    Returns:
        A prior where there is nothing to learn: under four people, one class, one number, or no features.
    """
    people = np.unique(rows.subject)
    flat = rows.dense.shape[1] + rows.sizes.shape[1] == 0
    if len(people) < 4 or len(np.unique(target)) < 2 or flat:
        return prior(target, rows.subject, numeric=numeric)
    lossless = None
    if rows.dense.shape[1] > len(rows.subject) and np.ptp(rows.dense, axis=0).max() > 0:
        from sklearn.decomposition import PCA

        # All components at once, so nothing is lost and nothing learned: the inner folds become cheap.
        lossless = PCA(len(rows.subject) - 1, svd_solver="full").fit(rows.dense)
        rows = Rows(lossless.transform(rows.dense), rows.sizes, rows.subject)
    penalty, error = _chosen(rows, target, numeric, components)
    scaled = _Scaled.learn(rows, components)
    model = _model(scaled.apply(rows), target, _weights(rows.subject, target, numeric), penalty, numeric)
    return Fitted(lossless, scaled, model, numeric, error)


def _chosen(rows: Rows, target: Array, numeric: bool, components: int) -> tuple[float, float]:
    """The penalty with the least error on people left out, and that error."""
    people, first = np.unique(rows.subject, return_index=True)
    kinds = quarters(list(target[first])) if numeric else [str(t) for t in target[first]]
    fold_of = deal(
        dict(zip(people, kinds, strict=True)), min(INNER_FOLDS, len(people)), Seeds(0).stream(STREAM)
    )
    fold = np.array([fold_of[s] for s in rows.subject])
    weight = _weights(rows.subject, target, numeric)
    errors = np.zeros(len(PENALTIES))
    for left_out in np.unique(fold):
        inside, outside = np.flatnonzero(fold != left_out), np.flatnonzero(fold == left_out)
        if len(np.unique(target[inside])) < 2:
            continue
        part = rows.at(inside)
        scaled = _Scaled.learn(part, components)
        x, z = scaled.apply(part), scaled.apply(rows.at(outside))
        own = _weights(part.subject, target[inside], numeric)
        for i, penalty in enumerate(PENALTIES):
            model = _model(x, target[inside], own, penalty, numeric)
            errors[i] += float(weight[outside] @ _misses(model, z, target[outside], numeric))
    best = int(np.argmin(errors.round(9)))
    return float(PENALTIES[best]), float(errors[best] / weight.sum())


def _misses(model: Any, x: Array, target: Array, numeric: bool) -> Array:
    """(N,) absolute error, or minus the log of the probability given to the truth."""
    if numeric:
        return np.asarray(np.abs(model.predict(x) - target))
    p = model.predict_proba(x)
    at = {c: i for i, c in enumerate(model.classes_)}
    given = [p[i, at[t]] if t in at else 0.0 for i, t in enumerate(target)]
    return np.asarray(-np.log(np.clip(given, SURE, 1.0)))


def _weights(subject: Array, target: Array, numeric: bool) -> Array:
    """(N,) mean 1: each person the same in all; for classes, each class the same too."""
    _, index, count = np.unique(subject, return_inverse=True, return_counts=True)
    weight = 1.0 / count[index]
    if not numeric:
        _, kind = np.unique(target, return_inverse=True)
        weight = weight / np.bincount(kind, weights=weight)[kind]
    return np.asarray(weight * len(weight) / weight.sum())


def _model(x: Array, target: Array, weight: Array, penalty: float, numeric: bool) -> Any:
    if numeric:
        from sklearn.linear_model import Ridge

        return Ridge(alpha=penalty).fit(x, target, sample_weight=weight)
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0 / penalty, max_iter=3000).fit(x, target, sample_weight=weight)
