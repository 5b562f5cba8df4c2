"""Before and after, for the internal report: slices, turning heads, and how much of each face is left.

source ───surface──┬─> turning heads ─┐
released ─surface──┼─> turning heads ─┼─> Picture    for the eyes, never released
source, released ──┼─> marked slices ─┘
                   └─> residual ───────> numbers     may be released
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from medveil.attack.reidentify.surface import Head, find_head
from medveil.carry.protecting import Protected
from medveil.carry.residual import residual
from medveil.carry.talk import Talk
from medveil.core.cohort import Record
from medveil.core.errors import InputRefused, MedveilError
from medveil.core.image import Image
from medveil.core.release import Mask
from medveil.protect.verify import changed_voxels
from medveil.report.page import Picture
from medveil.report.panels.side_by_side import FRAMES
from medveil.scene.camera import Mesh
from medveil.scene.marks import jpeg, marked
from medveil.scene.slices import cut
from medveil.scene.turn import turned

FRAME_PX = 176  # a multiple of the 16 px blocks of a JPEG: no frame bleeds into its neighbour
FRAME_QUALITY, SLICE_QUALITY = 66, 74
SLICES_PX = 192
BACK_MM, UP_MM = 22.0, 14.0  # from the point behind the eyes to the middle of a head
NO_REGION: Mapping[PurePosixPath, Callable[[], Mask]] = {}


@dataclass(frozen=True, repr=False)
class Drawn:
    """What the eyes get, and what was measured on the way.

    Args:
        pictures: one an image; refused ones that can be read are among them, as they came in.
        residual: place in the release to `residual`, of every released image.
    """

    pictures: list[Picture]
    residual: dict[PurePosixPath, dict[str, float]]

    def __repr__(self) -> str:
        return f"Drawn({len(self.pictures)} images)"


def draw(
    protected: Protected,
    *,
    jobs: int,
    talk: Talk,
    regions: Mapping[PurePosixPath, Callable[[], Mask]] = NO_REGION,
) -> Drawn:
    """Pictures of every image before and after, and how much of each face is left; in the order of the release.

    Args:
        regions: place in the release to the region that was promised to stay, to be drawn as a line.
    """
    from joblib import Parallel, delayed

    released = {r.place: r for r in protected.cohort}
    entries = [e for e in protected.entries if e.place in protected.originals]
    drawn = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)(
        delayed(_draw)(
            e.subject, e.name, protected.originals[e.place], released.get(e.place), regions.get(e.place)
        )
        for e in entries
        if e.place is not None
    )
    pictures: list[Picture] = []
    numbers: dict[PurePosixPath, dict[str, float]] = {}
    with talk.stage("drawing the internal report") as progress:
        for done, (entry, (picture, left)) in enumerate(zip(entries, drawn, strict=True), start=1):
            if picture is not None:
                pictures.append(picture)
            if left and entry.place is not None:
                numbers[entry.place] = left
            progress(done, len(entries))
    return Drawn(pictures, numbers)


def _draw(
    subject: str, name: str, before: Record, after: Record | None, region: Callable[[], Mask] | None
) -> tuple[Picture | None, dict[str, float]]:
    if after is None:
        return _as_it_came(subject, name, before), {}
    try:
        source, released = before.open(), after.open()
    except InputRefused:  # a radiograph is no volume: its file is cleaned, and there is no head to draw
        return None, {}
    heads = find_head(source), find_head(released)
    slices = _slices(source, released, region() if region else None)
    picture = Picture(subject, name, *slices, *(_turning(h.mesh, heads[0]) for h in heads))
    return picture, residual(*heads)


def _as_it_came(subject: str, name: str, record: Record) -> Picture | None:
    """The slices of an image that was refused; None for one that cannot even be read."""
    try:
        source = record.open()
    except (MedveilError, MemoryError):
        return None
    return Picture(subject, name, jpeg(cut(source, height_px=SLICES_PX).grey(source), SLICE_QUALITY))


def _slices(source: Image, released: Image, region: Mask | None) -> tuple[bytes, bytes]:
    """The same slices before and after; what changed is taken from the two images, not from a promise."""
    changed = changed_voxels(source, released)
    if changed is None:
        changed = np.ones(source.data.shape[:3], dtype=bool)
    places = cut(source, region, height_px=SLICES_PX)
    before, after = places.grey(source), places.grey(released)
    line = None if region is None else places.share(region, source)
    picture = marked(after, before, places.share(changed, source), line)
    return jpeg(before, SLICE_QUALITY), jpeg(picture, SLICE_QUALITY)


def _turning(mesh: Mesh, original: Head) -> bytes:
    """Frames from left to right profile; both heads are seen from where the original is."""
    x, y, z = original.focus_mm
    yaws = np.linspace(-90.0, 90.0, FRAMES).tolist()
    return jpeg(turned(mesh, (x, y - BACK_MM, z + UP_MM), yaws, FRAME_PX), FRAME_QUALITY)
