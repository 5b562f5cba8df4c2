"""medveil inspect: what is in a folder, and what in it gives people away. Changes nothing."""

from __future__ import annotations

import json as json_module

import typer

from medveil.cli import options

NAME = "inspect"


def command(folder: options.Folder, json: options.Json = False) -> int:
    """Count what is in a folder and name what gives people away; reads headers, changes nothing."""
    from medveil.carry import inspecting

    summary = inspecting.inspect(folder)
    typer.echo(json_module.dumps(summary.to_json()) if json else "\n".join(summary.lines()))
    return 0
