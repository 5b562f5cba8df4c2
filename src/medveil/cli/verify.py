"""medveil verify: re-check a release from the outside."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.core.errors import VerificationFailed

NAME = "verify"


def command(
    release: Annotated[Path, typer.Argument(help="Folder that medveil released.")],
    source: Annotated[
        Path | None, typer.Option("--source", help="Folder it was made from, if you have it.")
    ] = None,
    json: options.Json = False,
) -> int:
    """Check every file of a release against its manifest, and against its source if given."""
    from medveil.carry import verifying

    checked = verifying.verify(release, source)
    typer.echo(json_module.dumps(checked.to_json()) if json else "\n".join(checked.lines()))
    if checked.problems:
        raise VerificationFailed(f"release: {len(checked.problems)} problems", hint="they are listed above")
    return 0
