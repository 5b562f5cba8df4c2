"""Check a release from the outside: its files against its manifest, its images against their source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from medveil.carry.manifest import FORMAT, NAME, VERSION
from medveil.core.errors import InputRefused, VerificationFailed
from medveil.io import bids, header, nifti
from medveil.io.folder import MARKER, sha256
from medveil.io.names import is_nifti
from medveil.protect.verify import changed_voxels


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was wrong; places are those of the release."""

    files: int
    images: int
    against_source: bool
    problems: list[str]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        source = (
            "and against their source"
            if self.against_source
            else "(give --source to compare with the originals)"
        )
        out = [f"{self.files} files checked against the manifest, {self.images} images re-read {source}"]
        out += [f"problem: {p}" for p in self.problems]
        out.append("no problem found" if not self.problems else f"{len(self.problems)} problems found")
        return out


def verify(release: Path, source: Path | None = None) -> Checked:
    """Re-check a release.

    Without `source`: every file is listed with its hash, none is missing, none was added; every image has its
    row, no row tells of a proof that failed, every NIfTI header holds what is declared and nothing else. With
    it: as many voxels differ from the source as the manifest says, and they hold as many different numbers.

    Raises:
        VerificationFailed: the folder holds no readable manifest.
        InputRefused: the source cannot be read.
    """
    manifest = _manifest(release)
    problems: list[str] = []
    listed: dict[str, str] = manifest["files"]
    present = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file() or p.is_symlink()}
    problems += [f"{place}: is missing" for place in sorted(set(listed) - present)]
    problems += [
        f"{place}: is not in the manifest" for place in sorted(present - set(listed) - {NAME, MARKER})
    ]
    for place in sorted(set(listed) & present):
        if (release / place).is_symlink() or sha256(release / place) != listed[place]:
            problems.append(f"{place}: has changed since it was released")
    rows = {row["place"]: row for row in manifest["images"]}
    images = {place for place in listed if is_nifti(PurePosixPath(place))}
    problems += [f"{place}: nothing says how it was protected" for place in sorted(images - set(rows))]
    originals = _originals(source) if source else {}
    for place, row in rows.items():
        if listed.get(place) != row["sha256"]:
            problems.append(f"{place}: the manifest gives it two hashes")
        problems += [f"{place}: a proof failed: {name}" for name, held in row["proofs"].items() if not held]
        if place in present:
            problems += [f"{place}: {p}" for p in _image(release / place, originals.get(place), row, source)]
    return Checked(len(listed), len(rows), source is not None, problems)


def _image(path: Path, original: Path | None, row: dict[str, Any], source: Path | None) -> list[str]:
    try:
        found = [f"header: {p}" for p in header.check_header(path, original)]
        if source is None:
            return found
        if original is None:
            return [*found, "has no original in the source"]
        before, after = nifti.read(original), nifti.read(path)
    except InputRefused as error:
        return [error.message]
    changed = changed_voxels(before, after)
    if changed is None:
        return [*found, "grid, type or scaling differ from the source"]
    if int(changed.sum()) != row["changed_voxels"]:
        found.append("another number of voxels differs from the source than the manifest says")
    if np.unique(after.data[changed]).size != row["changed_to_values"]:
        found.append("voxels were changed to other numbers than the manifest says")
    return found


def _originals(source: Path) -> dict[str, Path]:
    """Place in the release to file in the source, as `medveil release` would name them."""
    inventory = bids.inspect_folder(source)
    places = bids.release_places(inventory.cohort)
    return {
        str(place): inventory.root / (record.place or PurePosixPath())
        for record, place in zip(inventory.cohort, places, strict=True)
    }


def _manifest(release: Path) -> dict[str, Any]:
    hint = "a folder that `medveil release` wrote has one"
    try:
        data: dict[str, Any] = json.loads((release / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise VerificationFailed(f"release: holds no readable {NAME}", hint=hint) from None
    if not (isinstance(data, dict) and data.get("format") == FORMAT and data.get("version") == VERSION):
        raise VerificationFailed(f"{NAME}: expected a {FORMAT} document, version {VERSION}", hint=hint)
    if not _is_whole(data):
        raise VerificationFailed(f"{NAME}: a field is missing, or is not what it should be", hint=hint)
    return data


def _is_whole(data: dict[str, Any]) -> bool:
    """Whether all that is looked at is there, of the right type."""
    files, images = data.get("files"), data.get("images")
    if not (isinstance(files, dict) and isinstance(images, list)):
        return False
    types = {"place": str, "sha256": str, "proofs": dict, "changed_voxels": int, "changed_to_values": int}
    return all(
        isinstance(row, dict) and all(isinstance(row.get(key), kind) for key, kind in types.items())
        for row in images
    )
