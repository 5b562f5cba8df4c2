"""Observe: what a face recogniser sees of every scan and every photograph, looked at once.

    scan ──surface──> head ──ten views──> pictures ──recogniser──> Observation
    photograph ────────────────────────────────────recogniser──> Observation

Observing is the dear part of re-identification (a second a scan), comparing is free. An `Observer` therefore
remembers each record, so that several attacks, and the same photographs under several conditions, share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from medveil.attack.reidentify.recogniser import Box, Face, recogniser
from medveil.attack.reidentify.render import checked_views, pictures
from medveil.attack.reidentify.surface import find_head
from medveil.core.cohort import Cohort, Record
from medveil.core.image import Image

Array = npt.NDArray[Any]
Observations = dict[tuple[str, str], "Observation"]
Side = Literal["scan", "photo"]

PHOTO_PX = (320, 800)  # HOG needs faces of some 80 px; beyond 800 px it only takes longer


@dataclass(frozen=True, eq=False, repr=False)
class Observation:
    """What the recogniser saw of one image, in V views (a photograph has one).

    Args:
        embedding: (V, 128) float32.
        landmarks: (V, 68, 2) float32, column and row in sides of the face box.
        detected: (V,) whether a face was detected; evidence of nothing by itself.
        empty: the volume showed no object at all, so black pictures were looked at.
        pictures: (V, size, size, 3) uint8 if the observer keeps renders, else None. They are faces.
    """

    embedding: Array
    landmarks: Array
    detected: Array
    empty: bool = False
    pictures: Array | None = None

    def __repr__(self) -> str:
        return f"Observation({len(self.embedding)} views, {int(self.detected.sum())} detected)"


def observe_scan(
    image: Image, views: int = 3, size_px: int = 400, *, keep_renders: bool = False
) -> Observation:
    """Photograph the head in a volume and look at the pictures. Never refuses: a probe is always scored."""
    head = find_head(image)
    shots = pictures(head, views, size_px)
    faces = [recogniser().look(picture, known) for picture, known in shots]
    kept = np.stack([picture for picture, _ in shots]) if keep_renders else None
    return _observation(faces, empty=head.is_empty, kept=kept)


def observe_photo(image: Image) -> Observation:
    """Look at one photograph (H, W[, 3]); if no face is detected, at the middle of it."""
    picture = _as_picture(image)
    height, width = picture.shape[:2]
    side = 0.65 * min(height, width)
    box = Box((width - side) / 2, (height - side) / 2, side)
    everywhere = recogniser().look(picture, box, anywhere=True)
    return _observation([everywhere])


def _as_picture(image: Image) -> Array:
    """(H, W, 3) uint8 in 0..255, its longer side within `PHOTO_PX`."""
    from PIL import Image as Pillow

    values = image.values()
    if image.data.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = (values - low) * (255.0 / max(high - low, 1e-6))
    values = np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values
    values = values[..., :3] if values.shape[2] >= 3 else np.repeat(values[..., :1], 3, axis=2)
    picture = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    longest = max(picture.shape[:2])
    wanted = min(max(longest, PHOTO_PX[0]), PHOTO_PX[1])
    if wanted == longest:
        return picture
    size = tuple(max(round(n * wanted / longest), 1) for n in picture.shape[1::-1])
    return np.asarray(Pillow.fromarray(picture).resize(size, Pillow.Resampling.BICUBIC))


def _observation(faces: Sequence[Face], *, empty: bool = False, kept: Array | None = None) -> Observation:
    return Observation(
        embedding=np.stack([f.embedding for f in faces]),
        landmarks=np.stack([f.landmarks for f in faces]),
        detected=np.array([f.detected for f in faces]),
        empty=empty,
        pictures=kept,
    )


class Observer:
    """Looks at cohorts, in parallel if asked, and remembers what it has seen.

    Args:
        views: how many of the ten views a scan is photographed from, unless an attack asks for more.
        size_px: side of those pictures.
        n_jobs: processes; joblib's backend decides where they run (never threads: OpenGL is not made for them).
        progress: called with (done, total) after each image; may be changed between calls.
        keep_renders: keep the pictures of scans. They show faces: only on request, never in a release.
    """

    def __init__(
        self,
        views: int = 3,
        size_px: int = 400,
        n_jobs: int = 1,
        progress: Callable[[int, int], None] | None = None,
        keep_renders: bool = False,
    ) -> None:
        self.views, self.size_px, self.n_jobs = checked_views(views), size_px, n_jobs
        self.progress, self.keep_renders = progress, keep_renders
        self._seen: dict[tuple[Side, Record], Observation] = {}

    def scans(self, cohort: Cohort, views: int | None = None) -> Observations:
        """Observations of head volumes from at least so many views, by (subject, name), in cohort order."""
        return self._look(cohort, "scan", max(self.views, checked_views(views or self.views)))

    def photos(self, cohort: Cohort) -> Observations:
        """Observations of photographs, by (subject, name), in cohort order."""
        return self._look(cohort, "photo", 1)

    def _look(self, cohort: Cohort, side: Side, views: int) -> Observations:
        def missing(record: Record) -> bool:
            seen = self._seen.get((side, record))
            return seen is None or len(seen.embedding) < views

        todo = [r for r in dict.fromkeys(cohort) if missing(r)]
        done = len(cohort) - len(todo)
        for record, seen in zip(todo, self._observe(todo, side, views), strict=True):
            self._seen[side, record] = seen
            done += 1
            if self.progress:
                self.progress(done, len(cohort))
        return {(r.subject, r.name): self._seen[side, r] for r in cohort}

    def _observe(self, records: list[Record], side: Side, views: int) -> Iterator[Observation]:
        work = (side, views, self.size_px, self.keep_renders)
        if self.n_jobs == 1 or len(records) < 2:
            yield from (_open_and_observe(r, *work) for r in records)
            return
        from joblib import Parallel, delayed

        pool = Parallel(n_jobs=self.n_jobs, prefer="processes", return_as="generator")
        yield from pool(delayed(_open_and_observe)(r, *work) for r in records)

    def __repr__(self) -> str:
        return f"Observer(views={self.views}, {len(self._seen)} images seen)"


def _open_and_observe(
    record: Record, side: Side, views: int, size_px: int, keep_renders: bool
) -> Observation:
    """One record; at module level so that a worker process can find it."""
    image = record.open()
    if side == "photo":
        return observe_photo(image)
    return observe_scan(image, views, size_px, keep_renders=keep_renders)
