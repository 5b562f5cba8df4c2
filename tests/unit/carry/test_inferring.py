"""Inferring: folds over people, the same for every condition, and nobody learned from who is guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from medveil.attack.infer import learner
from medveil.attack.infer.attributes import Attributes
from medveil.attack.infer.features import CoarseHead, Features
from medveil.attack.link.aligned import Aligned, AlignedBrain
from medveil.attack.observer import Observer
from medveil.attack.reidentify.observe import Observation
from medveil.carry.in_folds import guess_by_folds
from medveil.carry.inferring import check, infer
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.inference import Inference
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat

SEEDS = Seeds(2)


@pytest.fixture(autouse=True)
def one_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice of a penalty has tests of its own; here it would only take time."""
    monkeypatch.setattr(learner, "PENALTIES", (10.0,))
    monkeypatch.setattr(learner, "INNER_FOLDS", 2)


class Shown(Observer):
    """An image here is the row of numbers that a look sees."""

    def see(self, cohort: Cohort, look: Any) -> dict[tuple[str, str], Any]:
        return {(r.subject, r.name): self._as(look, np.asarray(r.open())) for r in cohort}

    def _as(self, look: Any, numbers: np.ndarray) -> Any:
        if isinstance(look, CoarseHead):
            return Features(numbers, np.empty(0))
        if isinstance(look, AlignedBrain):
            return Aligned(numbers.astype(np.float32), np.eye(4), located=True, empty=False)
        return Observation(numbers[None], np.zeros((1, 68, 2)), np.ones(1, bool))


@dataclass(frozen=True)
class Opens:
    """Image of a person: `effect` of sex on the first number, of age on the second."""

    index: int
    effect: float
    side: int
    visit: int = 0

    def __call__(self) -> Any:
        row = table(40)[f"sub-{self.index:02d}"]
        out = np.random.default_rng([self.index, self.side, self.visit]).normal(size=8)
        out[0] += self.effect * (1 if row["sex"] == "M" else -1)
        out[1] += self.effect * (float(row["age"]) - 50) / 15
        return out


def table(n: int) -> dict[str, dict[str, str]]:
    rng = np.random.default_rng(5)
    ages = rng.permutation(np.linspace(20, 80, 40).astype(int))
    return {f"sub-{i:02d}": {"sex": "FM"[i % 2], "age": str(ages[i])} for i in range(n)}


def cohort(
    n: int, effect: float, side: int, *, visits: int = 1, contrast: str = "T1w", **more: Any
) -> Cohort:
    records = tuple(
        Record(f"sub-{i:02d}", f"ses-{v}_{contrast}", Opens(i, effect, side, v), contrast=contrast)
        for i in range(n)
        for v in range(visits)
    )
    return Cohort(records, **more)


@lru_cache(maxsize=16)
def looked(
    n: int, original: float, release: float, told: str, photos: bool, attributes: str
) -> list[Inference]:
    """Findings, measured once for all tests that read them."""
    rows = table(n)
    released = {s: {c: _told(r, c) for c in told.split()} for s, r in rows.items()}
    return infer(
        cohort(n, original, 0, participants=rows),
        cohort(n, release, 1, participants=released),
        cohort(n, 2.5, 2, contrast="photo") if photos else None,
        attributes=attributes.split(), observer=Shown(), seeds=SEEDS, rounds=250, folds=4,
    )  # fmt: skip


def _told(row: Mapping[str, str], column: str) -> str:
    """A cell of the released table; height gives the sex away."""
    return row[column] if column in row else str((178 if row["sex"] == "M" else 164) + int(row["age"]) % 7)


def inferred(
    n: int = 40, original: float = 2.5, release: float = 0.0, told: str = "", *, photos: bool = False,
    attributes: str = "sex",
) -> list[Inference]:  # fmt: skip
    return looked(n, original, release, told, photos, attributes)


def test_a_release_that_shows_it_leaks_and_one_that_does_not_is_no_evidence() -> None:
    leak, quiet = inferred(release=2.5, attributes="sex age"), inferred(attributes="sex age")
    assert [f.verdict for f in leak] == ["leak", "leak"]
    assert [f.verdict for f in quiet] == ["no evidence of a leak"] * 2
    assert [f.attribute for f in quiet] == ["sex", "age"]
    assert [f.numeric for f in quiet] == [False, True]


def test_an_attack_that_fails_on_the_originals_is_too_weak() -> None:
    assert inferred(original=0.0)[0].verdict == "attack too weak"


def test_every_condition_is_measured_on_the_same_people() -> None:
    (f,) = inferred(photos=True)
    assert list(f.conditions) == [
        "original", "original brain", "original render", "release", "release brain", "release render", "photograph", "prior",
    ]  # fmt: skip
    assert {e["accuracy"].n for e in f.conditions.values()} == {40}
    assert f.classes == {"F": 20, "M": 20}
    assert (f.people, f.baseline, f.stated) == (40, "prior", False)
    assert f.conditions["release"]["nothing_seen"].value == 0
    assert f.conditions["photograph"]["balanced_accuracy"].value > 0.85
    assert f.conditions["prior"]["balanced_accuracy"].value == pytest.approx(0.5, abs=0.01)


def test_without_photographs_there_is_no_such_condition() -> None:
    assert "photograph" not in inferred(attributes="sex age")[0].conditions


def test_age_has_an_error_in_years_below_that_of_the_median() -> None:
    f = inferred(release=2.5, attributes="sex age")[1]
    mae = f.conditions["release"]["mae"]
    assert mae.unit == "years"
    assert mae.value < 0.8 * mae.chance
    assert mae.chance == pytest.approx(f.conditions["prior"]["mae"].value)


