"""The key file of a planted set: every marker with its spellings, every file with what a score needs to know of it.

    {"format": "medveil-canaries", "version": 1, "markers": [...], "files": [...]}

Spellings stand there in hexadecimal, so that other programs can search for them.
"""

from __future__ import annotations

from typing import Any

from medveil.core.errors import InputRefused
from medveil.io.dicom_facts import Facts
from medveil.measure.leak.marker import FORMAT, VERSION, Marker
from medveil.measure.leak.planted import Planted, PlantedFile

HINT = "name the canaries.json that `medveil canary make` wrote"


def key_from_json(data: Any) -> tuple[list[Marker], list[PlantedFile]]:
    """Markers and files (without their content) of a key.

    Raises:
        InputRefused: it is no such key, or holds no marker.
    """
    if not isinstance(data, dict) or (data.get("format"), data.get("version")) != (FORMAT, VERSION):
        raise InputRefused(f"key: expected a {FORMAT} document, version {VERSION}", hint=HINT)
    try:
        markers = [Marker.from_json(row) for row in data["markers"]]
        files = [
            PlantedFile(
                str(row["place"]), b"", bool(row["expected"]),
                Facts({str(k): str(v) for k, v in row["facts"]["values"].items()}, str(row["facts"]["digest"]))
                if row["facts"] else None,
                tuple(int(n) for n in row["shape"]),
            )
            for row in data["files"]
        ]  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputRefused("key: a field is missing, or is not what it should be", hint=HINT) from None
    if not markers:
        raise InputRefused("key: holds no marker", hint=HINT)
    return markers, files


def key_to_json(planted: Planted) -> dict[str, Any]:
    """The key of a planted set."""
    files = [
        {
            "place": f.place, "expected": f.expected, "shape": list(f.shape),
            "facts": {"values": f.facts.values, "digest": f.facts.digest} if f.facts else None,
        }
        for f in planted.files
    ]  # fmt: skip
    return {
        "format": FORMAT,
        "version": VERSION,
        "markers": [m.to_json() for m in planted.markers],
        "files": files,
    }
