"""medveil convert: DICOM to a BIDS folder, for those who want to release NIfTI."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.talk import Terminal

NAME = "convert"


def command(
    folder: Annotated[Path, typer.Argument(help="Folder of DICOM files, any names, any depth.")],
    to: Annotated[Path, typer.Option("--to", help="New BIDS folder.")],
    force: options.Force = False,
    json: options.Json = False,
) -> int:
    """Convert DICOM into a BIDS folder of NIfTI with dcm2niix, as a source for a release.

    The folder still shows who its people are: labels are their IDs, and faces, dates and hospitals stay. Give it to
    `medveil release`, and to nobody else.
    """
    from medveil.carry import converting
    from medveil.carry.laying_out import STILL

    done = converting.convert_folder(folder, to, force=force, talk=Terminal(quiet=json))
    typer.echo(json_module.dumps(done.to_json()) if json else "\n".join(done.lines()))
    typer.echo(f"medveil: warning: {STILL}", err=True)
    return 4 if done.refused else 0
