"""medveil measure: a score table, by medveil or anybody else's tool, turned into estimates."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from medveil.cli import options
from medveil.cli.release import over_the_limit

NAME = "measure"


def command(
    scores: Annotated[
        Path,
        typer.Argument(
            help="Score table (CSV or TSV: probe_subject, gallery_subject, score, ...), a folder with a score "
            "matrix (scores.npy, probes.tsv, gallery.tsv), or losses of a shared model (subject, image, loss, member, "
            "out_1, ...)."
        ),
    ],
    to: Annotated[Path | None, typer.Option("--to", help="Also write the findings (JSON) here.")] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=50, help="Bootstrap rounds over subjects.")] = 1000,
    fail_if: Annotated[
        list[str],
        typer.Option("--fail-if", help=options.FAIL_IF),
    ] = [],
    jobs: options.Jobs = 1,
    seed: options.Seed = 0,
    force: options.Force = False,
    json: options.Json = False,
) -> int:
    """EER, AUC, linkability, ranks and more, with intervals over subjects, straight from a score table.

    Rows of one person on both sides carry the same label in probe_subject and gallery_subject.
    """
    from medveil.carry import alone
    from medveil.carry.limits import Limit, broken
    from medveil.report.text import summary_lines

    limits = tuple(Limit.parse(text) for text in fail_if)
    findings = alone.measure(scores, seed=seed, rounds=rounds, to=to, force=force, jobs=jobs)
    typer.echo(json_module.dumps(findings.to_json()) if json else "\n".join(summary_lines(findings)))
    over = broken(limits, findings)
    over_the_limit(over)
    return 1 if over else 0
