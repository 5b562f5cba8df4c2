"""The program `medveil`: its verbs, and the one place where errors become exit codes."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from medveil import __version__
from medveil.cli import (
    attack,
    canary,
    convert,
    demo,
    inspect,
    key,
    listing,
    mean_face,
    measure,
    protect,
    release,
    report,
    share,
    verify,
)
from medveil.core.errors import MedveilError

app = typer.Typer(
    name="medveil",
    help="Can the people in these medical images be recognised? medveil answers with numbers, "
    "and makes a release in which they can't.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done; 1 done, but over a limit you set; 2 usage; 3 input refused; "
    "4 some images were refused (listed); 5 verification failed, or nothing given opens it; 70 a bug.",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"medveil {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Options of the program itself."""


for _verb in (demo, inspect, convert, release, protect, mean_face, attack, measure, report, verify):
    app.command(_verb.NAME)(_verb.command)
app.command(listing.NAME)(listing.command)
app.add_typer(key.app, name=key.NAME)
app.add_typer(share.app, name=share.NAME)
app.add_typer(canary.app, name=canary.NAME)


def run() -> None:
    """Entry point of the console script: runs the command line and exits with its code."""
    try:
        code = app(standalone_mode=False)
    except MedveilError as error:
        _say(f"error: {error.message}", f"hint: {error.hint}" if error.hint else "")
        code = error.exit_code
    except KeyboardInterrupt:
        _say("stopped; start the same command again to go on where it was")
        code = 130
    except BrokenPipeError:
        # The reader of our output has left (`medveil list | head`): nothing is wrong on this side.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:  # noqa: BLE001 - the last door: no traceback, no value may reach a terminal
        code = _outer(error)
    sys.exit(code if isinstance(code, int) else 0)


def _outer(error: Exception) -> int:
    """Usage errors of the command-line library keep their text; anything else is a bug, told without values."""
    if isinstance(error, typer.Abort):
        return 130
    if hasattr(error, "format_message") and hasattr(error, "show"):  # a ClickException, whoever carries click
        error.show()
        return 2
    if os.environ.get("MEDVEIL_DEBUG"):
        raise error
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" at {os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else ""
    _say(
        f"error: a bug in medveil: {type(error).__name__}{where}",
        "hint: MEDVEIL_DEBUG=1 shows the traceback, which may hold names; look before you share it",
    )
    return 70


def _say(*lines: str) -> None:
    for line in lines:
        if line:
            print(f"medveil: {line}", file=sys.stderr)
