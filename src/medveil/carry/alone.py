"""The parts of the story one at a time: attack a folder, measure a score table, render findings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medveil.attack.base import PairAttack
from medveil.attack.observer import Observer
from medveil.carry import finding
from medveil.carry.means import Folders, Means
from medveil.carry.talk import Talk
from medveil.core.claims import PairClaims
from medveil.core.errors import InputRefused, UsageError
from medveil.core.findings import AttackFindings, Findings
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io import bids, tables
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import correct, judge
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
    probes = bids.open_cohort(folder)
    means = Means.read(known, probes.subjects)
    able = [a for a in attacks if not means.lacks(a)]
    if not able:
        raise UsageError(f"attack: {means.lacks(attacks[0])}", hint="medveil list attack tells what there is")
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


def measure(scores: Path, *, seed: int, rounds: int, to: Path | None, force: bool) -> Findings:
    """Measure a score table of any origin; also writes the findings if `to` is given.

    For each attack, the rows labelled `release` are judged against those labelled `original`, the control.
    Without a release, the last label that is not `original` is judged, or else the only one there is.
    """
    if to is not None:
        _refuse_existing(to, force)
    by_attack: dict[str, dict[str, PairClaims]] = {}
    for claims in tables.read_scores(scores):
        by_attack.setdefault(claims.attack, {})[claims.condition] = claims
    findings = finding.of_scores(
        correct([_judged(name, of, Seeds(seed), rounds) for name, of in by_attack.items()]), seed=seed
    )
    if to is not None:
        finding.put(to, finding.to_text(findings.to_json()))
    return findings


def _judged(name: str, claims: dict[str, PairClaims], seeds: Seeds, rounds: int) -> AttackFindings:
    others = [label for label in claims if label != "original"]
    judged = "release" if "release" in claims else others[-1] if others else "original"
    conditions = {label: summarise(c, None, seeds=seeds, rounds=rounds) for label, c in claims.items()}
    control = conditions.get("original") if judged != "original" else None
    null = null_condition(claims["original" if control else judged], None, seeds=seeds)
    found = judge(name, "scores from a table", {}, control, conditions[judged], null)
    return replace(found, conditions={**conditions, **found.conditions})


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
