"""The manifest: every file of a release with its hash, every image with what was measured and proved.

    {"format": "medveil-manifest", "version": 3, "medveil": ..., "key": label or "", "stage": 1,
     "versions": {package: version},  "steps": [{"use": "deface.erase", setting: value, ...}],
     "files": {place: sha256},
     "images": [{"place", "files": [names], "sha256", "proofs": {name: true}, "affine_to_mni": 4 rows or null,
                 "changed_voxels", "changed_to_values", "measured": {name: number}}]}

What is proved of every image, and where it stands (docs/reference/manifest.md):

    G1  protected voxels unchanged      G4  named parts covered
    G2  kept voxels identical           G5  sha256, versions, steps, affine_to_mni: made again, the same bytes
    G3  header as declared              G6  face_detected_*, descriptor_distance, skin_moved_mm in `measured`

It holds no hash of a source and no name of one: either would link the release to what it was made from. Those
are in the internal folder, in `crosswalk.tsv`. Images are sorted by place: the order of the source would say, where a
key gave new names, who is who.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medveil import __version__
from medveil.core.release import Entry, Step, settings

FORMAT, VERSION, NAME = "medveil-manifest", 3, "manifest.json"
COUNTS = ("changed_voxels", "changed_to_values")  # whole numbers that `medveil verify` counts again


def manifest(
    files: Mapping[str, str],
    entries: Sequence[Entry],
    steps: Sequence[Step],
    versions: Mapping[str, str],
    *,
    key: str = "",
    stage: int = 1,
) -> dict[str, Any]:
    """The document, ready for JSON.

    Args:
        files: place below the release to SHA-256, of every file but the manifest itself.
        entries: one an image; those that were refused stay out of it (the report lists them).
        steps: what was done to every image, in this order.
        versions: package to version, of all that can change a number.
        key: label of the key that gave the names; empty if labels stayed.
        stage: of it.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "medveil": __version__,
        "key": key,
        "stage": stage,
        "versions": dict(versions),
        "steps": [{"use": step.name, **settings(step)} for step in steps],
        "files": dict(sorted(files.items())),
        "images": [_row(e) for e in sorted(entries, key=lambda e: str(e.place)) if e.state == "protected"],
    }


def _row(entry: Entry) -> dict[str, Any]:
    affine = entry.affine_to_mni
    return {
        "place": str(entry.place),
        "files": list(entry.files),
        "sha256": entry.sha256,
        "proofs": dict(entry.proofs),
        "affine_to_mni": None if affine is None else [list(row) for row in affine],
        **{key: int(entry.measured.get(key, 0)) for key in COUNTS},
        "measured": {k: v for k, v in entry.measured.items() if k not in COUNTS},
    }
