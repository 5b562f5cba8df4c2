"""Observer: what attackers see of images, each image looked at once in each way.

    cohort ──look──> what was seen, by (subject, name)
              └── remembered: the next attack, or the next condition, that looks the same way pays nothing

Looking is the dear part of an attack (a head takes seconds to render or to align), comparing is free.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, Protocol, TypeVar

from medveil.core.cohort import Cohort, Record
from medveil.core.image import Image

Seen_co = TypeVar("Seen_co", covariant=True)
T = TypeVar("T")


class Look(Protocol[Seen_co]):
    """A way of looking at an image: a frozen dataclass, so that equal settings are one look.

    It never refuses an image that can be opened: an attack scores every probe it was handed.
    """

    def __call__(self, image: Image) -> Seen_co: ...

    def __hash__(self) -> int: ...


class Observer:
    """Looks at cohorts, in parallel if asked, and remembers what it has seen.

    Args:
        n_jobs: processes; joblib's backend decides where they run (never threads: OpenGL is not made for them).
        progress: called with (done, total) after each image; may be changed between calls.
    """

    def __init__(self, n_jobs: int = 1, progress: Callable[[int, int], None] | None = None) -> None:
        self.n_jobs, self.progress = n_jobs, progress
        self._seen: dict[tuple[Hashable, Record], Any] = {}

    def see(self, cohort: Cohort, look: Look[T]) -> dict[tuple[str, str], T]:
        """What that look shows of every image, by (subject, name), in the order of the cohort."""
        todo = [r for r in dict.fromkeys(cohort) if (look, r) not in self._seen]
        done = len(cohort) - len(todo)
        for record, seen in zip(todo, self._looked(todo, look), strict=True):
            self._seen[look, record] = seen
            done += 1
            if self.progress:
                self.progress(done, len(cohort))
        return {(r.subject, r.name): self._seen[look, r] for r in cohort}

    def _looked(self, records: list[Record], look: Look[T]) -> Iterator[T]:
        if self.n_jobs == 1 or len(records) < 2:
            yield from (_open_and_look(r, look) for r in records)
            return
        from joblib import Parallel, delayed

        pool = Parallel(n_jobs=self.n_jobs, prefer="processes", return_as="generator")
        yield from pool(delayed(_open_and_look)(r, look) for r in records)

    def __repr__(self) -> str:
        return f"Observer({len(self._seen)} looks taken)"


def _open_and_look(record: Record, look: Look[T]) -> T:
    """One record; at module level so that a worker process can find it."""
    return look(record.open())
