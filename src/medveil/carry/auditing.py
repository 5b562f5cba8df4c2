"""Attack originals and release with the same means, and turn what comes out into findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from medveil.attack.base import PairAttack
from medveil.attack.observer import Observer
from medveil.carry import blocking
from medveil.carry.means import Means
from medveil.carry.talk import Talk
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.findings import AttackFindings, Condition
from medveil.core.release import settings
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.io.bids import Inventory
from medveil.io.folders import inspect_folder
from medveil.io.traces import with_traces
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import correct, judge


@dataclass(frozen=True, repr=False)
class Audit:
    """What the attacks achieved: findings to publish, claims (they name people) to keep inside.

    Args:
        attacks: of each attack that could be run.
        claims: the same, pair by pair.
        unmeasured: attack that could not be run, to the reason.
        candidates: what the attackers held, in words, by kind.
    """

    attacks: list[AttackFindings]
    claims: list[PairClaims]
    unmeasured: dict[str, str]
    candidates: dict[str, str]


def audit(
    originals: Cohort,
    released: Cohort,
    means: Means,
    attacks: Sequence[PairAttack],
    observer: Observer,
    *,
    seeds: Seeds,
    talk: Talk,
    rounds: int = 1000,
) -> Audit:
    """Run every attack on the originals (control), on the release, and on chance (null), and judge each.

    Every released image is a probe, on both sides, whether its person is among the candidates or not: an
    attacker has the whole release. Candidates who are not in the release stay in the gallery as strangers.

    Raises:
        UsageError: fewer than two people of the release are among the candidates.
    """
    control, release = both(originals, released)
    sides = {"original": control, "release": release}
    findings: list[AttackFindings] = []
    claims: list[PairClaims] = []
    unmeasured: dict[str, str] = {}
    candidates: dict[str, str] = {}
    for attack in attacks:
        gallery, lack = means.gallery(attack.needs), means.lacks(attack, release)
        if gallery is None or lack:
            unmeasured[attack.name] = lack
            continue
        known = _known(release, gallery, attack)
        threat = Threat(gallery, means.others)
        told = f"{threat} {len(known)} of the {len(release.subjects)} people in the release are candidates."
        try:
            on = _run(attack, sides, threat, observer, talk)
        except UsageError as unable:  # a package, weights or people are missing: the others still can
            unmeasured[attack.name] = f"{unable.message} ({unable.hint})" if unable.hint else unable.message
            talk.say(f"warning: {attack.name} was not run: {unable.message}")
            continue
        measured: dict[str, Condition] = {}
        for label, probes in sides.items():
            measured[label] = summarise(on[label], None, seeds=seeds, rounds=rounds)
            if attack.needs != "table":
                measured[label] = blocking.with_table(
                    measured[label], on[label], probes, threat, seeds=seeds, rounds=rounds
                )
        null = null_condition(on["original"], None, seeds=seeds)
        judged = judge(
            attack.name, attack.summary, settings(attack), measured["original"], measured["release"], null
        )
        findings.append(replace(judged, threat=told))
        candidates[attack.needs] = f"{len(gallery.subjects)} people, {len(gallery)} images"
        claims += on.values()
    return Audit(correct(findings), claims, unmeasured, candidates)


def _run(
    attack: PairAttack, sides: Mapping[str, Cohort], threat: Threat, observer: Observer, talk: Talk
) -> dict[str, PairClaims]:
    """The claims of one attack on the originals and on the release."""
    on = {}
    for label, probes in sides.items():
        where = "originals" if label == "original" else "release"
        with talk.stage(f"{attack.name} on the {where}") as observer.progress:
            on[label] = attack.run(probes, threat, condition=label, observer=observer)
    observer.progress = None
    return on


def traced(inventory: Inventory, released: Cohort, folder: Path) -> tuple[Cohort, Cohort]:
    """Originals and release with what lies beside their pictures, for attacks that look at that."""
    return with_traces(inventory.cohort, inventory), with_traces(released, inspect_folder(folder))


def both(originals: Cohort, released: Cohort) -> tuple[Cohort, Cohort]:
    """The images that exist on both sides, in the same order."""
    after = {(r.subject, r.name): r for r in released}
    before = {(r.subject, r.name): r for r in originals}
    keys = [key for key in before if key in after]

    def cohort(of: dict[tuple[str, str], Record], like: Cohort) -> Cohort:
        return Cohort(tuple(of[key] for key in keys), like.participants, like.simulated)

    return cohort(before, originals), cohort(after, released)


def check(originals: Cohort, means: Means, attacks: Sequence[PairAttack]) -> None:
    """Refuse before hours of work what `audit` would refuse after them.

    Raises:
        UsageError: fewer than two people of the images are among the candidates of an attack.
    """
    for attack in attacks:
        gallery = means.gallery(attack.needs)
        if gallery is not None and not means.lacks(attack, originals):
            _known(originals, gallery, attack)


def _known(release: Cohort, gallery: Cohort, attack: PairAttack) -> set[str]:
    known = set(release.subjects) & set(gallery.subjects)
    if len(known) < 2:
        what, where = ("photographs", "PHOTOS") if attack.needs == "photographs" else ("other scans", "SCANS")
        raise UsageError(
            f"{what}: fewer than two subjects have {what} of their own",
            hint=f"name the folders or files in {where} after the subjects, as `medveil inspect` counts them",
        )
    return known
