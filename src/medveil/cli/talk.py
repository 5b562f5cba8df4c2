"""What the program says while it works: on stderr, bars on a terminal only, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


class Terminal:
    """Progress for people; knows stages and counts, never subjects or paths."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.fancy = sys.stderr.isatty() and not quiet

    def say(self, text: str) -> None:
        """One line of talk; nobody listening any more is no reason to stop working."""
        if not self.quiet:
            with suppress(BrokenPipeError):
                print(text, file=sys.stderr, flush=True)

    @contextmanager
    def stage(self, label: str) -> Iterator[Callable[[int, int], None]]:
        """A stage with a count: yields a function (done, total)."""
        if self.fancy:
            yield from self._bar(label)
        else:
            yield from self._lines(label)

    def _bar(self, label: str) -> Iterator[Callable[[int, int], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns: list[Any] = [
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        ]
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(label, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    def _lines(self, label: str) -> Iterator[Callable[[int, int], None]]:
        self.say(label)
        told = [0]

        def update(done: int, total: int) -> None:
            # Every quarter is enough for a log file.
            quarter = 4 * done // max(total, 1)
            if quarter > told[0]:
                told[0] = quarter
                self.say(f"  {done} of {total}")

        yield update
