"""External: scores of a tool that is not medveil's, judged as if they were.

    table (probe_subject, probe_image, gallery_subject, score) ──the pairs asked for──> claims

A commercial recogniser, a laboratory's own network, a jury of people: whoever can compare a scan with a photograph
can write a table (docs/reference/score-table.md). From it exactly the pairs that are asked for are taken, no more
and no fewer: an attack that leaves out the hard ones would look stronger than it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from medveil.attack.base import Known
from medveil.attack.observer import Observer
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort
from medveil.core.errors import InputRefused, UsageError
from medveil.core.threat import Threat
from medveil.io import tables


@dataclass(frozen=True)
class External:
    """Take the scores of probes and candidates from a table made by another tool.

    Args:
        table: path of a CSV or TSV file with the columns probe_subject, gallery_subject, score, and if they apply
            probe_image, gallery_image, condition and attack. Where it has a column condition, the rows of
            the condition that is attacked are taken (original, release); without one, all rows are those of
            the release, and there is no control. Of several photographs (gallery_image) of a pair the mean is taken. An empty
            probe_image stands for every image of the subject.
        tool: the rows of this `attack` in the table; needed where it holds several.
    """

    table: str = ""
    tool: str = ""

    name: ClassVar[str] = "reidentify.external"
    summary: ClassVar[str] = "takes scores that another tool has given scans and photographs"
    needs: ClassVar[Known] = "photographs"
    learns: ClassVar[bool] = False

    def run(self, probes: Cohort, threat: Threat, *, condition: str, observer: Observer) -> PairClaims:
        """The table's score for each probe image and candidate; no image is opened.

        Raises:
            UsageError: no table is set, or it holds several tools and `tool` names none of them.
            InputRefused: the table cannot be read, or has no score for some of the pairs, which are counted.
        """
        if not self.table:
            raise UsageError(
                f"{self.name}: the setting table is empty",
                hint="name a file, see docs/reference/score-table.md",
            )
        if not len(probes) or not len(threat.gallery):
            raise UsageError("attack: expected at least one probe image and one candidate")
        scores = self._scores(condition)
        people = threat.gallery.subjects
        pairs = [(r.subject, r.name, person) for r in probes for person in people]
        found = [scores.get(pair, scores.get((pair[0], "", pair[2]))) for pair in pairs]
        missing = sum(score is None for score in found)
        if missing:
            raise InputRefused(
                f"{self.name}: condition {condition}: the table has no score for {missing} of {len(pairs)} pairs of "
                f"{len(probes)} images and {len(people)} candidates",
                hint="columns probe_subject, probe_image and gallery_subject must hold the labels that are used here",
            )
        return PairClaims(
            probe_subject=np.array([s for s, _, _ in pairs]),
            probe_image=np.array([image for _, image, _ in pairs]),
            gallery_subject=np.array([person for _, _, person in pairs]),
            gallery_image=np.array(["table"] * len(pairs)),
            score=np.array(found, dtype=np.float64),
            attack=self.name,
            condition=condition,
            notes={
                "table_pairs": float(len(scores)),
                "table_pairs_unused": float(len(set(scores) - set(pairs))),
            },
        )

    def _scores(self, condition: str) -> dict[tuple[str, str, str], float]:
        """Mean score of each (subject, image, candidate) in the rows of one tool and one condition."""
        groups = tables.read_scores(Path(self.table))
        tools = {g.attack for g in groups}
        if self.tool and self.tool not in tools:
            raise UsageError(f"{self.name}: the table holds no rows of the tool that is set")
        if not self.tool and len(tools) > 1:
            raise UsageError(
                f"{self.name}: the table holds {len(tools)} tools", hint="choose one with the setting tool"
            )
        of = [g for g in groups if g.condition == condition and self.tool in ("", g.attack)]
        rows: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for g in of:
            for s, image, person, score in zip(
                g.probe_subject, g.probe_image, g.gallery_subject, g.score, strict=True
            ):
                rows[str(s), str(image), str(person)].append(float(score))
        return {pair: float(np.mean(values)) for pair, values in rows.items()}

    def describe(self) -> str:
        """In words, what the attack will do."""
        return "take the score of each scan with each candidate from a table that another tool has made"
