"""The parts of the story one at a time: attack a folder, measure a score table, render findings."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from medveil.attack.base import PairAttack
from medveil.attack.observer import Observer
from medveil.carry import finding, members
from medveil.carry.means import Folders, Means
from medveil.carry.talk import Talk
from medveil.core.claims import PairClaims
from medveil.core.errors import InputRefused, UsageError
from medveil.core.findings import AttackFindings, Condition, Findings
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io import tables
from medveil.io.folders import inspect_folder
from medveil.io.score_matrix import ScoreMatrix
from medveil.io.score_table import open_scores
from medveil.io.traces import with_traces
from medveil.measure.scale.measure import measure_grid
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import correct, judge, strongest_words
from medveil.report.page import render


def attack(
    folder: Path,
    known: Folders,
    attacks: Sequence[PairAttack],
    *,
    to: Path,
    condition: str,
    jobs: int,
    force: bool,
    talk: Talk,
) -> list[PairClaims]:
    """Run the attacks that this attacker's material allows on a folder, and write their scores to `to`.

    Raises:
        UsageError: `to` exists and `force` is not set, or none of the attacks can be run.
        InputRefused: an image of the folder cannot be read; an attack leaves no probe out.
    """
    _refuse_existing(to, force)
    inventory = inspect_folder(folder)
    probes = with_traces(inventory.cohort, inventory)
    means = Means.read(known, probes.subjects, talk)
    able = [a for a in attacks if not means.lacks(a, probes)]
    if not able:
        raise UsageError(
            f"attack: {means.lacks(attacks[0], probes)}", hint="medveil list attack tells what there is"
        )
    observer, claims = Observer(n_jobs=jobs), []
    for one in able:
        gallery = means.gallery(one.needs)
        assert gallery is not None  # noqa: S101 - only such attacks are in the list
        with talk.stage(one.name) as observer.progress:
            claims.append(
                one.run(probes, Threat(gallery, means.others), condition=condition, observer=observer)
            )
    tables.write_scores(claims, to)
    return claims


def measure(scores: Path, *, seed: int, rounds: int, to: Path | None, force: bool, jobs: int = 1) -> Findings:
    """Measure scores of any origin and any size, or losses; also writes the findings if `to` is given.

    For each attack, what is labelled `release` is judged against what is labelled `original`, the control.
    Without a release every other label is judged; originals alone are judged without a control.

    Raises:
        UsageError: `to` exists and `force` is not set, or nobody is on both sides.
        InputRefused: the scores cannot be read, show one person only, or use a label kept for chance.
    """
    if to is not None:
        _refuse_existing(to, force)
    if members.is_losses(scores):
        found = members.of_losses(scores, finding.of_scores([], seed=seed), seeds=Seeds(seed), rounds=rounds)
        if to is not None:
            finding.put(to, finding.to_text(found.to_json()))
        return found
    attacks: list[AttackFindings] = []
    with tempfile.TemporaryDirectory(prefix="medveil-") as aside:
        by_attack: dict[str, dict[str, PairClaims | ScoreMatrix]] = {}
        for one in open_scores(scores, Path(aside)):
            by_attack.setdefault(one.attack, {})[one.condition] = one
        for name, labelled in by_attack.items():
            attacks += _judged(name, labelled, Seeds(seed), rounds, jobs)
    attacks = correct(attacks)
    findings = finding.of_scores(attacks, seed=seed)
    findings = replace(findings, answer=f"{findings.answer} {strongest_words(attacks)}".strip())
    if to is not None:
        finding.put(to, finding.to_text(findings.to_json()))
    return findings


def _judged(
    name: str, labelled: dict[str, PairClaims | ScoreMatrix], seeds: Seeds, rounds: int, jobs: int
) -> list[AttackFindings]:
    """One verdict, or one for each label where none of them is `release`."""
    if "null" in labelled:
        raise InputRefused("scores: the label null is kept for chance, which is worked out from the others")
    measured = {label: _measured(one, seeds, rounds, jobs) for label, one in labelled.items()}
    if not any(condition.non_mated for condition, _ in measured.values()):
        raise InputRefused("scores: they show one person only, so there is nobody to be confused with")
    conditions = {label: condition for label, (condition, _) in measured.items()}
    others = [label for label in labelled if label != "original"]
    chosen = ["release"] if "release" in labelled else others or ["original"]
    found = []
    for label in chosen:
        control = conditions.get("original") if label != "original" else None
        null = measured["original" if control else label][1]
        title = name if len(chosen) == 1 else f"{name} on {label}"
        one = judge(title, "scores from a table", {}, control, conditions[label], null())
        extra = conditions if len(chosen) == 1 else {}
        found.append(replace(one, conditions={**extra, **one.conditions}))
    return found


def _measured(
    one: PairClaims | ScoreMatrix, seeds: Seeds, rounds: int, jobs: int
) -> tuple[Condition, Callable[[], Condition]]:
    """A condition, and what gives its null; a large matrix is counted once for both."""
    if isinstance(one, ScoreMatrix):
        condition, null = measure_grid(one, seeds=seeds, rounds=rounds, jobs=jobs)
        return condition, lambda: null
    return summarise(one, None, seeds=seeds, rounds=rounds), lambda: null_condition(one, None, seeds=seeds)


def report(findings: Path, to: Path, *, force: bool) -> None:
    """Render a findings file as a page.

    Raises:
        InputRefused: not a findings document.
        UsageError: `to` exists and `force` is not set.
    """
    _refuse_existing(to, force)
    try:
        data = json.loads(findings.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputRefused(
            "findings: cannot be read as JSON", hint="medveil release writes findings.json into the release"
        ) from None
    finding.put(to, render(Findings.from_json(data)))


def _refuse_existing(to: Path, force: bool) -> None:
    if to.exists() and not force:
        raise UsageError("output: exists already", hint="name a new file, or replace it with --force")
