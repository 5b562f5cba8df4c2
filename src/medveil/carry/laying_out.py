"""Laying out: converted images go where BIDS puts them, the rest beside them, each with its reason.

    sub-4711/ses-1/anat/sub-4711_ses-1_T1w.nii.gz  .json      sub-4711/ses-1/sub-4711_ses-1_scans.tsv
    unsorted/sub-4711_ses-1_series-7.nii.gz  .json            unsorted/why.tsv

BIDS has no word for an image of unknown contrast, and a wrong one would be believed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from medveil.io.aside import write_aside
from medveil.io.tables import write_tsv

STILL = (
    "these images still show who their people are (IDs in names, faces, dates, hospitals): a source for `medveil release`, "
    "not a release"
)
UNSORTED = "unsorted"
_DATATYPE = {"CT": "ct", "pet": "pet", "bold": "func", "dwi": "dwi", "asl": "perf"}
_ENTITIES = {"bold": "_task-unknown"}  # BIDS asks for one, and no header says it
_DESCRIPTION = {
    "Name": "Converted from DICOM; still identifies people",
    "BIDSVersion": "1.9.0",
    "DatasetType": "raw",
    "GeneratedBy": [{"Name": "dcm2niix", "Description": "run by medveil convert"}],  # no release of medveil
}


@dataclass(frozen=True, repr=False)
class ConvertedImage:
    """A converted image, still aside.

    Args:
        stem: its path without suffix; files beside it have the same one.
        home: sub-<label>/ses-<n>.
        number: of the series.
        contrast: as BIDS calls it.
        reason: why it cannot be sorted in, or ''.
        acquired: ISO, or ''.
    """

    stem: Path
    home: PurePosixPath
    number: str
    contrast: str
    reason: str
    acquired: str

    @property
    def prefix(self) -> str:
        return "_".join(self.home.parts)

    @property
    def files(self) -> dict[str, Path]:
        """Suffix to file: the image, its sidecar, its gradients."""
        return {
            p.name.removeprefix(self.stem.name): p
            for p in sorted(self.stem.parent.glob(self.stem.name + ".*"))
        }

    def __repr__(self) -> str:
        return f"ConvertedImage({self.contrast or 'unknown'})"


def sort_in(images: Sequence[ConvertedImage], folder: Path) -> None:
    """Move images to their places, and list them with their times, one table a session."""
    total = Counter((image.home, image.contrast) for image in images)
    seen: Counter[tuple[PurePosixPath, str]] = Counter()
    tables: dict[PurePosixPath, list[dict[str, str]]] = {}
    for image in images:
        key = image.home, image.contrast
        seen[key] += 1
        run = f"_run-{seen[key]}" if total[key] > 1 else ""
        name = f"{image.prefix}{_ENTITIES.get(image.contrast, '')}{run}_{image.contrast}"
        place = image.home / _DATATYPE.get(image.contrast, "anat") / name
        suffix = _move(image, folder / place)
        row = {"filename": f"{place.relative_to(image.home)}{suffix}", "acq_time": image.acquired}
        tables.setdefault(image.home, []).append(row)
    for home, rows in tables.items():
        write_tsv(rows, folder / home / f"{'_'.join(home.parts)}_scans.tsv", ("filename", "acq_time"))


def leave_unsorted(
    images: Sequence[ConvertedImage], refused: Sequence[tuple[ConvertedImage, str]], folder: Path
) -> None:
    """Move images without a place of their own, and say why they and the refused series have none."""
    if not images and not refused:
        return
    seen: Counter[str] = Counter()
    rows = []
    for image in images:
        name = f"{image.prefix}_{image.number}"
        seen[name] += 1
        name += f"_part-{seen[name]}" if seen[name] > 1 else ""
        rows.append({"name": name + _move(image, folder / UNSORTED / name), "reason": image.reason})
    rows += [{"name": f"{series.prefix}_{series.number}", "reason": reason} for series, reason in refused]
    write_tsv(rows, folder / UNSORTED / "why.tsv", ("name", "reason"))


def _move(image: ConvertedImage, to: Path) -> str:
    """Move an image and what lies beside it; the suffix of the image."""
    to.parent.mkdir(parents=True, exist_ok=True)
    files = image.files
    for suffix, path in files.items():
        os.rename(path, to.with_name(to.name + suffix))
    return next(suffix for suffix in files if suffix in (".nii", ".nii.gz"))


def describe(people: Mapping[str, Mapping[str, str]], folder: Path) -> None:
    """Say who the people are, by their label, and what the folder is and is not."""
    rows = [{"participant_id": label, **person} for label, person in sorted(people.items())]
    write_tsv(rows, folder / "participants.tsv", ("participant_id", "sex", "age"))
    for name, text in (
        ("dataset_description.json", json.dumps(_DESCRIPTION, indent=2)),
        ("README", f"Converted from DICOM by `medveil convert`. Do not share: {STILL}."),
        (".bidsignore", f"{UNSORTED}/"),
    ):
        with write_aside(folder / name, "output") as file:
            file.write(f"{text}\n".encode())
