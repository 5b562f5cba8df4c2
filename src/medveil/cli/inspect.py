"""medveil inspect: what is in a folder, and what in it gives people away. Changes nothing."""

from __future__ import annotations

import json as json_module
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.talk import Terminal

NAME = "inspect"


def command(
    folder: options.Folder,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces", help="Look for faces in every image (seconds each), not only where none is claimed."
        ),
    ] = False,
    jobs: options.Jobs = options.DEFAULT_JOBS,
    json: options.Json = False,
) -> int:
    """Count what is in a folder and name what gives people away; changes nothing.

    Reads headers. Images that are said to be defaced (by their names, sidecars, README or dataset description)
    are opened, and a face that is still there is reported. The JSON lists where, as a release would call it.
    """
    from medveil.carry import inspecting

    summary = inspecting.inspect(folder, faces=faces, jobs=jobs, talk=Terminal(quiet=json))
    typer.echo(json_module.dumps(summary.to_json()) if json else "\n".join(summary.lines()))
    return 0
