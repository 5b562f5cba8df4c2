"""The attribute attack: learns from others, guesses strangers, and reads nothing it must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from medveil.attack.base import GuessAttack
from medveil.attack.infer.attributes import Attributes
from medveil.attack.link.aligned import AlignedBrain
from medveil.attack.reidentify.observe import Photograph, Renders
from medveil.core.claims import Guesses
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.threat import Threat

from .told import Told, cohort, people


class Forbidden(Mapping[str, Mapping[str, str]]):
    """A participants table that nobody may read."""

    def __getitem__(self, key: str) -> Mapping[str, str]:
        raise AssertionError("the table of the probes was read")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("the table of the probes was read")

    def __len__(self) -> int:
        raise AssertionError("the table of the probes was read")


def attack(
    part: Attributes,
    learn: tuple[dict[Any, Any], dict[str, dict[str, str]]],
    probe: tuple[dict[Any, Any], dict[str, dict[str, str]]],
    known: Mapping[str, Mapping[str, str]] | None = None,
) -> Guesses:
    observer = Told({**learn[0], **probe[0]})
    probes = replace(cohort(list(probe[0])), participants=Forbidden())
    threat = Threat(gallery=Cohort((), known or {}), background=cohort(list(learn[0]), learn[1]))
    return part.run(probes, threat, condition="release", observer=observer)


def right(guesses: Guesses, rows: Mapping[str, Mapping[str, str]], column: str = "sex") -> float:
    truth = np.array([rows[s][column] for s in guesses.probe_subject])
    return float((guesses.guess == truth).mean())


def test_it_is_a_guess_attack() -> None:
    assert isinstance(Attributes(), GuessAttack)


@pytest.mark.parametrize("source", ["volume", "brain", "render", "photograph"])
def test_a_property_that_shows_is_guessed_of_strangers(source: Any) -> None:
    learn, probe = people(60, effect=2.0), people(40, effect=2.0, first=100)
    guesses = attack(Attributes(source=source), learn, probe)
    assert right(guesses, probe[1]) >= 0.9
    assert guesses.attribute == "sex"
    assert list(zip(guesses.probe_subject, guesses.probe_image, strict=True)) == list(probe[0])
    assert guesses.notes == {"learned_from": 60.0, "nothing_seen": 0.0}


def test_a_property_that_does_not_show_is_guessed_at_chance() -> None:
    learn, probe = people(60, effect=0.0), people(200, effect=0.0, first=100)
    assert 0.38 < right(attack(Attributes(source="volume"), learn, probe), probe[1]) < 0.62


def test_age_is_guessed_as_a_number_and_better_than_by_the_median() -> None:
    learn, probe = people(80, effect=3.0), people(60, effect=3.0, first=100)
    truth = np.array([float(probe[1][s]["age"]) for s, _ in probe[0]])
    image = attack(Attributes("age", source="volume"), learn, probe)
    median = attack(Attributes("age", source="prior"), learn, probe)
    assert image.guess.dtype == np.float64
    assert np.abs(image.guess - truth).mean() < 0.5 * np.abs(median.guess - truth).mean()
    assert len(set(image.score)) == 1, "the error among people left out is one number"


def test_surer_guesses_are_more_often_right() -> None:
    learn, probe = people(80, effect=0.8), people(300, effect=0.8, first=100)
    guesses = attack(Attributes(source="volume"), learn, probe)
    good = guesses.guess == np.array([probe[1][s]["sex"] for s in guesses.probe_subject])
    sure = guesses.score > np.median(guesses.score)
    assert good[sure].mean() > good[~sure].mean() + 0.05


def test_prior_counts_people_and_not_their_images() -> None:
    shown = {("a", "1"): [0], ("a", "2"): [0], ("a", "3"): [0], ("b", "1"): [0], ("c", "1"): [0]}
    rows = {"a": {"sex": "F"}, "b": {"sex": "M"}, "c": {"sex": "M"}}
    guesses = attack(Attributes(source="prior"), (shown, rows), ({("d", "1"): [0]}, {}))
    assert guesses.guess.tolist() == ["M"]
    assert guesses.score[0] == pytest.approx(np.log(2))


def test_prior_of_a_number_is_the_median() -> None:
    rows = {f"s{i}": {"age": str(a)} for i, a in enumerate((20, 30, 40, 50, 60, 99))}
    shown = {(s, "1"): [0] for s in rows}
    part = Attributes("age", source="prior")
    assert attack(part, (shown, rows), ({("d", "1"): [0]}, {})).guess.tolist() == [45.0]


def test_a_few_different_numbers_are_classes_unless_one_says_otherwise() -> None:
    rows = {f"s{i}": {"score": str(i % 3)} for i in range(12)}
    shown = {(s, "1"): [0] for s in rows}
    probe: Any = ({("d", "1"): [0]}, {})
    assert attack(Attributes("score", source="prior"), (shown, rows), probe).guess.tolist() == ["0"]
    part = Attributes("score", kind="numbers", source="prior")
    assert attack(part, (shown, rows), probe).guess.tolist() == [1.0]


def tabled(n: int, first: int, seed: int = 0) -> dict[str, dict[str, str]]:
    """Height goes with sex."""
    rng = np.random.default_rng([seed, first])
    rows = {}
    for i in range(first, first + n):
        sex = ("F", "M")[i % 2]
        rows[f"sub-{i:03d}"] = {
            "sex": sex,
            "height": f"{(178 if sex == 'M' else 164) + 5 * rng.normal():.1f}",
        }
    return rows


def test_the_table_alone_gives_sex_away_by_height() -> None:
    learn, probe = tabled(60, 0), tabled(60, 100)
    known = {s: {"height": r["height"]} for s, r in probe.items()}
    part = Attributes(source="table")
    guesses = attack(
        part, ({(s, "1"): None for s in learn}, learn), ({(s, "1"): None for s in probe}, probe), known
    )
    assert right(guesses, probe) >= 0.8


def test_the_column_that_is_guessed_is_passed_over_even_where_it_is_known() -> None:
    learn, probe = people(40, effect=0.0), people(40, effect=0.0, first=100)
    known = {s: {"sex": r["sex"]} for s, r in probe[1].items()}
    guesses = attack(Attributes(source="table"), learn, probe, known)
    assert set(guesses.guess) == {"F"}, "with no other column the table is the prior"


def test_image_and_table_together_beat_either() -> None:
    learn, probe = people(80, effect=0.6), people(300, effect=0.6, first=100)
    rows = tabled(400, 0)
    for table in (learn[1], probe[1]):
        for s in table:
            table[s]["height"] = rows[s]["height"] if s in rows else ""
    for i, s in enumerate([*learn[1], *probe[1]]):
        sex = (learn[1] | probe[1])[s]["sex"]
        row = (learn[1] | probe[1])[s]
        row["height"] = f"{(172 if sex == 'M' else 167) + 4 * np.random.default_rng(i).normal():.1f}"
    known = {s: {"height": r["height"]} for s, r in probe[1].items()}
    parts = [
        Attributes(source="volume"),
        Attributes(source="table"),
        Attributes(source="volume", with_table=True),
    ]
    image, table, both = (right(attack(p, learn, probe, known), probe[1]) for p in parts)
    assert both > max(image, table) + 0.02


def test_an_image_in_which_nothing_is_seen_gets_the_prior() -> None:
    learn, probe = people(30, effect=2.0), people(4, effect=2.0, first=101)
    learn[1]["sub-900"], learn[0]["sub-900", "T1w-0"] = {"sex": "M", "age": "40"}, None
    probe[0]["sub-102", "T1w-0"] = None
    guesses = attack(Attributes(source="volume"), learn, probe)
    assert guesses.guess[1] == "M"
    assert guesses.notes["nothing_seen"] == 0.25
    assert np.isfinite(guesses.score).all()


def test_nothing_seen_of_anybody_is_the_prior_throughout() -> None:
    learn, probe = people(9, effect=2.0), people(4, effect=2.0, first=100)
    blind = (dict.fromkeys(probe[0]), probe[1])
    assert set(attack(Attributes(source="brain"), learn, blind).guess) == {"F"}


def test_same_input_same_guesses() -> None:
    learn, probe = people(40, effect=0.5), people(20, effect=0.5, first=100)
    a, b = (attack(Attributes(source="render"), learn, probe) for _ in range(2))
    assert (a.guess == b.guess).all()
    assert (a.score == b.score).all()


@pytest.mark.parametrize(
    ("source", "look"),
    [("brain", AlignedBrain(3.0)), ("render", Renders(3)), ("photograph", Photograph())],
)
def test_looks_are_those_of_other_attacks_so_that_the_work_is_shared(source: Any, look: Any) -> None:
    learn, probe = people(8, effect=1.0), people(2, effect=1.0, first=100)
    observer = Told({**learn[0], **probe[0]})
    threat = Threat(gallery=Cohort(()), background=cohort(list(learn[0]), learn[1]))
    Attributes(source=source).run(cohort(list(probe[0])), threat, condition="x", observer=observer)
    assert set(observer.looks) == {look}


def test_bad_inputs_are_refused_and_name_nobody() -> None:
    learn, probe = people(8, effect=1.0), people(2, effect=1.0, first=100)
    part = Attributes()
    with pytest.raises(UsageError, match="at least one probe"):
        attack(part, learn, ({}, {}))
    with pytest.raises(UsageError, match="among the probes") as caught:
        attack(part, learn, people(1, effect=1.0))
    assert "sub-" not in str(caught.value)
    with pytest.raises(UsageError, match="known of nobody"):
        attack(Attributes("weight"), learn, probe)
    threat = Threat(gallery=Cohort(()))
    with pytest.raises(UsageError, match="learn from"):
        part.run(cohort(list(probe[0])), threat, condition="x", observer=Told(probe[0]))
    with pytest.raises(UsageError, match="a value of the background is none"):
        attack(Attributes("sex", kind="numbers"), learn, probe)


@pytest.mark.parametrize(
    "settings",
    [
        {"source": "aura"}, {"kind": "colours"}, {"attribute": ""}, {"attribute": "participant_id"},
        {"components": 0}, {"views": 0}, {"views": 11}, {"cube_mm": 1.0}, {"brain_mm": 60.0},
    ],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Attributes(**settings)


@pytest.mark.parametrize("source", ["volume", "brain", "render", "photograph", "table", "prior"])
def test_every_source_describes_itself(source: Any) -> None:
    assert len(Attributes(source=source, with_table=True).describe()) > 40
