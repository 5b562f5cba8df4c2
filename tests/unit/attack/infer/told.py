"""People of numbers: what a look shows of an image is given, so that no image is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np

from medveil.attack.infer.features import CoarseHead, Features
from medveil.attack.link.aligned import Aligned, AlignedBrain
from medveil.attack.observer import Observer
from medveil.attack.reidentify.observe import Observation
from medveil.core.cohort import Cohort, Record

Key = tuple[str, str]
Row = Mapping[str, str]


def nothing() -> NoReturn:
    raise AssertionError("an image was opened")


class Told(Observer):
    """Shows, by (subject, name), what it was told; the same under every look that fits."""

    def __init__(self, shown: Mapping[Key, Any]) -> None:
        super().__init__()
        self.shown, self.looks = shown, []

    def see(self, cohort: Cohort, look: Any) -> dict[Key, Any]:
        self.looks.append(look)
        return {(r.subject, r.name): self._as(look, self.shown[r.subject, r.name]) for r in cohort}

    def _as(self, look: Any, numbers: Any) -> Any:
        if numbers is None:
            if isinstance(look, CoarseHead):
                return None
            if isinstance(look, AlignedBrain):
                return Aligned(np.zeros(2, np.float32), np.eye(4), located=True, empty=True)
            return Observation(np.zeros((1, 2)), np.zeros((1, 68, 2)), np.zeros(1, bool), empty=True)
        numbers = np.asarray(numbers, dtype=np.float64)
        if isinstance(look, CoarseHead):
            return Features(numbers, np.empty(0))
        if isinstance(look, AlignedBrain):
            return Aligned(numbers.astype(np.float32), np.eye(4), located=True, empty=False)
        return Observation(numbers[None], np.zeros((1, 68, 2)), np.ones(1, bool))


def cohort(keys: list[Key], participants: Mapping[str, Row] | None = None, contrast: str = "T1w") -> Cohort:
    return Cohort(tuple(Record(s, n, nothing, contrast=contrast) for s, n in keys), participants or {})


def people(
    n: int, *, effect: float, seed: int = 0, first: int = 0, width: int = 12, images: int = 1
) -> tuple[dict[Key, Any], dict[str, dict[str, str]]]:
    """n people, half of either sex, of any age; the first number shows sex, the second age, `effect` times."""
    rng = np.random.default_rng([seed, first])
    shown: dict[Key, Any] = {}
    rows = {}
    for i in range(first, first + n):
        sex, age = ("F", "M")[i % 2], float(rng.integers(20, 80))
        rows[f"sub-{i:03d}"] = {"sex": sex, "age": f"{age:g}"}
        who = rng.normal(size=width)
        who[0] += effect * (1 if sex == "M" else -1)
        who[1] += effect * (age - 50) / 17
        for k in range(images):
            shown[f"sub-{i:03d}", f"T1w-{k}"] = who + 0.1 * rng.normal(size=width)
    return shown, rows
