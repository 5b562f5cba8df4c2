"""medveil canary: plant made-up identifiers, and see whether a de-identifier lets any of them out."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.core.errors import UsageError

NAME = "canary"

app = typer.Typer(
    name=NAME,
    help="Plant made-up identifiers, run any de-identifier on them, and see what comes out.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("make")
def make(
    to: Annotated[Path, typer.Option("--to", help="New folder for the planted files.")],
    key: Annotated[
        Path | None, typer.Option("--key", help="Key file; canaries.json beside the folder if not given.")
    ] = None,
    formats: Annotated[
        str, typer.Option("--formats", help="Which formats, with commas: dicom,nifti,bids.")
    ] = "dicom,nifti,bids",
    seed: options.Seed = 0,
    json: options.Json = False,
) -> int:
    """Write valid files with some 300 markers, each in a place of its own, and a key file that lists them."""
    from medveil.carry import canary

    wanted = [word.strip() for word in formats.split(",") if word.strip()]
    counts = canary.make(to, key, formats=wanted, seed=seed)
    said = f"{counts['markers']} markers planted in {counts['files']} files"
    typer.echo(json_module.dumps(counts) if json else said)
    return 0


@app.command("score")
def score(
    out: Annotated[Path, typer.Argument(help="Output folder of a de-identifier; new if a command is given.")],
    key: Annotated[Path | None, typer.Option("--key", help="Key file of the planted set.")] = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="The planted folder, for the command's {in}.")
    ] = None,
    allow: Annotated[
        list[str],
        typer.Option("--allow", help="A place or class it declares to keep; may be given several times."),
    ] = [],
    command: Annotated[
        list[str] | None, typer.Argument(help="After --: a command to run first, with {in} and {out} in it.")
    ] = None,
    json: options.Json = False,
) -> int:
    """Print the leak table of an output. Ends with 1 if a marker leaked, an output is missing, or dates and UIDs are off."""
    if key is None:
        raise UsageError(
            "canary score: needs --key", hint="the canaries.json that `medveil canary make` wrote"
        )
    from medveil.carry import canary

    scored = canary.score(out, key, allowed=allow, command=command or (), source=source)
    typer.echo(json_module.dumps(scored.to_json()) if json else "\n".join(scored.lines()))
    return 0 if scored.is_clean else 1
