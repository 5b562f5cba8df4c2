"""medveil key: make a key, ask which one it is, destroy it."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medveil.cli import options
from medveil.core.errors import UsageError

if TYPE_CHECKING:
    from medveil.carry.keeping import Gone, Kept

NAME = "key"

app = typer.Typer(
    name=NAME,
    help="The key behind new names, UIDs and dates: make it, ask which one it is, destroy it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

KeyFile = Annotated[Path, typer.Argument(help="Key file, readable by its owner only.")]


@app.command("new")
def new(file: KeyFile, json: options.Json = False) -> int:
    """Make a key in a new file.

    Prints its label. Keep the file where no release goes, and a copy of it.
    """
    from medveil.carry import keeping

    return _tell(keeping.new(file), json)


@app.command("state")
def state(
    file: KeyFile,
    release: Annotated[
        Path | None, typer.Option("--release", help="A release: say whether this is its key.")
    ] = None,
    json: options.Json = False,
) -> int:
    """Say which key it is, and whose.

    Prints its label: eight signs that tell keys apart and say nothing else. With --release: whether the file holds the key of that release (kept), another key, or is not found.
    """
    from medveil.carry import keeping

    return _tell(keeping.state(file, release), json)


@app.command("destroy")
def destroy(
    file: KeyFile,
    yes: Annotated[bool, typer.Option("--yes", help="Yes, destroy it: nobody can bring it back.")] = False,
    json: options.Json = False,
) -> int:
    """Overwrite and remove a key file.

    Prints where the key, or what it tells, may still be. Afterwards nobody makes a later release that fits those
    made with it.
    """
    if not yes:
        raise UsageError(
            "key destroy: needs --yes, since nobody can bring the key back",
            hint="without it no later release fits those made with this key",
        )
    from medveil.carry import keeping

    return _tell(keeping.destroy(file), json)


def _tell(answer: Kept | Gone, json: bool) -> int:
    typer.echo(json_module.dumps(answer.to_json()) if json else "\n".join(answer.lines()))
    return 0
