"""What file names say: subject, session, contrast; and the names a release gives instead.

BIDS labels are pseudonyms already, and a release keeps them. Names in a plain folder may be those of
people (`smith_john.nii.gz`), so a release gives sub-001, sub-002, ... in the cohort's order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from medveil.core.cohort import Cohort, Record

SUFFIXES = (".nii.gz", ".nii", ".mgz", ".mgh", ".nrrd")  # of images that are read and written
_LABEL = r"[A-Za-z0-9+]+"
_BIDS = re.compile(rf"(sub-{_LABEL})((?:_[a-z]+-{_LABEL})*)_([A-Za-z0-9]+)\.nii(?:\.gz)?")
_SUBJECT = re.compile(rf"(sub-{_LABEL})_")
_INSIDE = re.compile(rf"anat|func|dwi|fmap|perf|pet|ct|ses-{_LABEL}")
_WORDS = {  # flair first: many are called t2_flair
    "flair": "FLAIR", "t1": "T1w", "t1w": "T1w", "mprage": "T1w", "t2": "T2w", "t2w": "T2w", "pd": "PDw",
    "pdw": "PDw", "t2star": "T2starw", "t2starw": "T2starw", "unit1": "UNIT1", "ct": "CT", "pet": "pet", "fdg": "pet", "bold": "bold", "dwi": "dwi", "asl": "asl",
}  # fmt: skip
_DATATYPE = {"CT": "ct", "pet": "pet", "bold": "func", "dwi": "dwi", "asl": "perf"}


@dataclass(frozen=True, repr=False)
class BidsName:
    """The parts of a place such as `sub-01/ses-1/anat/sub-01_ses-1_run-2_T1w.nii.gz`."""

    subject: str
    session: str
    entities: str
    suffix: str

    def __repr__(self) -> str:
        return "BidsName(...)"


def bids_name(place: PurePosixPath) -> BidsName | str:
    """The parts of the place of a BIDS image, or the reason why it is none."""
    match = _BIDS.fullmatch(place.name)
    if match is None:
        return "its name does not follow BIDS"
    found = re.search(rf"_(ses-{_LABEL})", match[2])
    session = found[1] if found else ""
    above = [match[1], session] if session else [match[1]]
    folders = list(place.parts[:-1])
    if folders[:-1] != above or not re.fullmatch("[a-z]+", folders[-1]):
        return "it does not lie where BIDS puts it"
    return BidsName(match[1], session, match[2].lstrip("_"), match[3])


def placed_name(place: PurePosixPath) -> BidsName | str:
    """`bids_name` of an image whatever its format: as if it were NIfTI."""
    return bids_name(place.with_name(stem(place) + ".nii" if place.name.endswith(SUFFIXES) else place.name))


def is_image(place: PurePosixPath) -> bool:
    """Whether a file is named as an image that is read and written; its content may still disagree."""
    return place.name.lower().endswith(SUFFIXES)


def is_nifti(place: PurePosixPath) -> bool:
    """Whether a file is named as NIfTI; its content may still disagree."""
    return place.name.lower().endswith((".nii", ".nii.gz"))


def stem(place: PurePosixPath) -> str:
    """The name of an image without its suffix: .nii.gz is one."""
    return place.name[: len(place.name) - len(_suffix(place))]


def _suffix(place: PurePosixPath) -> str:
    """That of SUFFIXES that a name ends in, '' if none."""
    return next((s for s in SUFFIXES if place.name.lower().endswith(s)), "")


def plain_subject(place: PurePosixPath) -> str:
    """Subject in a plain folder: the first folder; of files with none, `sub-<label>` or the name's stem.

    A first folder that BIDS puts inside a subject (`anat`, `ses-1`) is no subject: somebody gave us sub-01 alone.
    """
    if len(place.parts) > 1 and not _INSIDE.fullmatch(place.parts[0]):
        return place.parts[0]
    match = _SUBJECT.match(place.name)
    return match[1] if match else stem(place)


def plain_contrast(place: PurePosixPath) -> str:
    """Contrast by the words in a name (t1, mprage, flair, ct, ...), or '' if none of them is there."""
    for text in (stem(place), *reversed(place.parts[1:-1])):
        words = re.split(r"[^a-z0-9]+", text.lower())
        for word, contrast in _WORDS.items():
            if word in words:
                return contrast
    return ""


def release_place(record: Record, index: int, image: int = 1, *, kept: bool = False) -> PurePosixPath:
    """Where a release keeps an image: at its BIDS place, or at one made up after BIDS' manner.

    Args:
        record: the image.
        index: which subject of the cohort, from 1, in the cohort's order; becomes sub-001, sub-002, ...
        image: which image of that subject, from 1.
        kept: whether an image of another format than NIfTI keeps such a place too.
    """
    place = record.place
    if place is not None and (
        isinstance(bids_name(place), BidsName) or (kept and isinstance(placed_name(place), BidsName))
    ):
        return place
    contrast = record.contrast if record.contrast in {*_WORDS.values()} else "image"
    run = f"_run-{image}" if image > 1 else ""
    suffix = (_suffix(place) if place is not None else "") or ".nii.gz"
    name = f"sub-{index:03d}{run}_{contrast}{suffix}"
    return PurePosixPath(f"sub-{index:03d}", _DATATYPE.get(contrast, "anat"), name)


def release_places(cohort: Cohort) -> list[PurePosixPath]:
    """`release_place` of every record, in order; no two are the same, nor the same but for the suffix.

    Other formats than NIfTI keep their places where nothing can run into them: in a release, read again.
    """
    named = [r.place for r in cohort if r.place and isinstance(placed_name(r.place), BidsName)]
    kept = len({p.with_name(stem(p)) for p in named}) == len(cohort)
    number = {subject: i for i, subject in enumerate(cohort.subjects, start=1)}
    seen: dict[str, int] = {}
    places = []
    for record in cohort:
        seen[record.subject] = seen.get(record.subject, 0) + 1
        places.append(release_place(record, number[record.subject], seen[record.subject], kept=kept))
    return places
