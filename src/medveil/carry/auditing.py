"""Attack originals and release with the same means, and turn what comes out into findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medveil.attack.base import PairAttack
from medveil.attack.reidentify.observe import Observer
from medveil.carry.talk import Talk
from medveil.core.claims import PairClaims
from medveil.core.cohort import Cohort, Record
from medveil.core.errors import UsageError
from medveil.core.findings import AttackFindings, Condition
from medveil.core.release import settings
from medveil.core.seeds import Seeds
from medveil.core.threat import Threat
from medveil.measure.summary import null_condition, summarise
from medveil.measure.verdict import correct, judge


@dataclass(frozen=True, repr=False)
class Audit:
    """What the attacks achieved: findings to publish, claims (they name people) to keep inside."""

    attacks: list[AttackFindings]
    claims: list[PairClaims]
    threat: Threat


def audit(
    originals: Cohort,
    released: Cohort,
    photographs: Cohort,
    attacks: Sequence[PairAttack],
    observer: Observer,
    *,
    seeds: Seeds,
    talk: Talk,
    rounds: int = 1000,
) -> Audit:
    """Run every attack on the originals (control), on the release, and on chance (null), and judge each.

    Only images that were released are compared, on both sides, and only of people with photographs.

    Raises:
        UsageError: fewer than two subjects have photographs of their own.
    """
    control, release = paired(originals, released, photographs)
    gallery = photographs.of(*release.subjects)
    threat = Threat(gallery=gallery)
    look_at(gallery, release, control, observer, talk)
    findings: list[AttackFindings] = []
    claims: list[PairClaims] = []
    for attack in attacks:
        talk.say(f"measuring {attack.name}")
        on_original = attack.run(control, threat, condition="original", observer=observer)
        on_release = attack.run(release, threat, condition="release", observer=observer)
        claims += [on_original, on_release]
        original = summarise(on_original, None, seeds=seeds, rounds=rounds)
        after = summarise(on_release, None, seeds=seeds, rounds=rounds)
        null: Condition = null_condition(on_original, None, seeds=seeds)
        findings.append(judge(attack.name, attack.summary, settings(attack), original, after, null))
    return Audit(correct(findings), claims, threat)


def look_at(gallery: Cohort, release: Cohort, control: Cohort | None, observer: Observer, talk: Talk) -> None:
    """The dear part, done once for all attacks: photographs and rendered heads as a recogniser sees them."""
    with talk.stage("looking at the photographs") as observer.progress:
        observer.photos(gallery)
    if control is not None:
        with talk.stage("looking at the original heads") as observer.progress:
            observer.scans(control)
    with talk.stage("looking at the released heads") as observer.progress:
        observer.scans(release)
    observer.progress = None


def paired(originals: Cohort, released: Cohort, photographs: Cohort) -> tuple[Cohort, Cohort]:
    """The images that exist on both sides and belong to people with photographs, in the same order."""
    known = set(photographs.subjects)
    after = {(r.subject, r.name): r for r in released if r.subject in known}
    before = {(r.subject, r.name): r for r in originals}
    both = [key for key in before if key in after]
    if len({subject for subject, _ in both}) < 2:
        raise UsageError(
            "photographs: fewer than two subjects have photographs of their own",
            hint="name the folders or files in PHOTOS after the subjects, as `medveil inspect` counts them",
        )

    def cohort(of: dict[tuple[str, str], Record], like: Cohort) -> Cohort:
        return Cohort(tuple(of[key] for key in both), like.participants, like.simulated)

    return cohort(before, originals), cohort(after, released)
