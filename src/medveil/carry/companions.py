"""What travels beside the images: sidecars, the participants table and the description, through their allowlists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from medveil import __version__
from medveil.carry.protecting import Protected
from medveil.core.errors import InputRefused
from medveil.io.aside import write_aside
from medveil.io.bids import Inventory, read_sidecar
from medveil.io.names import stem
from medveil.io.tables import write_tsv
from medveil.protect.header.sidecar import clean_description, clean_sidecar

DESCRIPTION = "dataset_description.json"


def write(inventory: Inventory, protected: Protected, folder: Path) -> None:
    """Write the companions of the released images into `folder`; what belongs to a refused image stays out."""
    for record in protected.cohort:
        original = protected.originals[record.place] if record.place else record
        chain = inventory.sidecars.get(original.place) if original.place else None
        if chain and record.place:
            kept, _ = clean_sidecar(facts_of(chain))
            _put(folder / record.place.with_name(stem(record.place) + ".json"), kept)
    rows = list(protected.cohort.participants.values())
    if rows:
        write_tsv(rows, folder / "participants.tsv", list(rows[0]))
    described = facts_of([inventory.root / DESCRIPTION])
    _put(folder / DESCRIPTION, clean_description(described, __version__))


def facts_of(chain: Sequence[Path]) -> dict[str, Any]:
    """What the sidecars of one image say together; nothing if one cannot be read: it does not leave then."""
    try:
        return read_sidecar(chain)
    except InputRefused:
        return {}


def _put(path: Path, data: dict[str, Any]) -> None:
    with write_aside(path, "sidecar") as file:
        file.write(json.dumps(data, indent=2).encode() + b"\n")
