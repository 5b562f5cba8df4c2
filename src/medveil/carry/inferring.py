"""Inferring: what the images of a cohort tell about sex, age or group, by folds over the people.

    people ──dealt into folds──┐
    fold by fold: learn from the people outside it ──> guess those inside ──> everybody was guessed once,
                                                                              by somebody who never saw them
    original: head, brain, render │ release: head, brain, render │ photograph │ table │ prior
          the same folds for all ──> measured on the same people ──> one Inference a property

The attacker learns from images of the same kind as they attack: released ones for the release, with the
property they know of those people. That is the strong attacker, one with a similar study at hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from medveil.attack.base import GuessAttack
from medveil.attack.infer.attributes import Attributes
from medveil.attack.infer.columns import MISSING, Columns
from medveil.attack.infer.features import Source, seen_features
from medveil.attack.infer.folds import deal, quarters
from medveil.attack.observer import Observer
from medveil.carry.in_folds import guess_by_folds
from medveil.carry.talk import Silent, Talk
from medveil.core.claims import Guesses
from medveil.core.cohort import PHOTO, Cohort
from medveil.core.errors import UsageError
from medveil.core.estimate import Estimate
from medveil.core.inference import PRIOR, TABLE, Inference, as_number, is_numeric
from medveil.core.release import settings
from medveil.core.seeds import Seeds
from medveil.core.truth import Truth
from medveil.measure.guesses.compare import compare, estimates_of
from medveil.measure.guesses.joined import Table, join_guesses
from medveil.measure.guesses.verdict import correct_inferences, judge_inference

FEWEST_OF_A_CLASS = 3  # a class of fewer can't be learned, and its recall would be a statement about somebody
FEWEST_PEOPLE = 5
FOLDS = 5
UNITS = {"age": "years"}
Row = Mapping[str, str]

# Label of a condition, what is attacked, and how it is looked at: the same three ways for originals and release.
WAYS: tuple[tuple[str, str, Source], ...] = (
    ("original", "original", "volume"),
    ("original brain", "original", "brain"),
    ("original render", "original", "render"),
    ("release", "release", "volume"),
    ("release brain", "release", "brain"),
    ("release render", "release", "render"),
    ("photograph", "photograph", "photograph"),
)


@dataclass(frozen=True, eq=False, repr=False)
class _Exam:
    """Who is guessed in which fold, and what is known of them: the same for every condition of one property.

    Args:
        value: person to the truth; fold: person to fold; known: person to released row without the property.
    """

    value: Mapping[str, str]
    fold: Mapping[str, int]
    known: Mapping[str, Row]


def check(guesses: Sequence[GuessAttack], cohort: Cohort) -> None:
    """Refuse before any work what has nothing to guess in a release.

    Raises:
        UsageError: an attack on something else than the images of a release, or on a column that no participant has.
    """
    columns = {column for row in cohort.participants.values() for column in row}
    for attack in guesses:
        if not isinstance(attack, Attributes):
            raise UsageError(
                f"{attack.name}: does not attack a release",
                hint="docs/concepts/inference.md says how it is run",
            )
        if attack.attribute not in columns:
            raise UsageError(
                f"{attack.name}: participants.tsv has no column {attack.attribute}",
                hint="--infer takes the name of one of its columns, such as sex or age",
            )


def told(
    guesses: Sequence[GuessAttack],
    originals: Cohort,
    released: Cohort,
    photographs: Cohort | None,
    observer: Observer,
    *,
    seeds: Seeds,
    talk: Talk,
) -> list[Inference]:
    """What the attacks of a recipe that guess a property make of a release; each in every way of looking."""
    attributes = list(dict.fromkeys(a.attribute for a in guesses if isinstance(a, Attributes)))
    return infer(
        originals, released, photographs, attributes=attributes, observer=observer, seeds=seeds, talk=talk
    )


def infer(
    originals: Cohort,
    released: Cohort,
    photographs: Cohort | None = None,
    *,
    attributes: Sequence[str] = ("sex", "age"),
    observer: Observer,
    seeds: Seeds,
    talk: Talk | None = None,
    views: int = 3,
    folds: int = FOLDS,
    rounds: int = 1000,
) -> list[Inference]:
    """Guess properties of the people of a release from images and without, and judge what the images add.

    Only images that are in both cohorts are used, of the contrast that most people have. The truth is the
    originals' participants table, what the attacker knows anyway is that of the release.

    Args:
        originals, released: images with equal labels; photographs: of the same people, or None.
        attributes: columns of the originals' participants table.
        observer: shared with other attacks, so that renders and aligned brains are made once.
        views: renders of each head; the same number as other attacks use, to share them.
        folds: at most so many.

    Returns:
        One Inference for each attribute, in order; one with too few people says so and has no conditions.
    """
    talk = talk or Silent()
    before, after = _same_images(originals, released)
    sides = {"original": before, "release": after, "photograph": photographs or Cohort(())}
    out = []
    for attribute in attributes:
        exam, why = _exam(attribute, originals.participants, after, folds, seeds)
        if exam is None:
            out.append(_nothing(attribute, why))
            continue
        for label, side, source in WAYS:
            with talk.stage(f"looking for {attribute}: {label}") as observer.progress:
                _look(
                    sides[side].of(*exam.value), Attributes(attribute, source=source, views=views), observer
                )
        observer.progress = None
        talk.say(f"guessing {attribute}")
        out.append(_inference(attribute, exam, sides, after, observer, seeds, views, rounds))
    return correct_inferences(out)


def _inference(
    attribute: str,
    exam: _Exam,
    sides: Mapping[str, Cohort],
    released: Cohort,
    observer: Observer,
    seeds: Seeds,
    views: int,
    rounds: int,
) -> Inference:
    """One property, in all conditions."""
    truth = Truth(properties={s: {attribute: v} for s, v in exam.value.items()})
    numeric = is_numeric(exam.value.values())
    part = Attributes(attribute, kind="numbers" if numeric else "classes", views=views)
    unit = UNITS.get(attribute, "")

    def guessed(cohort: Cohort, part: Attributes, label: str) -> Guesses:
        return guess_by_folds(cohort, part, exam.fold, exam.value, exam.known, observer, label)

    def table_of(cohort: Cohort, part: Attributes, label: str) -> Table:
        return join_guesses(guessed(cohort, part, label), truth)

    rows = [exam.known[s] for s in exam.value]
    tabled = Columns.learn(rows, rows, attribute).width > 0
    prior = table_of(released, part.without_image("prior"), PRIOR)
    table = table_of(released, part.without_image("table"), TABLE) if tabled else None
    conditions: dict[str, dict[str, Estimate]] = {}
    for label, side, source in WAYS:
        cohort = sides[side].of(*exam.value)
        if len(cohort.subjects) < FEWEST_PEOPLE:
            continue
        way = replace(part, source=source)
        alone = guessed(cohort, way, label)
        conditions[label] = compare(
            join_guesses(alone, truth), prior, seeds=seeds, table=table, unit=unit, rounds=rounds,
            told=table_of(cohort, replace(way, with_table=True), label) if tabled else None,
        )  # fmt: skip
        conditions[label]["nothing_seen"] = Estimate(
            "nothing_seen",
            alone.notes["nothing_seen"],
            n=len(cohort.subjects),
            note="share of images in which nothing was found, so that the prior was guessed",
        )
    if table is not None:
        conditions[TABLE] = compare(table, prior, seeds=seeds, unit=unit, rounds=rounds)
    conditions[PRIOR] = estimates_of(prior, prior, seeds=seeds, unit=unit, rounds=rounds)
    stated = all(released.participants.get(s, {}).get(attribute, "") not in MISSING for s in exam.value)
    return judge_inference(
        Inference(
            attack=part.name,
            summary=part.summary,
            settings=settings(part),
            attribute=attribute,
            numeric=numeric,
            conditions=conditions,
            verdict="attack too weak",
            reason="",
            people=len(exam.value),
            classes={} if numeric else dict(sorted(Counter(exam.value.values()).items())),
            baseline=TABLE if tabled else PRIOR,
            stated=stated,
        )
    )


def _exam(
    attribute: str, participants: Mapping[str, Row], cohort: Cohort, folds: int, seeds: Seeds
) -> tuple[_Exam | None, str]:
    """Who takes part, dealt into folds; or why it cannot be."""
    values = {s: participants.get(s, {}).get(attribute, "") for s in cohort.subjects}
    values = {s: v for s, v in values.items() if v not in MISSING}
    numeric = is_numeric(values.values())
    if not numeric:
        count = Counter(values.values())
        values = {s: v for s, v in values.items() if count[v] >= FEWEST_OF_A_CLASS}
    if len(values) < FEWEST_PEOPLE:
        return (
            None,
            f"The property is known of too few people: {len(values)}, expected at least {FEWEST_PEOPLE}.",
        )
    if len(set(values.values())) < 2:
        return None, "Everybody has the same value, so there is nothing to guess."
    kinds = quarters([as_number(v) or 0.0 for v in values.values()]) if numeric else list(values.values())
    fold = deal(dict(zip(values, kinds, strict=True)), min(folds, len(values)), seeds.stream("infer/folds"))
    released = cohort.participants
    known = {s: {c: v for c, v in released.get(s, {}).items() if c != attribute} for s in values}
    return _Exam(values, fold, known), ""


def _same_images(originals: Cohort, released: Cohort) -> tuple[Cohort, Cohort]:
    """The volumes that are on both sides, of the contrast that most people have (of equals, the first)."""
    after = {(r.subject, r.name): r for r in released if r.contrast != PHOTO}
    both = [r for r in originals if (r.subject, r.name) in after]
    people: dict[str, set[str]] = {}
    for r in both:
        people.setdefault(r.contrast, set()).add(r.subject)
    main = max(people, key=lambda c: len(people[c]), default="")
    chosen = [r for r in both if r.contrast == main]
    return (
        replace(originals, records=tuple(chosen)),
        replace(released, records=tuple(after[r.subject, r.name] for r in chosen)),
    )


def _look(cohort: Cohort, part: Attributes, observer: Observer) -> None:
    """Have all images of a condition looked at, in parallel, before folds ask for a few at a time."""
    seen_features(
        cohort, part.source, observer, views=part.views, cube_mm=part.cube_mm, brain_mm=part.brain_mm
    )


def _nothing(attribute: str, why: str) -> Inference:
    part = Attributes(attribute)
    return Inference(part.name, part.summary, settings(part), attribute, False, {}, "attack too weak", why)
