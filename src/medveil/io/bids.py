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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from medveil.core.cohort import Cohort, Record
from medveil.core.errors import InputRefused
from medveil.io import formats, nifti, tables
from medveil.io.gradient_tables import SUFFIXES as GRADIENTS
from medveil.io.gradient_tables import nearest_tables
from medveil.io.inheritance import inherited
from medveil.io.names import (
    BidsName,
    bids_name,
    is_image,
    is_nifti,
    placed_name,
    plain_contrast,
    plain_subject,
    release_place,
    release_places,
    stem,
)
from medveil.io.walk import Skipped, walk

if TYPE_CHECKING:
    from medveil.io.dicom.series import Series

__all__ = [
    "Inventory",
    "Skipped",
    "inspect_folder",
    "open_cohort",
    "read_sidecar",
    "release_place",
    "release_places",
]


@dataclass(frozen=True, repr=False)
class Inventory:
    """All that is in a folder.

    Args:
        root: the folder; for a single file, the folder it lies in.
        layout: 'bids', 'plain' or 'file' for NIfTI; 'dicom'.
        cohort: the images, lazily opened.
        sidecars: place of an image to the JSON files that speak of it, the most general first.
        tables: places of the .tsv files.
        skipped: everything else, with reasons.
        gradients: place of an image to the places of its nearest .bval and .bvec, in this order.
        series: of DICOM, place of an image (its first file's) to the files it is made of.
    """

    root: Path
    layout: str
    cohort: Cohort
    sidecars: Mapping[PurePosixPath, tuple[Path, ...]]
    tables: tuple[PurePosixPath, ...]
    skipped: tuple[Skipped, ...]
    gradients: Mapping[PurePosixPath, tuple[PurePosixPath, ...]] = field(default_factory=dict)
    series: Mapping[PurePosixPath, Series] = field(default_factory=dict)

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
        raise InputRefused("input: is not there", hint="give a folder of images, or one image")
    skipped: list[Skipped] = []
    places = list(walk(folder, skipped))
    bids = any(_is_description(p) or isinstance(bids_name(p), BidsName) for p in places)
    images: list[PurePosixPath] = []
    sidecars: list[PurePosixPath] = []
    texts: list[PurePosixPath] = []
    directions: list[PurePosixPath] = []
    taken = is_nifti if bids and not _is_release(folder) else is_image  # BIDS knows no format but NIfTI
    for place in places:
        if taken(place):
            name = placed_name(place)
            if bids and isinstance(name, str):
                skipped.append(Skipped(place, name))
            else:
                images.append(place)
        elif place.suffix in (".json", ".tsv"):
            (sidecars if place.suffix == ".json" else texts).append(place)
        elif place.suffix in GRADIENTS:
            directions.append(place)
        else:
            skipped.append(Skipped(place, _why_not(folder / place)))
    if not images:
        raise _nothing_here(skipped)
    records = _bids_records(folder, images) if bids else _plain_records(folder, images)
    matched, gradients = inherited(images, sidecars), nearest_tables(images, directions)
    speaking = {place for chain in (*matched.values(), *gradients.values()) for place in chain}
    skipped += [
        Skipped(p, "speaks of no image here")
        for p in (*sidecars, *directions)
        if p not in speaking and not _is_description(p)
    ]
    participants = _participants(folder, texts, skipped)
    return Inventory(
        root=folder,
        layout="bids" if bids else "plain",
        cohort=Cohort(tuple(records), participants),
        sidecars={image: tuple(folder / place for place in chain) for image, chain in matched.items()},
        tables=tuple(texts),
        skipped=tuple(sorted(skipped, key=lambda s: str(s.place))),
        gradients=gradients,
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


def _is_description(place: PurePosixPath) -> bool:
    return str(place) in ("dataset_description.json", "participants.json")


def _is_release(folder: Path) -> bool:
    """Whether medveil wrote it, in which case other formats lie where BIDS puts NIfTI."""
    try:
        made = read_sidecar([folder / "dataset_description.json"]).get("GeneratedBy")
    except InputRefused:
        return False
    return isinstance(made, list) and any(isinstance(m, dict) and m.get("Name") == "medveil" for m in made)


def _why_not(path: Path) -> str:
    """Why a file that is not named as an image is not taken; of one that BIDS does not take, why not."""
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind in ("mgz", "mgh", "hdr", "img", "mnc", "nrrd", "nhdr"):
        return f"a .{kind} file; convert it to .nii.gz first"
    try:
        with open(path, "rb") as file:
            dicom = kind in ("dcm", "ima") or nifti.looks_like_dicom(file.read(140))
    except OSError:
        return "permission to read it is missing"
    return "a DICOM file; release it from a folder of its own" if dicom else "no image, not part of a release"


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
        "input: holds no NIfTI image",
        hint=f"expected .nii, .nii.gz, .mgh, .mgz or .nrrd files, found {len(skipped)} others",
    )


def _bids_records(root: Path, images: list[PurePosixPath]) -> Iterator[Record]:
    for place in sorted(images, key=lambda p: (p.parts[0], str(p))):
        name = placed_name(place)
        if isinstance(name, BidsName):
            yield Record(
                subject=name.subject,
                name="_".join(part for part in (name.entities, name.suffix) if part),
                open=partial(formats.read, root / place),
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
            open=partial(formats.read, root / place),
            contrast=contrast,
            place=place,
        )


def _single(path: Path) -> Inventory:
    place = PurePosixPath(path.name)
    if not is_image(place):
        if "DICOM" in _why_not(path):
            raise InputRefused("input: is a DICOM file, expected NIfTI", hint=nifti.DICOM_HINT)
        raise InputRefused("input: is not a NIfTI image", hint="expected .nii, .nii.gz, .mgh, .mgz or .nrrd")
    sidecar = path.with_name(stem(place) + ".json")
    cohort = Cohort(tuple(_plain_records(path.parent, [place])))
    sidecars = {place: (sidecar,)} if sidecar.is_file() else {}
    tables = (place.with_name(stem(place) + suffix) for suffix in GRADIENTS)
    found = tuple(table for table in tables if (path.parent / table).is_file())
    return Inventory(path.parent, "file", cohort, sidecars, (), (), {place: found} if found else {})


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
