"""Folders of NIfTI images: BIDS, or any folder, or one file.

    BIDS                                          a plain folder
    sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz     smith_john.nii.gz        subject: the name's stem
    └ subject └ session          └ contrast       smith_john/t1.nii.gz     subject: the first folder

A folder is BIDS if it holds dataset_description.json or one image that is named and placed as BIDS says.
Whatever is not taken is listed with the reason. Nothing is opened but the first bytes of files of unknown
type; images are opened when they are asked for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.io import nifti, tables
from medveil.io.names import (
    BidsName,
    bids_name,
    is_nifti,
    plain_contrast,
    plain_subject,
    release_place,
    release_places,
    stem,
)

__all__ = [
    "Inventory",
    "Skipped",
    "inspect_folder",
    "open_cohort",
    "read_sidecar",
    "release_place",
    "release_places",
]

_ASIDE = {"sourcedata", "derivatives", "code"}


@dataclass(frozen=True, repr=False)
class Skipped:
    """A file or folder that is not part of the cohort: its place below the input, and why not.

    The place is the original name and may identify somebody: for the eyes of the steward, not a release.
    """

    place: PurePosixPath
    reason: str

    def __repr__(self) -> str:
        return f"Skipped({self.reason})"


@dataclass(frozen=True, repr=False)
class Inventory:
    """All that is in a folder.

    Args:
        root: the folder; for a single file, the folder it lies in.
        layout: 'bids', 'plain' or 'file'.
        cohort: the images, lazily opened.
        sidecars: place of an image to the JSON files that speak of it, the most general first.
        tables: places of the .tsv files.
        skipped: everything else, with reasons.
    """

    root: Path
    layout: str
    cohort: Cohort
    sidecars: Mapping[PurePosixPath, tuple[Path, ...]]
    tables: tuple[PurePosixPath, ...]
    skipped: tuple[Skipped, ...]

    def __repr__(self) -> str:
        return f"Inventory({self.layout}, {self.cohort!r}, {len(self.skipped)} skipped)"


def open_cohort(folder: Path) -> Cohort:
    """The images of a BIDS folder, a plain folder or a single NIfTI file; see `inspect_folder`."""
    return inspect_folder(folder).cohort


def inspect_folder(folder: Path) -> Inventory:
    """What is in a folder (or a single file): images, sidecars, tables, and what is not taken and why.

    Raises:
        InputRefused: the folder is not there, cannot be read, holds no NIfTI image, or holds DICOM.
    """
    if folder.is_file():
        return _single(folder)
    if not folder.is_dir():
        raise InputRefused("input: is not there", hint="give a folder of NIfTI images, or one image")
    skipped: list[Skipped] = []
    places = list(_walk(folder, skipped))
    bids = any(_is_description(p) or isinstance(bids_name(p), BidsName) for p in places)
    images: list[PurePosixPath] = []
    sidecars: list[PurePosixPath] = []
    texts: list[PurePosixPath] = []
    for place in places:
        name = bids_name(place)
        if is_nifti(place):
            if bids and isinstance(name, str):
                skipped.append(Skipped(place, name))
            else:
                images.append(place)
        elif place.suffix in (".json", ".tsv"):
            (sidecars if place.suffix == ".json" else texts).append(place)
        else:
            skipped.append(Skipped(place, _why_not(folder / place)))
    if not images:
        raise _nothing_here(skipped)
    records = _bids_records(folder, images) if bids else _plain_records(folder, images)
    matched, orphans = _match(folder, images, sidecars)
    skipped += [Skipped(p, "speaks of no image here") for p in orphans if not _is_description(p)]
    participants = _participants(folder, texts, skipped)
    return Inventory(
        root=folder,
        layout="bids" if bids else "plain",
        cohort=Cohort(tuple(records), participants),
        sidecars=matched,
        tables=tuple(texts),
        skipped=tuple(sorted(skipped, key=lambda s: str(s.place))),
    )


def read_sidecar(chain: Sequence[Path]) -> dict[str, Any]:
    """What the sidecars of one image say together: the nearer one overrides the more general (BIDS).

    Raises:
        InputRefused: one of them is no JSON object, or cannot be read.
    """
    said: dict[str, Any] = {}
    for path in chain:
        try:
            data = json.loads(path.read_text(encoding="utf-8-sig"))
        except (ValueError, RecursionError):
            raise InputRefused("sidecar: is not well-formed JSON") from None
        except OSError:
            raise InputRefused("sidecar: the system could not read it") from None
        if not isinstance(data, dict):
            raise InputRefused("sidecar: expected a JSON object")
        said.update(data)
    return said


def _walk(root: Path, skipped: list[Skipped]) -> Iterator[PurePosixPath]:
    """Places of all regular files below `root` in sorted order; hidden ones are passed over in silence."""
    real_root = Path(os.path.realpath(root))

    def unreadable(error: OSError) -> None:
        where = PurePosixPath(Path(str(error.filename)).relative_to(root).as_posix())
        if str(where) == ".":
            raise InputRefused("input: permission to read the folder is missing")
        skipped.append(Skipped(where, "permission to read it is missing"))

    for at, folders, files in os.walk(root, onerror=unreadable):
        here = PurePosixPath(Path(at).relative_to(root).as_posix())
        for name in sorted(folders):
            if name.startswith(".") or os.path.islink(os.path.join(at, name)):
                folders.remove(name)
                if not name.startswith("."):
                    skipped.append(Skipped(here / name, "a linked folder"))
            elif str(here) == "." and name in _ASIDE:
                folders.remove(name)
                skipped.append(Skipped(here / name, "not part of a release"))
        folders.sort()
        for name in sorted(files):
            if name.startswith("."):
                continue
            reason = _refused_file(Path(at, name), real_root)
            if reason:
                skipped.append(Skipped(here / name, reason))
            else:
                yield here / name


def _refused_file(path: Path, real_root: Path) -> str:
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        return "its name cannot be read"
    if path.is_symlink():
        if not path.exists():
            return "a link to nothing; its content may have to be fetched first"
        if not Path(os.path.realpath(path)).is_relative_to(real_root):
            return "a link that leads outside the folder"
    return "" if path.is_file() else "not a regular file"


def _is_description(place: PurePosixPath) -> bool:
    return str(place) in ("dataset_description.json", "participants.json")


def _why_not(path: Path) -> str:
    """Why a file that is not named as NIfTI is not taken."""
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind in ("mgz", "mgh", "hdr", "img", "mnc", "nrrd"):
        return f"a .{kind} file; convert it to .nii.gz first"
    if kind in ("bval", "bvec"):
        return "a table of gradients, which medveil does not carry yet"
    try:
        with open(path, "rb") as file:
            dicom = kind in ("dcm", "ima") or nifti.looks_like_dicom(file.read(140))
    except OSError:
        return "permission to read it is missing"
    return "a DICOM file; convert it with dcm2niix first" if dicom else "no image, not part of a release"


def _nothing_here(skipped: list[Skipped]) -> InputRefused:
    if any("DICOM" in s.reason for s in skipped):
        return InputRefused("input: is a folder of DICOM files, expected NIfTI", hint=nifti.DICOM_HINT)
    if any("permission" in s.reason for s in skipped):
        return InputRefused("input: permission to read its files is missing")
    if any("BIDS" in s.reason for s in skipped):
        return InputRefused(
            "input: looks like BIDS, but no image is named and placed as BIDS says",
            hint="expected sub-<label>/anat/sub-<label>_T1w.nii.gz",
        )
    return InputRefused(
        "input: holds no NIfTI image", hint=f"expected .nii or .nii.gz files, found {len(skipped)} others"
    )


def _bids_records(root: Path, images: list[PurePosixPath]) -> Iterator[Record]:
    for place in sorted(images, key=lambda p: (p.parts[0], str(p))):
        name = bids_name(place)
        if isinstance(name, BidsName):
            yield Record(
                subject=name.subject,
                name="_".join(part for part in (name.entities, name.suffix) if part),
                open=partial(nifti.read, root / place),
                session=name.session,
                contrast=name.suffix,
                place=place,
            )


def _plain_records(root: Path, images: list[PurePosixPath]) -> Iterator[Record]:
    """Names of plain files may hold anything, so an image is called by its contrast and number."""
    taken: dict[tuple[str, str], int] = {}
    for place in sorted(images, key=lambda p: (plain_subject(p), str(p))):
        subject, contrast = plain_subject(place), plain_contrast(place)
        key = subject, contrast or "image"
        taken[key] = taken.get(key, 0) + 1
        yield Record(
            subject=subject,
            name=key[1] if taken[key] == 1 else f"{key[1]}-{taken[key]}",
            open=partial(nifti.read, root / place),
            contrast=contrast,
            place=place,
        )


def _single(path: Path) -> Inventory:
    place = PurePosixPath(path.name)
    if not is_nifti(place):
        if "DICOM" in _why_not(path):
            raise InputRefused("input: is a DICOM file, expected NIfTI", hint=nifti.DICOM_HINT)
        raise InputRefused("input: is not a NIfTI image", hint="expected a name ending in .nii or .nii.gz")
    sidecar = path.with_name(stem(place) + ".json")
    cohort = Cohort(tuple(_plain_records(path.parent, [place])))
    sidecars = {place: (sidecar,)} if sidecar.is_file() else {}
    return Inventory(path.parent, "file", cohort, sidecars, (), ())


def _match(
    root: Path, images: list[PurePosixPath], sidecars: list[PurePosixPath]
) -> tuple[dict[PurePosixPath, tuple[Path, ...]], list[PurePosixPath]]:
    """BIDS inheritance: a sidecar speaks of images at or below it that carry its suffix and entities."""
    found: dict[PurePosixPath, tuple[Path, ...]] = {}
    used = set()
    by_folder: dict[PurePosixPath, list[PurePosixPath]] = {}
    for sidecar in sidecars:
        by_folder.setdefault(sidecar.parent, []).append(sidecar)
    for image in images:
        parts = stem(image).split("_")
        chain = []
        for folder in reversed(image.parents):  # from the root down
            own = [s for s in by_folder.get(folder, []) if _applies(s.stem.split("_"), parts)]
            chain += sorted(own, key=lambda s: len(s.stem.split("_")))
        if chain:
            found[image] = tuple(root / s for s in chain)
            used.update(chain)
    return found, [s for s in sidecars if s not in used]


def _applies(sidecar: list[str], image: list[str]) -> bool:
    return sidecar[-1] == image[-1] and set(sidecar[:-1]) <= set(image[:-1])


def _participants(
    root: Path, texts: list[PurePosixPath], skipped: list[Skipped]
) -> dict[str, dict[str, str]]:
    place = PurePosixPath("participants.tsv")
    if place not in texts:
        return {}
    try:
        rows = tables.read_tsv(root / place)
    except InputRefused as error:
        skipped.append(Skipped(place, error.message))
        return {}
    return {row["participant_id"]: row for row in rows if row.get("participant_id")}
