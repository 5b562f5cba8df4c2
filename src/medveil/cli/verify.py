"""medveil verify: re-check a release from the outside."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.core.errors import UsageError, VerificationFailed

NAME = "verify"


def command(
    release: Annotated[Path, typer.Argument(help="Folder that medveil released.")],
    source: Annotated[
        Path | None, typer.Option("--source", help="Folder it was made from, if you have it.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="Key of the release, if one gave its names; pairs images with --source."),
    ] = None,
    json: options.Json = False,
) -> int:
    """Check every file of a release against its manifest, and against its source if given.

    With --source, every byte of the release is also searched for what the source says about its people: names, IDs,
    days, UIDs, out of headers, sidecars, tables and file names. What is found is told by number and kind, never shown.
    """
    from medveil.carry import verifying

    if key and not source:
        raise UsageError("--key: pairs images with their originals", hint="give those with --source")

    checked = verifying.verify(release, source, key)
    typer.echo(json_module.dumps(checked.to_json()) if json else "\n".join(checked.lines()))
    if checked.problems:
        raise VerificationFailed(f"release: {len(checked.problems)} problems", hint="they are listed above")
    return 0
