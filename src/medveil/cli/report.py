"""medveil report: a page from findings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options

NAME = "report"


def command(
    findings: Annotated[Path, typer.Argument(help="Findings (JSON) as release and measure write them.")],
    to: Annotated[Path, typer.Option("--to", help="Page (HTML) to write.")],
    force: options.Force = False,
) -> int:
    """Render findings as one self-contained page; needs no images and no network."""
    from medveil.carry import alone

    alone.report(findings, to, force=force)
    typer.echo(f"report: {to}")
    return 0
