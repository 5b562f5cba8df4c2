"""BIDS inheritance: a file at or above an image speaks of it if the image carries its suffix and all its entities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from medveil.io.names import stem


def inherited(
    images: Sequence[PurePosixPath], files: Sequence[PurePosixPath]
) -> dict[PurePosixPath, tuple[PurePosixPath, ...]]:
    """Which of the files (of one kind) speak of which image, the most general first; images of none are not there."""
    by_folder: dict[PurePosixPath, list[PurePosixPath]] = {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(file)
    found = {}
    for image in images:
        parts = stem(image).split("_")
        chain: list[PurePosixPath] = []
        for folder in reversed(image.parents):  # from the root down
            own = [f for f in by_folder.get(folder, []) if _applies(f.stem.split("_"), parts)]
            chain += sorted(own, key=lambda f: len(f.stem.split("_")))
        if chain:
            found[image] = tuple(chain)
    return found


def _applies(file: list[str], image: list[str]) -> bool:
    return file[-1] == image[-1] and set(file[:-1]) <= set(image[:-1])
