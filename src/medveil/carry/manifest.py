"""The manifest: every file of a release with its hash, every image with what was measured and proved.

It holds no hash of a source and no name of one: either would link the release to what it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medveil import __version__
from medveil.core.release import Entry

FORMAT, VERSION, NAME = "medveil-manifest", 1, "manifest.json"


def manifest(files: Mapping[str, str], entries: Sequence[Entry]) -> dict[str, Any]:
    """The document, ready for JSON.

    Args:
        files: place below the release to SHA-256, of every file but the manifest itself.
        entries: one an image; those that were refused stay out of it (the report lists them).
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "medveil": __version__,
        "files": dict(sorted(files.items())),
        "images": [
            {
                "place": str(e.place),
                "changed_voxels": int(e.measured.get("changed_voxels", 0)),
                "measured": {k: v for k, v in e.measured.items() if k != "changed_voxels"},
                "proofs": dict(e.proofs),
            }
            for e in entries
            if e.state == "protected"
        ],
    }