def test_a_released_table_is_the_baseline() -> None:
    (f,) = inferred(release=2.5, told="age height")
    assert f.baseline == "table"
    assert f.conditions["table"]["balanced_accuracy"].value > 0.9
    assert f.conditions["release"]["gain_over_table"].value < 0.1
    assert f.verdict != "leak", "height has given the sex away already"
    assert not f.stated


def test_what_the_released_table_states_is_said_to_be_stated_and_is_not_its_own_baseline() -> None:
    (f,) = inferred(release=2.5, told="sex")
    assert f.stated
    assert f.baseline == "prior"
    assert f.verdict == "no evidence of a leak"
    assert "states" in f.reason


class Watching(Attributes):
    """Notes who is learned from and who is guessed."""

    seen: list[tuple[set[str], set[str]]] = []  # noqa: RUF012 - shared on purpose, reset by the test

    def run(self, probes: Cohort, threat: Threat, **more: Any) -> Any:
        assert threat.background is not None
        assert not probes.participants
        assert all("sex" not in row for row in threat.gallery.participants.values())
        self.seen.append((set(threat.background.subjects), set(probes.subjects)))
        return super().run(probes, threat, **more)


def test_nobody_is_on_both_sides_and_everybody_is_guessed_once() -> None:
    rows = table(12)
    fold = {s: i % 3 for i, s in enumerate(rows)}
    known = {s: {"age": r["age"]} for s, r in rows.items()}
    Watching.seen.clear()
    guesses = guess_by_folds(
        cohort(12, 1.0, 0, visits=2), Watching(source="volume"), fold, {s: r["sex"] for s, r in rows.items()},
        known, Shown(), "release",
    )  # fmt: skip
    assert len(Watching.seen) == 3
    for learned, guessed in Watching.seen:
        assert not learned & guessed
        assert learned | guessed == set(rows)
    assert sorted(set(guesses.probe_subject)) == sorted(rows)
    assert len(guesses.guess) == 24


def test_same_seed_same_findings_and_another_seed_deals_others() -> None:
    looked.cache_clear()
    a = inferred()
    looked.cache_clear()
    assert a == inferred()
    c = infer(
        cohort(40, 2.5, 0, participants=table(40)), cohort(40, 0.0, 1),
        attributes=("sex",), observer=Shown(), seeds=Seeds(77), rounds=250, folds=4,
    )  # fmt: skip
    assert c[0].conditions["release"] != a[0].conditions["release"]


def test_only_images_on_both_sides_of_the_main_contrast_are_used() -> None:
    originals, released = cohort(40, 2.5, 0, participants=table(40)), cohort(40, 2.5, 1)
    flair = cohort(10, 0.0, 0, contrast="FLAIR")
    refused = replace(released, records=released.records[4:] + flair.records)
    (f,) = infer(
        replace(originals, records=flair.records + originals.records), refused,
        attributes=("sex",), observer=Shown(), seeds=SEEDS, rounds=50, folds=3,
    )  # fmt: skip
    assert f.people == 36


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ({}, "too few people: 0"),
        ({s: {"sex": "F"} for s in table(40)}, "same value"),
        ({s: {"sex": "n/a"} for s in table(40)}, "too few people: 0"),
        ({s: {"sex": f"Canary{i}"} for i, s in enumerate(table(40))}, "too few people: 0"),
    ],
)
def test_what_cannot_be_guessed_says_why_and_names_nobody(rows: dict[str, Any], said: str) -> None:
    (f,) = infer(
        cohort(40, 1.0, 0, participants=rows), cohort(40, 1.0, 1),
        attributes=("sex",), observer=Shown(), seeds=SEEDS,
    )  # fmt: skip
    assert f.verdict == "attack too weak"
    assert said in f.reason
    assert not f.conditions
    assert "Canary" not in str(f.to_json())


def test_a_class_of_two_is_left_out_because_its_recall_would_be_about_them() -> None:
    rows = table(40)
    rows["sub-00"]["sex"] = rows["sub-02"]["sex"] = "O"
    (f,) = infer(
        cohort(40, 2.0, 0, participants=rows), cohort(40, 2.0, 1),
        attributes=("sex",), observer=Shown(), seeds=SEEDS, rounds=50, folds=3,
    )  # fmt: skip
    assert f.people == 38
    assert "recall_O" not in f.conditions["release"]


def test_twelve_people_get_a_verdict_that_says_how_little_they_show() -> None:
    (f,) = inferred(n=12, original=4.0)
    assert f.verdict == "no evidence of a leak"
    assert f.smallest is not None
    assert f.smallest > 0.8


@pytest.mark.slow
def test_where_nothing_shows_hardly_anything_leaks() -> None:
    leaks = 0
    for seed in range(12):
        rng_table = {s: {"sex": r["sex"]} for s, r in table(30).items()}
        found = infer(
            cohort(30, 0.0, 10 + seed, participants=rng_table), cohort(30, 0.0, 100 + seed),
            attributes=("sex",), observer=Shown(), seeds=Seeds(seed), rounds=100, folds=3,
        )  # fmt: skip
        leaks += found[0].verdict == "leak"
    assert leaks <= 2


def test_a_column_that_nobody_has_is_refused_before_any_work() -> None:
    people = Cohort((), {"a": {"sex": "F"}, "b": {"age": "31"}})
    check([Attributes("sex"), Attributes("age")], people)
    with pytest.raises(UsageError, match=r"participants\.tsv has no column height"):
        check([Attributes("sex"), Attributes("height")], people)
    with pytest.raises(UsageError, match="has no column sex"):
        check([Attributes("sex")], Cohort(()))
