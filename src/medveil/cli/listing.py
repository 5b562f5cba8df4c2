"""medveil list: what there is, one line each."""

from __future__ import annotations

import json as json_module
from dataclasses import fields
from typing import Annotated

import typer

from medveil.cli import options
from medveil.core import catalog
from medveil.core.errors import UsageError

NAME = "list"


def command(
    stage: Annotated[str | None, typer.Argument(help="protect, share or attack; all if left out.")] = None,
    json: options.Json = False,
) -> int:
    """List the parts of medveil with their settings."""
    if stage is not None and stage not in catalog.BUILT_IN:
        raise UsageError("list: no such stage", hint="known are " + ", ".join(catalog.BUILT_IN))
    rows = []
    for part in catalog.parts(stage):
        cls = part.load()
        rows.append(
            {
                "stage": part.stage,
                "name": part.name,
                "summary": cls.summary,
                "settings": [f.name for f in fields(cls)],
            }
        )
    if json:
        typer.echo(json_module.dumps(rows))
    else:
        for row in rows:
            typer.echo(f"{row['stage']:8} {row['name']:22} {row['summary']}")
            typer.echo(f"{'':31} settings: {', '.join(row['settings'])}")
    return 0
