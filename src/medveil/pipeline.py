"""The whole story of a release, in one screen: protect, attack, measure, report.

cohort ──protect──> release ──attack──> claims ──measure──> findings ──report──> a page a person can read
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from medveil.attack.observer import Observer
from medveil.carry import auditing, companions, finding, inferring, means, picturing, protecting, simulating
from medveil.carry.limits import Limit, broken
from medveil.carry.naming import naming_of
from medveil.carry.talk import Silent, Talk
from medveil.carry.told import told_recipe
from medveil.core.findings import Findings
from medveil.core.seeds import Seeds
from medveil.io.folder import Staging
from medveil.io.folders import inspect_folder
from medveil.recipe import Recipe, default
from medveil.simulate.basis.model import read_basis


@dataclass(frozen=True)
class Plan:
    """What to release, where to, and how; decided before anything is touched."""

    source: Path
    target: Path
    recipe: Recipe
    known: means.Folders = field(default_factory=means.Folders)
    jobs: int = 1
    force: bool = False
    limits: tuple[Limit, ...] = ()
    simulated: str = ""
    given: Path | None = None
    save_masks: bool = False
    key: Path | None = None
    stage: int = 1

    @property
    def internal(self) -> Path:
        """Where the edition with faces and names goes: beside the release, never in it."""
        return self.target.with_name(self.target.name + "-internal")

    def describe(self) -> list[str]:
        """What would be done, in words."""
        attacks = [f"then {a.describe()}" for a in self.recipe.pairs]
        return [
            *(["take masks, places and landmarks of images from the given folder"] if self.given else []),
            *(f"for every image: {step.describe()}" for step in self.recipe.protect),
            "read every written file again and prove it, or leave it out",
            "let headers, sidecars and tables leave through their lists of allowed facts",
            *(["give people, visits, UIDs and dates new names and days by the key"] if self.key else []),
            *(
                attacks
                if self.known.given
                else ["measure no risk: no photographs and no other scans were given (--photos, --scans)"]
            ),
            *(f"then {a.describe()}" for a in self.recipe.guesses),
            "write the release with its report, and beside it the internal report, which shows faces",
            *(["keep masks of what was altered and protected beside the internal report"] * self.save_masks),
        ]


@dataclass(frozen=True)
class Result:
    """What a run ended with: where the two reports are, the exit code, and which limits were broken."""

    findings: Findings
    report: Path
    internal: Path
    exit_code: int
    over: tuple[str, ...] = ()


def release(plan: Plan, talk: Talk | None = None) -> Result:
    """Protect a folder, attack the result as hard as we can, measure, and say what was found."""
    talk, seeds, audit = talk or Silent(), Seeds(plan.recipe.seed), None
    inventory = inspect_folder(plan.source)
    wanted = plan.recipe.on(inventory.layout)
    recipe = told_recipe(wanted)  # what a release may say: files by their content, not by their place
    held = means.Means.read(plan.known, inventory.cohort.subjects, talk)
    auditing.check(inventory.cohort, held, plan.recipe.pairs)
    inferring.check(plan.recipe.guesses, inventory.cohort)
    for step in wanted.protect:
        step.check()
    inputs = [p for p in (plan.source, *plan.known.given, plan.given) if p]

    with (
        Staging(plan.target, inputs=inputs, force=plan.force) as staging,
        Staging(plan.internal, inputs=inputs, force=plan.force) as inside,
    ):
        naming = naming_of(inventory, plan.key, plan.stage, target=plan.target, talk=talk)
        protected = protecting.protect_folder(
            inventory,
            wanted.protect,
            staging,
            inside,
            naming=naming,
            given=plan.given,
            jobs=plan.jobs,
            talk=talk,
        )
        staging.prune(keep=protected.kept)
        companions.write(inventory, protected, staging.folder, naming)
        sides, observer = auditing.traced(inventory, protected.cohort, staging.folder), Observer(plan.jobs)
        if held:
            audit = auditing.audit(*sides, held, plan.recipe.pairs, observer, seeds=seeds, talk=talk)
        inferences = inferring.told(
            plan.recipe.guesses, *sides, held.photographs, observer, seeds=seeds, talk=talk
        )
        regions = protected.regions(inside.folder) if wanted.steps else {}
        drawn = picturing.draw(protected, regions=regions, jobs=plan.jobs, talk=talk)
        protected = protected.with_measured(drawn.residual)
        findings = finding.findings(
            recipe, inventory, protected, audit, inferences, naming=naming, simulated=plan.simulated
        )
        finding.publish(findings, recipe, protected, staging, naming)
        finding.keep_inside(inside.folder, findings, drawn.pictures, audit, protected)
        inside.finish(keep=protected.masks if plan.save_masks else ())
        staging.finish(keep=protected.places)

    over = tuple(broken(plan.limits, findings))
    code = 4 if protected.refused else 1 if over else 0
    return Result(findings, plan.target / "report.html", plan.internal / "report.html", code, over)


def demo(
    to: Path,
    *,
    people: int,
    seed: int,
    jobs: int,
    force: bool,
    face_basis: Path | None = None,
    talk: Talk | None = None,
) -> Result:
    """The same story on people who do not exist."""
    talk, faces = talk or Silent(), read_basis(face_basis) if face_basis else None
    with Staging(to, inputs=[], force=force) as staging:
        simulating.write_cohort(
            staging.folder, people=people, seed=seed, jobs=jobs, talk=talk, face_basis=faces
        )
        plan = Plan(
            source=staging.folder / simulating.SCANS,
            target=staging.folder / "release",
            known=means.Folders(staging.folder / simulating.PHOTOGRAPHS, staging.folder / simulating.RESCANS),
            recipe=default(seed),
            jobs=jobs,
            simulated="people from a statistical head model" if faces else "sculpted people",
        )
        result = release(plan, talk)
        staging.finish()
    return replace(
        result,
        report=to / result.report.relative_to(staging.folder),
        internal=to / result.internal.relative_to(staging.folder),
    )
