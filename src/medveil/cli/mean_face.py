"""medveil mean-face: the mean face of your own people, to paste in place of theirs."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.talk import Terminal

NAME = "mean-face"


def command(
    folder: options.Folder,
    to: Annotated[Path, typer.Option("--to", help="New NIfTI file for the mean face.")],
    contrast: Annotated[
        str, typer.Option("--contrast", help="Which images of a BIDS folder, by their suffix.")
    ] = "T1w",
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    json: options.Json = False,
) -> int:
    """Build the mean face of at least ten people, one image of each, for deface.replace to paste.

    Use it with --step deface.replace --set deface.replace.template=FACE.nii.gz. The file shows nobody, but it was
    made of your people: treat it as theirs.
    """
    from medveil.carry.mean_face import write_mean_face

    people = write_mean_face(folder, to, contrast=contrast, force=force, talk=Terminal(quiet=json))
    typer.echo(json_module.dumps({"people": people}) if json else f"mean face of {people} people written")
    return 0
