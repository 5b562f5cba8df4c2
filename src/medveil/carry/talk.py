"""What work may say while it runs; the command line gives it a terminal, tests give it silence."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

Progress = Callable[[int, int], None]


class Talk(Protocol):
    """Says lines and opens stages that count; never told a subject or a path."""

    def say(self, text: str) -> None: ...

    def stage(self, label: str) -> AbstractContextManager[Progress]: ...


class Silent:
    """Says nothing."""

    def say(self, text: str) -> None:
        del text

    def stage(self, label: str) -> AbstractContextManager[Progress]:
        del label
        return nullcontext(lambda done, total: None)
