"""Attacks are run with what the attacker holds, on everything that was released, and on nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from medveil.attack.base import Known
from medveil.attack.observer import Observer
from medveil.carry.auditing import audit, both, check
from medveil.carry.means import Means
from medveil.carry.talk import Silent
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.image import Image
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat

PEOPLE = tuple("abcdefgh")


def never() -> Image:
    raise AssertionError("no image is opened")


def cohort(subjects: str | tuple[str, ...], name: str = "T1w", contrast: str = "") -> Cohort:
    return Cohort(tuple(Record(s, name, never, contrast=contrast) for s in subjects))


@dataclass(frozen=True)
class Seer:
    """Knows everybody on the originals, and nobody on the release if it is blind there."""

    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = False
    name: ClassVar[str] = "test.seer"
    summary: ClassVar[str] = "knows everybody"
    blind: bool = True

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        rng = np.random.default_rng(1)
        pairs = [(p, g) for p in probes for g in threat.gallery.subjects]
        sees = condition == "original" or not self.blind
        return PairClaims(
            np.array([p.subject for p, _ in pairs]),
            np.array([p.name for p, _ in pairs]),
            np.array([g for _, g in pairs]),
            np.array(["" for _ in pairs]),
            np.array([float(p.subject == g) * sees for p, g in pairs]) + rng.normal(0, 0.1, len(pairs)),
            self.name,
            condition,
            {},
        )

    def describe(self) -> str:
        return "knows everybody there is"


@dataclass(frozen=True)
class ScanSeer(Seer):
    needs: ClassVar[Known] = "scans"
    name: ClassVar[str] = "test.scan_seer"


@dataclass(frozen=True)
class Pupil(Seer):
    learns: ClassVar[bool] = True
    name: ClassVar[str] = "test.pupil"


@dataclass(frozen=True)
class Unable(Seer):
    name: ClassVar[str] = "test.unable"

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        raise UsageError("test.unable: its weights are not there", hint="put them there")


def run(released: Cohort, means: Means, *attacks: Any) -> Any:
    return audit(
        cohort(PEOPLE), released, means, attacks, Observer(), seeds=Seeds(0), talk=Silent(), rounds=200
    )


def test_an_attack_without_its_material_is_listed_and_not_run() -> None:
    done = run(cohort(PEOPLE), Means(photographs=cohort(PEOPLE, "p", "photo")), Seer(), ScanSeer())
    assert [a.attack for a in done.attacks] == ["test.seer"]
    assert done.unmeasured == {"test.scan_seer": "no other scans of these people were given (--scans)"}
    assert {c.condition for c in done.claims} == {"original", "release"}
    assert done.attacks[0].verdict == "no evidence of a leak"


def test_an_attack_that_learns_needs_other_people() -> None:
    known = cohort(PEOPLE, "p", "photo")
    done = run(cohort(PEOPLE), Means(photographs=known), Seer(), Pupil())
    assert done.unmeasured == {"test.pupil": "no other people to learn from were given (--others)"}
    done = run(cohort(PEOPLE), Means(photographs=known, others=cohort("xy")), Pupil())
    assert [a.attack for a in done.attacks] == ["test.pupil"]
    assert "images of 2 other people to learn from" in done.attacks[0].threat


def test_an_attack_that_finds_out_late_that_it_cannot_costs_only_itself() -> None:
    known = cohort(PEOPLE, "p", "photo")
    done = run(cohort(PEOPLE), Means(photographs=known), Unable(), Seer())
    assert [a.attack for a in done.attacks] == ["test.seer"]
    assert done.unmeasured == {"test.unable": "test.unable: its weights are not there (put them there)"}
    alone = run(cohort(PEOPLE), Means(photographs=known), Unable())
    assert alone.attacks == []
    assert alone.candidates == {}


def test_an_attack_that_still_works_on_the_release_is_a_leak() -> None:
    means = Means(photographs=cohort(PEOPLE, "p", "photo"), scans=cohort(PEOPLE, "T2w"))
    done = run(cohort(PEOPLE), means, Seer(), ScanSeer(blind=False))
    assert [a.verdict for a in done.attacks] == ["no evidence of a leak", "leak"]


def test_people_without_photographs_are_probes_and_strangers_stay_candidates() -> None:
    known = cohort(("a", "b", "c", "d", "e", "stranger"), "p", "photo")
    done = run(cohort(PEOPLE), Means(photographs=known), Seer())
    claims = done.claims[1]
    assert set(claims.probe_subject) == set(PEOPLE)
    assert set(claims.gallery_subject) == set(known.subjects)
    assert done.attacks[0].threat.endswith("5 of the 8 people in the release are candidates.")
    assert "1 photograph of each of 6 candidates" in done.attacks[0].threat


def test_only_images_on_both_sides_are_compared() -> None:
    before, after = both(cohort(PEOPLE), cohort(("c", "a")))
    assert before.subjects == after.subjects == ("a", "c")


@pytest.mark.parametrize("known", [("a",), ("x", "y"), ("a", "x", "y")])
def test_fewer_than_two_candidates_are_refused_before_any_work(known: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="fewer than two subjects have photographs") as caught:
        check(cohort(PEOPLE), Means(photographs=cohort(known, "p", "photo")), [Seer()])
    assert "PHOTOS" in caught.value.hint
    with pytest.raises(UsageError, match="fewer than two subjects have other scans"):
        check(cohort(PEOPLE), Means(scans=cohort(known)), [Seer(), ScanSeer()])


def test_a_table_is_known_only_where_the_scans_bring_one() -> None:
    bare = Means(scans=cohort(PEOPLE))
    told = Means(scans=Cohort(cohort(PEOPLE).records, {"a": {"age": "30"}}))
    assert bare.gallery("table") is None
    assert told.gallery("table") is told.scans
