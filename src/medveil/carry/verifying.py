"""Check a release from the outside: its files against its manifest, its images against their source."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from medveil.carry.leftover import leftover
from medveil.carry.manifest import FORMAT, NAME, VERSION
from medveil.carry.naming import Naming, places_of
from medveil.core.cohort import Record
from medveil.core.errors import InputRefused, UsageError, VerificationFailed
from medveil.core.image import Image
from medveil.io import formats
from medveil.io.bids import Inventory
from medveil.io.dicom.volume import read_series, stored
from medveil.io.folder import MARKER, sha256
from medveil.io.folders import inspect_folder
from medveil.io.keys import KeySource, read_key
from medveil.io.names import is_image
from medveil.protect.header.dicom.marks import BASIC, FACES, PIXELS
from medveil.protect.verify import changed_voxels

NEEDS_KEY = "names came from a key: give it with --key to compare images with their originals"


@dataclass(frozen=True)
class Checked:
    """What was looked at, and what was wrong; places are those of the release.

    Args:
        files, images: how many the manifest lists.
        against_source: whether every byte was searched for what the source says about people.
        problems: one line each, without a value of the source.
        paired: whether images were compared with their originals.
        searched: how many identifiers of the source were looked for.
        remarks: what could not be checked, and what to give so that it can.
    """

    files: int
    images: int
    against_source: bool
    problems: list[str]
    paired: bool = False
    searched: int = 0
    remarks: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        source = "(give --source to compare with the originals)"
        if self.against_source:
            source = "and against their source" if self.paired else "(without their originals)"
        out = [f"{self.files} files checked against the manifest, {self.images} images re-read {source}"]
        if self.against_source:
            out.append(f"every byte searched for {self.searched} identifiers of the source")
        out += [f"note: {r}" for r in self.remarks]
        out += [f"problem: {p}" for p in self.problems]
        out.append("no problem found" if not self.problems else f"{len(self.problems)} problems found")
        return out


def verify(release: Path, source: Path | None = None, key: Path | None = None) -> Checked:
    """Re-check a release.

    Without `source`: every file is listed with its hash, none is missing, none was added; every image has its
    row, no row tells of a proof that failed, every header holds what is declared and nothing else, every DICOM
    file is marked as what the manifest proves. With it: as many voxels differ from the source as the manifest says,
    they hold as many different numbers, and no byte of the release holds what names the source's people.

    Args:
        release: the folder that medveil wrote.
        source: the folder it was made from.
        key: the key of the release, if it was made by one; only it tells which original is whose.

    Raises:
        VerificationFailed: the folder holds no readable manifest.
        InputRefused: the source or the key cannot be read.
        UsageError: the key is another than the release's, or none gave its names.
    """
    manifest = _manifest(release)
    rows: dict[str, dict[str, Any]] = {row["place"]: row for row in manifest["images"]}
    keyed = bool(manifest["key"]) or any(row["files"] for row in rows.values())
    if key and not keyed:
        raise UsageError("--key: no key gave the names of this release", hint="leave it out")
    naming = _naming(release, key, manifest) if keyed else Naming()
    problems = _files(release, manifest["files"], rows)
    inventory = inspect_folder(source) if source else None
    paired = inventory is not None and (not keyed or naming.key is not None)
    originals = _originals(inventory, naming) if inventory and paired else {}
    for place, row in rows.items():
        problems += [f"{place}: a proof failed: {name}" for name, held in row["proofs"].items() if not held]
        try:
            found = _image(release, row, originals.get(place), inventory if paired else None)
        except InputRefused as error:
            found = [error.message]
        problems += [f"{place}: {p}" for p in found]
    searched = 0
    if inventory:
        left = leftover(release, inventory, manifest["steps"], naming, keyed=keyed)
        problems, searched = problems + left.problems, left.searched
    return Checked(
        files=len(manifest["files"]),
        images=len(rows),
        against_source=source is not None,
        problems=problems,
        paired=paired,
        searched=searched,
        remarks=[NEEDS_KEY] if inventory and not paired else [],
    )


def _files(release: Path, listed: dict[str, str], rows: dict[str, dict[str, Any]]) -> list[str]:
    """What is wrong with the files, and with which image they belong to."""
    present = {p.relative_to(release).as_posix() for p in release.rglob("*") if p.is_file() or p.is_symlink()}
    problems = [f"{place}: is missing" for place in sorted(set(listed) - present)]
    problems += [
        f"{place}: is not in the manifest" for place in sorted(present - set(listed) - {NAME, MARKER})
    ]
    for place in sorted(set(listed) & present):
        if (release / place).is_symlink() or sha256(release / place) != listed[place]:
            problems.append(f"{place}: has changed since it was released")
    images = {place for place in listed if is_image(PurePosixPath(place)) or place.endswith(".dcm")}
    told = {place for row in rows.values() for place in _places(row)}
    problems += [f"{place}: nothing says how it was protected" for place in sorted(images - told)]
    for place, row in rows.items():
        hashes = [listed.get(one, "") for one in _places(row)]
        whole = hashlib.sha256("".join(hashes).encode()).hexdigest() if row["files"] else hashes[0]
        if whole != row["sha256"]:
            problems.append(f"{place}: the manifest gives it two hashes")
    return problems


def _places(row: dict[str, Any]) -> list[str]:
    """Where the files of an image lie in the release."""
    return [f"{row['place']}/{name}" for name in row["files"]] or [row["place"]]


def _image(
    release: Path, row: dict[str, Any], record: Record | None, inventory: Inventory | None
) -> list[str]:
    """What is wrong with one image; its files that are missing were told of before.

    Raises:
        InputRefused: it, or its original, cannot be read.
    """
    paths = [release / place for place in _places(row)]
    if not all(path.is_file() for path in paths):
        return []
    original = (
        None if inventory is None or record is None or not record.place else inventory.root / record.place
    )
    if row["files"]:
        found = [f"{path.name}: {p}" for path in paths for p in _marks(path, row)]
    else:
        found = [f"header: {p}" for p in formats.check(paths[0], original)]
    if inventory is None:
        return found
    if record is None or not record.place:
        return [*found, "has no original in the source"]
    if not row["files"]:
        return found + _differences(formats.read(inventory.root / record.place), formats.read(paths[0]), row)
    if "changed_share" not in row["measured"]:  # no step looked at it as a volume
        return found + _frames(inventory.series[record.place].paths, paths, row)
    return found + _differences(record.open(), read_series(paths), row)


def _differences(before: Image, after: Image, row: dict[str, Any]) -> list[str]:
    """Where two images differ in another way than the manifest says."""
    changed = changed_voxels(before, after)
    if changed is None:
        return ["grid, type or scaling differ from the source"]
    found = []
    if int(changed.sum()) != row["changed_voxels"]:
        found.append("another number of voxels differs from the source than the manifest says")
    if np.unique(after.data[changed]).size != row["changed_to_values"]:
        found.append("voxels were changed to other numbers than the manifest says")
    return found


def _frames(before: Sequence[Path], after: Sequence[Path], row: dict[str, Any]) -> list[str]:
    """The same for files that no step looked at as a volume: all that may differ is text that was blanked."""
    if len(before) != len(after):
        return ["has another number of files than its original"]
    if row["measured"].get("text_boxes"):
        return []
    same = all(
        np.array_equal(stored(_dataset(a)), stored(_dataset(b))) for a, b in zip(before, after, strict=True)
    )
    return [] if same else ["pixels differ from the source, and the manifest does not say so"]


def _marks(path: Path, row: dict[str, Any]) -> list[str]:
    """What is wrong with the marks of a DICOM file (PS3.15 E.2), and whose it says it is."""
    header = _dataset(path, pixels=False)
    codes = {
        str(item.get("CodeValue", "")) for item in header.get("DeidentificationMethodCodeSequence") or ()
    }
    no_face = header.get("RecognizableVisualFeatures") == "NO"
    # A face is gone if its parts were proved covered and no detector fires any more.
    proved = row["proofs"].get("named parts covered") and not row["measured"].get("face_detected_after")
    wrong = {
        "is not marked as de-identified": header.get("PatientIdentityRemoved") != "YES" or BASIC[0] not in codes,
        "is marked as having no face, and the manifest does not prove it": no_face and not proved,
        "its marks disagree about the face": no_face != (FACES[0] in codes),
        "its marks disagree about text in the pixels": (header.get("BurnedInAnnotation") == "NO") != (PIXELS[0] in codes),
        "names another subject than its folder": str(header.get("PatientID", "")) != row["place"].split("/")[0],
    }  # fmt: skip
    return [what for what, is_so in wrong.items() if is_so]


def _dataset(path: Path, *, pixels: bool = True) -> Any:
    from pydicom import dcmread

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's warnings show values
        try:
            return dcmread(path, stop_before_pixels=not pixels)
        except Exception:  # noqa: BLE001 - whatever a broken file does to the parser
            raise InputRefused("series: a file cannot be parsed as DICOM") from None


def _originals(inventory: Inventory, naming: Naming) -> dict[str, Record]:
    """Place in the release to record of the source, as `medveil release` would name them."""
    places = places_of(inventory, naming)
    return {str(place): record for record, place in zip(inventory.cohort, places, strict=True)}


def _naming(release: Path, key: Path | None, manifest: dict[str, Any]) -> Naming:
    """The naming of a release that was made by a key; without the key, one that names nobody."""
    if key is None:
        return Naming(stage=manifest["stage"])
    label = read_key(key, outside=release).label
    if manifest["key"] and label != manifest["key"]:
        raise UsageError(f"key: is {label}, and the release was made by {manifest['key']}")
    return Naming(KeySource(key.absolute(), label), manifest["stage"])


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
    top = {"key": str, "stage": int, "steps": list, "files": dict, "images": list}
    if not all(isinstance(data.get(name), kind) for name, kind in top.items()):
        return False
    types = {
        "place": str, "sha256": str, "files": list, "proofs": dict, "measured": dict,
        "changed_voxels": int, "changed_to_values": int,
    }  # fmt: skip
    steps = all(isinstance(step, dict) for step in data["steps"])
    return steps and all(
        isinstance(row, dict) and all(isinstance(row.get(key), kind) for key, kind in types.items())
        for row in data["images"]
    )
