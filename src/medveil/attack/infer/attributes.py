"""Attributes: guess what is true of a person (sex, age, group) from an image of them.

    other people: images + the property ──look──> features ──learn──┐
    probe:        image ─────────────────look──> features ──────────┴──> guess, how sure

A name is not the only secret. Sex and age shape skull, face and brain; a diagnosis may show in what is left when the
face is gone. The attacker learns from people of whom they know the property, in images protected the same way, and
guesses it of those in the release. Two sources look at no image: `prior` guesses what most people are, and `table`
guesses from the columns that were released anyway. What an image gives away is what it adds to those.

After Boutet et al. 2023, table II, whose attacker looked at renders and at photographs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from medveil.attack.infer.columns import IDENTIFIER, MISSING, Columns
from medveil.attack.infer.features import CoarseHead, Features, Source, seen_features
from medveil.attack.infer.learner import Prior, Rows, fit, prior
from medveil.attack.link.aligned import AlignedBrain
from medveil.attack.observer import Observer
from medveil.attack.reidentify.render import checked_views
from medveil.core.claims import Guesses
from medveil.core.cohort import Cohort
from medveil.core.errors import UsageError
from medveil.core.inference import as_number, is_numeric
from medveil.core.threat import Threat

Array = npt.NDArray[Any]
Kind = Literal["auto", "classes", "numbers"]


@dataclass(frozen=True)
class Attributes:
    """Guess a property of the person in each image, after learning it from other people.

    Args:
        attribute: which: a column of the participants table.
        kind: classes, numbers, or auto: numbers if all values are, and more than a few differ.
        source: what the attacker looks at: volume (the whole head, coarse), brain (aligned to the template),
            render (face embedding of renders of the head), photograph (of a photograph), table (only what is
            known of each person anyway), prior (nothing: the most frequent class, or the median).
        with_table: look at the table as well as at the image.
        components: principal components of an image that are learned from, at most.
        views: renders of a head, 1 to 10.
        cube_mm: edge of the cubes of the whole head.
        brain_mm: edge of the cubes of the brain; the default is that of `link.brain`, which shares the work.
    """

    attribute: str = "sex"
    kind: Kind = "auto"
    source: Source = "brain"
    with_table: bool = False
    components: int = 30
    views: int = 3
    cube_mm: float = 10.0
    brain_mm: float = 3.0

    name: ClassVar[str] = "infer.attributes"
    summary: ClassVar[str] = (
        "guesses sex, age or another property from images, after learning it from other people"
    )

    def __post_init__(self) -> None:
        if self.source not in get_args(Source):
            raise UsageError(
                "infer.attributes: no such source", hint="known are " + ", ".join(get_args(Source))
            )
        if self.kind not in get_args(Kind):
            raise UsageError("infer.attributes: no such kind", hint="known are " + ", ".join(get_args(Kind)))
        if not self.attribute or self.attribute == IDENTIFIER:
            raise UsageError("infer.attributes: attribute: expected a column of the participants table")
        if self.components < 1:
            raise UsageError(f"infer.attributes: components is {self.components}, expected at least 1")
        checked_views(self.views)
        CoarseHead(self.cube_mm), AlignedBrain(self.brain_mm)

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> Guesses:
        """One guess for every probe image, a number or a word like those of the background's participants.

        The score is the log odds of the guess; for numbers, minus the error seen among people left out. An image
        in which nothing was found gets the guess of `prior`. What is known of the probes is read from
        `threat.gallery.participants` by label, never from the probes; the column that is guessed is passed over
        even there.

        Raises:
            UsageError: no probes; no background person of whom the property is known; a person on both sides.
        """
        others, known = self._others(probes, threat), threat.gallery.participants
        values = {s: row[self.attribute] for s, row in others.participants.items()}
        numeric = self._is_numeric(list(values.values()))
        subject = np.array([r.subject for r in others])
        target = np.array([as_number(values[s]) if numeric else values[s] for s in subject])
        naive = prior(target, subject, numeric=numeric)
        guess, score = naive.of(len(probes))
        notes = {"learned_from": float(len(others.subjects))}
        if self.source != "prior":
            columns = self._columns(others, probes, known)
            learn_seen, learn = self._rows(others, others.participants, columns, observer)
            seen, asked = self._rows(probes, known, columns, observer)
            if learn is not None and asked is not None:
                fitted = fit(learn, target[learn_seen], numeric=numeric, components=self.components)
                found = fitted.of(len(seen)) if isinstance(fitted, Prior) else fitted.guess(asked)
                guess = guess.astype(np.result_type(guess, found[0]))
                guess[seen], score[seen] = found
            notes["nothing_seen"] = 1.0 - len(seen) / len(probes)
        return Guesses(
            probe_subject=np.array([r.subject for r in probes]),
            probe_image=np.array([r.name for r in probes]),
            attribute=self.attribute,
            guess=guess,
            score=score,
            attack=self.name,
            condition=condition,
            notes=notes,
        )

    def _is_numeric(self, values: list[str]) -> bool:
        if self.kind == "numbers" and any(as_number(v) is None for v in values):
            raise UsageError("infer.attributes: kind is numbers, but a value of the background is none")
        return is_numeric(values) if self.kind == "auto" else self.kind == "numbers"

    def _others(self, probes: Cohort, threat: Threat) -> Cohort:
        """The background people of whom the property is known, and nobody who is among the probes."""
        if not len(probes):
            raise UsageError("infer.attributes: expected at least one probe image")
        others = threat.background
        if others is None:
            raise UsageError(
                "infer.attributes: has nobody to learn from", hint="the threat needs a background"
            )
        known = [
            s for s in others.subjects
            if others.participants.get(s, {}).get(self.attribute, "") not in MISSING
        ]  # fmt: skip
        if not known:
            raise UsageError("infer.attributes: the property is known of nobody in the background")
        if set(known) & set(probes.subjects):
            raise UsageError("infer.attributes: a person is in the background and among the probes")
        return others.of(*known)

    def _columns(self, others: Cohort, probes: Cohort, known: Mapping[str, Mapping[str, str]]) -> Columns:
        """How the table is read; an empty way of reading where the attack does not look at it."""
        if self.source != "table" and not self.with_table:
            return Columns({}, {})
        rows = [known.get(s, {}) for s in probes.subjects]
        return Columns.learn([others.participants[s] for s in others.subjects], rows, self.attribute)

    def _rows(
        self, cohort: Cohort, table: Mapping[str, Mapping[str, str]], columns: Columns, observer: Observer
    ) -> tuple[Array, Rows | None]:
        """Places of the images in which something was seen, and their numbers; None if there are no such images."""
        features: list[Features | None]
        if self.source == "table":
            features = [Features(np.empty(0), np.empty(0)) for _ in cohort]
        else:
            features = seen_features(
                cohort, self.source, observer,
                views=self.views, cube_mm=self.cube_mm, brain_mm=self.brain_mm,
            )  # fmt: skip
        seen = np.array([i for i, f in enumerate(features) if f is not None], dtype=np.int64)
        there = [f for f in features if f is not None]
        if not there:
            return seen, None
        subjects = [r.subject for r in cohort]
        told = columns.matrix([table.get(subjects[i], {}) for i in seen])
        sizes = np.concatenate([np.stack([f.sizes for f in there]), told], axis=1)
        return seen, Rows(np.stack([f.dense for f in there]), sizes, np.array(subjects)[seen])

    def without_image(self, source: Source) -> Attributes:
        """The same attacker, who looks at no image: `table` or `prior`."""
        return replace(self, source=source, with_table=False)

    def describe(self) -> str:
        """In words, what the attack will do."""
        look = {
            "volume": f"the whole head in cubes of {self.cube_mm:g} mm, and its size",
            "brain": f"the brain, aligned to the MNI152 template in cubes of {self.brain_mm:g} mm, and its size",
            "render": f"face embeddings (dlib ResNet) of renders of the head from {self.views} sides",
            "photograph": "the face embedding (dlib ResNet) of a photograph",
            "table": "what the table says of each person beside it",
            "prior": "nothing: the most frequent value of other people, or their median",
        }[self.source]
        table = (
            " and what the table says of each person" if self.with_table and self.source != "table" else ""
        )
        rule = "" if self.source == "prior" else (
            f", by logistic or ridge regression on at most {self.components} principal components, learned from other "
            "people with the penalty chosen among people left out"
        )  # fmt: skip
        return f"guess `{self.attribute}` of each person from {look}{table}{rule}"
