"""medveil demo: the whole story on people who do not exist."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.release import tell
from medveil.cli.talk import Terminal

NAME = "demo"


def command(
    to: Annotated[Path, typer.Option("--to", help="New folder for everything the demo makes.")] = Path(
        "medveil-demo"
    ),
    people: Annotated[
        int, typer.Option("--people", min=4, max=500, help="How many people to simulate.")
    ] = 12,
    face_basis: Annotated[
        Path | None,
        typer.Option(
            "--face-basis", help="Faces from a statistical head model (.npz, see docs/formats/face-basis.md)."
        ),
    ] = None,
    jobs: options.Jobs = options.DEFAULT_JOBS,
    seed: options.Seed = 0,
    force: options.Force = False,
    json: options.Json = False,
) -> int:
    """Simulate people with head scans and photographs, then release their scans. Needs no data, opens nothing."""
    from medveil import pipeline

    return tell(
        pipeline.demo(
            to,
            people=people,
            seed=seed,
            jobs=jobs,
            force=force,
            face_basis=face_basis,
            talk=Terminal(quiet=json),
        ),
        json,
    )
