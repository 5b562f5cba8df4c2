"""Before and after, for the internal report: slices and the face a stranger could render. Never released."""

from __future__ import annotations

from medveil.attack.reidentify.render import pictures
from medveil.attack.reidentify.surface import find_head
from medveil.carry.protecting import Protected
from medveil.carry.talk import Talk
from medveil.core.cohort import Record
from medveil.core.image import Image
from medveil.report.page import Picture
from medveil.scene.slices import mosaic, png

RENDER_PX = 240


def before_and_after(protected: Protected, *, jobs: int, talk: Talk) -> list[Picture]:
    """Pairs of pictures of every released image, in the order of the release."""
    from joblib import Parallel, delayed

    pairs = [(protected.originals[r.place], r) for r in protected.cohort if r.place is not None]
    labels = {e.place: (e.subject, e.name) for e in protected.entries}
    drawn = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)(
        delayed(_draw)(before, after, *labels[after.place]) for before, after in pairs
    )
    out: list[Picture] = []
    with talk.stage("drawing the internal report") as progress:
        for done, four in enumerate(drawn, start=1):
            out += four
            progress(done, len(pairs))
    return out


def _draw(before: Record, after: Record, subject: str, name: str) -> list[Picture]:
    source, released = before.open(), after.open()
    return [
        Picture(subject, "before", _face(source), f"{name}: rendered head"),
        Picture(subject, "after", _face(released), f"{name}: rendered head"),
        Picture(subject, "before", png(mosaic(source, source)), f"{name}: slices"),
        Picture(subject, "after", png(mosaic(released, source)), f"{name}: slices"),
    ]


def _face(image: Image) -> bytes:
    picture, _ = pictures(find_head(image), 1, RENDER_PX)[0]
    return png(picture)
