"""Spot faces: open the images that are said to show none, and look.

image ──presence──> is the volume of a face there      the answer
      └─render───> does a face detector fire           a hint: it fires on cut surfaces too
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from medveil.attack.reidentify.surface import find_head
from medveil.carry.residual import faces
from medveil.carry.talk import Talk
from medveil.core.cohort import Record
from medveil.core.errors import MedveilError, MissingPackage, Refusal
from medveil.protect.deface.presence import face_left


@dataclass(frozen=True)
class Spotted:
    """What was seen in a group of images; counts, and for JSON the places where a face is still there.

    Args:
        images: how many were to be looked at.
        with_face: in how many of them a face is there.
        detector_only: in how many others the face detector fires all the same.
        unchecked: reason to number of images of which nothing can be said.
        places: the images with a face, as a release would call them.
    """

    images: int
    with_face: int
    detector_only: int
    unchecked: dict[str, int]
    places: list[str] = field(default_factory=list)


@dataclass(frozen=True, repr=False)
class Look:
    """One image looked at: `unchecked` is the reason why nothing can be said, or empty."""

    face: bool = False
    detected: bool = False
    unchecked: str = ""


def spot(records: Sequence[tuple[PurePosixPath, Record]], *, jobs: int, talk: Talk) -> Spotted:
    """Look for faces in images, given with the places that a release would give them."""
    from joblib import Parallel, delayed

    looks: list[Look] = []
    with talk.stage("looking for faces") as progress:
        progress(0, len(records))
        found = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)(
            delayed(look)(record) for _, record in records
        )
        for one in found:
            looks.append(one)
            progress(len(looks), len(records))
    return Spotted(
        images=len(records),
        with_face=sum(one.face for one in looks),
        detector_only=sum(one.detected and not one.face for one in looks),
        unchecked=dict(Counter(one.unchecked for one in looks if one.unchecked).most_common()),
        places=[str(place) for (place, _), one in zip(records, looks, strict=True) if one.face],
    )


def look(record: Record) -> Look:
    """Look for a face in one image; never raises for a bad one."""
    try:
        image = record.open()
        detected = any(face.detected for face in faces(find_head(image)))
        return Look(face=face_left(image).is_there, detected=detected)
    except MissingPackage:
        raise
    except Refusal as refusal:
        return Look(unchecked=refusal.reason)
    except MedveilError as error:
        return Look(unchecked=error.message)
    except MemoryError:
        return Look(unchecked="not enough memory for this image")
