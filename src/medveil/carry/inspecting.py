"""What is in a folder, and what in it gives people away; reads headers and names, opens no voxel."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medveil.carry.companions import facts_of
from medveil.core.errors import InputRefused
from medveil.io import bids
from medveil.io.header import check_header
from medveil.protect.header.participants import dropped_columns
from medveil.protect.header.sidecar import clean_sidecar


@dataclass(frozen=True)
class Summary:
    """Counts for the terminal and for JSON; holds no label, no file name and no value."""

    layout: str
    subjects: int
    images: int
    contrasts: dict[str, int]
    unreadable: dict[str, int]
    header_fields: dict[str, int]
    sidecar_keys: dict[str, int]
    participant_columns_dropped: int
    skipped: dict[str, int]
    warnings: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        """What a person reads."""
        kinds = ", ".join(f"{n} {c}" for c, n in self.contrasts.items())
        out = [f"{self.subjects} subjects, {self.images} images ({kinds}), layout: {self.layout}"]
        out += [f"warning: {w}" for w in self.warnings]
        for title, counts in (
            ("header fields a release would drop", self.header_fields),
            ("sidecar keys a release would drop", self.sidecar_keys),
            ("images that cannot be read", self.unreadable),
            ("files that are left out", self.skipped),
        ):
            if counts:
                out.append(f"{title}:")
                out += [f"  {n:5} x {what}" for what, n in counts.items()]
        if self.participant_columns_dropped:
            out.append(
                f"columns of participants.tsv a release would drop: {self.participant_columns_dropped}"
            )
        return out


def inspect(folder: Path) -> Summary:
    """Look at a folder as `medveil release` would, and say what identifies people in it."""
    inventory = bids.inspect_folder(folder)
    header_fields: Counter[str] = Counter()
    sidecar_keys: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    for record in inventory.cohort:
        place = record.place
        if place is None:
            continue
        try:
            header_fields.update(check_header(inventory.root / place))
        except InputRefused as error:
            unreadable[error.message] += 1
        if place in inventory.sidecars:
            sidecar_keys.update(clean_sidecar(facts_of(inventory.sidecars[place]))[1])
    rows = list(inventory.cohort.participants.values())
    return Summary(
        layout=inventory.layout,
        subjects=len(inventory.cohort.subjects),
        images=len(inventory.cohort),
        contrasts=_counts(Counter(r.contrast or "unknown" for r in inventory.cohort)),
        unreadable=_counts(unreadable),
        header_fields=_counts(header_fields),
        sidecar_keys=_counts(sidecar_keys),
        participant_columns_dropped=dropped_columns(rows),
        skipped=_counts(Counter(s.reason for s in inventory.skipped)),
        warnings=_warnings(inventory, header_fields, sidecar_keys),
    )


def _warnings(
    inventory: bids.Inventory, header_fields: Counter[str], sidecar_keys: Counter[str]
) -> list[str]:
    said = [
        "images of heads show faces: treat them as photographs until `medveil release` has measured otherwise"
    ]
    if inventory.layout != "bids":
        said.append(
            "file and folder names may be names of people; a release renames them to sub-001, sub-002, ..."
        )
    if header_fields:
        said.append("some NIfTI headers hold more than geometry")
    if sidecar_keys:
        said.append("sidecars hold keys that are not on the list of acquisition facts")
    return said


def _counts(counter: Counter[str]) -> dict[str, int]:
    return dict(counter.most_common())
