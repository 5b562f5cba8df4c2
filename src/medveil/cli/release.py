"""medveil release: protect, attack, measure, report. The main job."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.talk import Terminal

NAME = "release"


def command(
    folder: options.Folder,
    to: Annotated[Path, typer.Option("--to", help="New folder for the release.")],
    photos: options.Photos = None,
    scans: options.Scans = None,
    others: options.Others = None,
    others_photos: options.OthersPhotos = None,
    attack: options.Attacks = [],
    infer: options.Infer = [],
    recipe: options.RecipeFile = None,
    step: options.Steps = [],
    set_: options.Settings = [],
    given: options.Given = None,
    save_masks: options.SaveMasks = False,
    key: options.Key = None,
    stage: options.Stage = 1,
    jobs: options.Jobs = options.DEFAULT_JOBS,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Root seed; default: the recipe's.")
    ] = None,
    fail_if: Annotated[
        list[str],
        typer.Option("--fail-if", help=options.FAIL_IF),
    ] = [],
    force: options.Force = False,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> int:
    """Protect a folder, attack the result, measure the risk and write a release with its report.

    TO/report.html may leave the house; TO-internal/report.html, with pictures of faces, may not.
    Without photographs or other scans the images are protected and verified, and the risk is "not measured".
    """
    from medveil import pipeline
    from medveil import recipe as recipes
    from medveil.carry import means
    from medveil.carry.applying import MASKS
    from medveil.carry.limits import Limit

    base = recipes.read(recipe) if recipe else recipes.default()
    base = recipes.with_attacks(base, attack, infer)
    plan = pipeline.Plan(
        source=folder,
        target=to,
        known=means.Folders(photos, scans, others, others_photos),
        recipe=recipes.with_settings(base, step, set_, seed=seed),
        jobs=jobs,
        force=force,
        limits=tuple(Limit.parse(text) for text in fail_if),
        given=given,
        save_masks=save_masks,
        key=key,
        stage=stage,
    )
    if dry_run:
        typer.echo("\n".join(plan.describe()))
        return 0
    result = pipeline.release(plan, Terminal(quiet=json))
    code = tell(result, json)
    if save_masks and not json:
        typer.echo(f"masks, which follow skin where a face was changed: {plan.internal / MASKS}")
    return code


def over_the_limit(lines: Sequence[str]) -> None:
    """Say on standard error which limits were broken."""
    from medveil.report.words import printable

    for line in lines:
        typer.echo(f"medveil: over the limit: {printable(line)}", err=True)


def tell(result: object, json: bool) -> int:
    """Print what came out, and choose the exit code."""
    from medveil.pipeline import Result
    from medveil.report.text import summary_lines

    assert isinstance(result, Result)  # noqa: S101 - narrows the type for the lazy import
    if json:
        typer.echo(json_module.dumps(result.findings.to_json()))
    else:
        typer.echo("\n".join(summary_lines(result.findings)))
        typer.echo(f"report: {result.report}")
        typer.echo(f"internal report, shows faces: {result.internal}")
    over_the_limit(result.over)
    return result.exit_code
