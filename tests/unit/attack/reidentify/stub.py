"""An observer that has seen what it is told: scores can be tested with no recogniser."""

from __future__ import annotations

import numpy as np

from medveil.attack.observer import Look, Observer
from medveil.attack.reidentify.observe import Observation, Photograph
from medveil.core.cohort import Cohort, Record
from medveil.core.image import Image

Rows = dict[tuple[str, str], Observation]


def never() -> Image:
    raise AssertionError("a stub observer opens nothing")


def cohort(rows: Rows, contrast: str = "") -> Cohort:
    return Cohort(tuple(Record(s, n, never, contrast=contrast) for s, n in rows))


class StubObserver(Observer):
    """Returns the given observation of each (subject, name), of a photograph or of a scan."""

    def __init__(self, scans: Rows, photos: Rows) -> None:
        super().__init__()
        self._scans, self._photos = scans, photos

    def see(self, cohort: Cohort, look: Look) -> Rows:
        rows = self._photos if isinstance(look, Photograph) else self._scans
        return {(r.subject, r.name): rows[r.subject, r.name] for r in cohort}


def seen(
    embedding: np.ndarray | None = None, landmarks: np.ndarray | None = None, *, detected: bool = True
) -> Observation:
    """An observation with these features; what is left out is zero."""
    views = len(embedding) if embedding is not None else len(landmarks) if landmarks is not None else 1
    return Observation(
        np.zeros((views, 128)) if embedding is None else np.asarray(embedding, dtype=np.float32),
        np.zeros((views, 68, 2)) if landmarks is None else np.asarray(landmarks, dtype=np.float32),
        np.full(views, detected),
    )
