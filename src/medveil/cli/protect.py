"""medveil protect: the protections alone, verified, with no attack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options, release

NAME = "protect"


def command(
    folder: options.Folder,
    to: Annotated[Path, typer.Option("--to", help="New folder for the protected images.")],
    recipe: options.RecipeFile = None,
    step: options.Steps = [],
    set_: options.Settings = [],
    given: options.Given = None,
    save_masks: options.SaveMasks = False,
    key: options.Key = None,
    stage: options.Stage = 1,
    jobs: options.Jobs = options.DEFAULT_JOBS,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> int:
    """Protect a folder and verify every file; the risk is not measured."""
    return release.command(
        folder,
        to,
        recipe=recipe,
        step=step,
        set_=set_,
        given=given,
        save_masks=save_masks,
        key=key,
        stage=stage,
        jobs=jobs,
        force=force,
        dry_run=dry_run,
        json=json,
    )
