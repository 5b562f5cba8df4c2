"""medveil attack: what an adversary with photographs or other scans makes of a folder of head images."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.talk import Terminal
from medveil.core.errors import UsageError

NAME = "attack"


def command(
    folder: options.Folder,
    to: Annotated[
        Path, typer.Option("--to", help="Score table (CSV) to write; it names people, keep it inside.")
    ],
    photos: options.Photos = None,
    scans: options.Scans = None,
    others: options.Others = None,
    others_photos: options.OthersPhotos = None,
    attack: Annotated[
        list[str], typer.Option("--attack", help="Attack to run (see: medveil list attack).")
    ] = [],
    condition: Annotated[
        str, typer.Option("--condition", help="Label for these images in the table.")
    ] = "release",
    recipe: options.RecipeFile = None,
    set_: options.Settings = [],
    jobs: options.Jobs = options.DEFAULT_JOBS,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    json: options.Json = False,
) -> int:
    """Score every image of a folder against every candidate; `medveil measure` reads the table."""
    from medveil import recipe as recipes
    from medveil.carry import alone, means

    if photos is None and scans is None:
        raise UsageError(
            "attack: no candidates given",
            hint="--photos PHOTOS, one folder of pictures per person, or --scans SCANS, other scans of theirs",
        )
    base = recipes.read(recipe) if recipe else recipes.default()
    if attack:
        base = recipes.Recipe((), tuple(recipes.part("attack", a) for a in attack), base.seed)
    chosen = recipes.with_settings(base, [], set_).pairs
    if not chosen:
        raise UsageError(
            "attack: expected an attack that compares images with candidates",
            hint="medveil release --infer COLUMN guesses properties",
        )
    if dry_run:
        typer.echo("\n".join(a.describe() for a in chosen))
        return 0
    tables = alone.attack(
        folder,
        means.Folders(photos, scans, others, others_photos),
        chosen,
        to=to,
        condition=condition,
        jobs=jobs,
        force=force,
        talk=Terminal(quiet=json),
    )
    rows = [{"attack": c.attack, "condition": c.condition, "pairs": len(c.score), **c.notes} for c in tables]
    typer.echo(json_module.dumps(rows) if json else f"{sum(len(c.score) for c in tables)} scores: {to}")
    return 0
