"""What travels beside the images: sidecars, gradients, tables and the description, through their allowlists.

without a key   no date leaves, no scans.tsv and no sessions.tsv
with one        labels are its pseudonyms; days are moved, for each person by the same number as in DICOM files
DICOM           nothing: all that is known is in the files themselves

A .bidsignore names what a release holds beside a BIDS dataset, so that a validator does not call it an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from medveil import __version__
from medveil.carry.naming import OWN_NAMES, Naming, sessions_of
from medveil.carry.protecting import Protected
from medveil.core.cohort import Record
from medveil.core.errors import InputRefused
from medveil.io.aside import write_aside
from medveil.io.bids import Inventory, read_sidecar
from medveil.io.gradient_tables import gradients, read_table
from medveil.io.names import stem
from medveil.io.tables import read_tsv, write_tsv
from medveil.protect.header.gradients import clean_bval, clean_bvec
from medveil.protect.header.pseudonyms import Pseudonyms
from medveil.protect.header.sidecar import clean_description, clean_sidecar
from medveil.protect.header.visits import SCAN, SESSION, TIME, clean_visits

DESCRIPTION = "dataset_description.json"
BIDSIGNORE = ".bidsignore"
NOT_BIDS = ("report.html", "findings.json", "manifest.json", "recipe.toml", "*.mgh", "*.mgz", "*.nrrd")
_VOLUME, _VOLUMES = "volume_type", {"control", "label", "m0scan", "deltam", "cbf", "noRF", "n/a"}
_TASK = re.compile(r"_task-([A-Za-z0-9+]+)_")
_CLEAN = {".bval": clean_bval, ".bvec": clean_bvec}


def write(inventory: Inventory, protected: Protected, folder: Path, naming: Naming = OWN_NAMES) -> None:
    """Write the companions of the released images into `folder`; what belongs to a refused image stays out.

    Raises:
        InputRefused: the key cannot be read.
        OutputFailed: permissions, disk full.
    """
    if inventory.layout == "dicom":
        return
    pseudonyms = naming.pseudonyms()
    released = _released(protected)
    for place, (original, source) in released.items():
        days = pseudonyms.date_shift_days(original.subject) if pseudonyms else None
        _write_sidecar(inventory.sidecars.get(source, ()), folder / place, days)
        _write_gradients(gradients(inventory, source), folder / place)
        _write_volumes(inventory, source, folder / place)
    if pseudonyms:
        _write_scans(inventory, released, folder, pseudonyms)
        _write_sessions(inventory, released, folder, pseudonyms)
    rows = list(protected.cohort.participants.values())
    if pseudonyms:  # the order of the source would tell who is who
        rows.sort(key=lambda row: row["participant_id"])
    if rows:
        write_tsv(rows, folder / "participants.tsv", list(rows[0]))
    described = facts_of([inventory.root / DESCRIPTION])
    _put(folder / DESCRIPTION, clean_description(described, __version__))
    with write_aside(folder / BIDSIGNORE, "companion") as file:
        file.write("".join(f"{line}\n" for line in NOT_BIDS).encode())


def facts_of(chain: Sequence[Path]) -> dict[str, Any]:
    """What the sidecars of one image say together; nothing if one cannot be read: it does not leave then."""
    try:
        return read_sidecar(chain)
    except InputRefused:
        return {}


Released = Mapping[PurePosixPath, tuple[Record, PurePosixPath]]
"""Place in the release to the image's record in the source, and its place there."""


def _released(protected: Protected) -> Released:
    pairs = [(r.place, protected.originals[r.place]) for r in protected.cohort if r.place]
    return {place: (original, original.place) for place, original in pairs if original.place}


def _write_sidecar(chain: Sequence[Path], image: Path, days: int | None) -> None:
    if chain:
        said = facts_of(chain)
        kept, _ = clean_sidecar(said, days)
        if "TaskName" in said and (
            task := _TASK.search(image.name)
        ):  # BIDS asks for it; its own may be any text
            kept["TaskName"] = task[1]
        _put(_beside(image, ".json"), kept)


def _write_gradients(tables: Sequence[Path], image: Path) -> None:
    """A table that holds anything but gradients does not leave."""
    for path in tables:
        try:
            text = _CLEAN[path.suffix](read_table(path))
        except InputRefused:
            continue
        with write_aside(_beside(image, path.suffix), "table of gradients") as file:
            file.write(text.encode())


def _write_volumes(inventory: Inventory, source: PurePosixPath, image: Path) -> None:
    """What each volume of an ASL image is, in BIDS' terms; a table that holds any other does not leave."""
    table = source.with_name(stem(source) + "context.tsv")
    if source.name.endswith(("_asl.nii", "_asl.nii.gz")) and table in inventory.tables:
        try:
            rows = read_tsv(inventory.root / table)
        except InputRefused:
            return
        kinds = [row.get(_VOLUME, "") for row in rows]
        if set(kinds) <= _VOLUMES:
            write_tsv([{_VOLUME: kind} for kind in kinds], _beside(image, "context.tsv"), [_VOLUME])


def _write_scans(inventory: Inventory, released: Released, folder: Path, pseudonyms: Pseudonyms) -> None:
    """One table a visit, of the released images that the source lists, in the order of their places."""
    listed = {
        table.parent / row.get(SCAN, ""): row.get(TIME, "")
        for table, rows in _tables(inventory, "_scans.tsv")
        for row in rows
    }
    visits: dict[tuple[str, PurePosixPath], dict[str, str]] = {}
    for place, (original, source) in released.items():
        if source in listed:
            home = PurePosixPath(*place.parts[: 2 if original.session else 1])
            times = visits.setdefault((original.subject, home), {})
            times[str(place.relative_to(home))] = listed[source]
    for (subject, home), times in visits.items():
        rows = clean_visits(SCAN, times, pseudonyms.date_shift_days(subject))
        write_tsv(rows, folder / home / f"{'_'.join(home.parts)}_scans.tsv", (SCAN, TIME))


def _write_sessions(inventory: Inventory, released: Released, folder: Path, pseudonyms: Pseudonyms) -> None:
    """One table a person, of the sessions that the source lists and of which an image is released."""
    listed = {
        (table.parts[0], row.get(SESSION, "")): row.get(TIME, "")
        for table, rows in _tables(inventory, "_sessions.tsv")
        for row in rows
    }
    there = {(original.subject, original.session) for original, _ in released.values()}
    people: dict[str, dict[str, str]] = {}
    for (subject, session), label in sessions_of(inventory.cohort).items():
        if (subject, session) in there and (subject, session) in listed:
            people.setdefault(subject, {})[label] = listed[subject, session]
    for subject, times in people.items():
        name = pseudonyms.subject(subject)
        rows = clean_visits(SESSION, times, pseudonyms.date_shift_days(subject))
        write_tsv(rows, folder / name / f"{name}_sessions.tsv", (SESSION, TIME))


def _tables(inventory: Inventory, ending: str) -> Iterator[tuple[PurePosixPath, list[dict[str, str]]]]:
    """The tables of a kind with their rows; one that cannot be read does not leave."""
    for place in inventory.tables:
        if place.name.endswith(ending):
            try:
                yield place, read_tsv(inventory.root / place)
            except InputRefused:
                continue


def _beside(image: Path, suffix: str) -> Path:
    return image.with_name(stem(PurePosixPath(image.name)) + suffix)


def _put(path: Path, data: dict[str, Any]) -> None:
    with write_aside(path, "sidecar") as file:
        file.write(json.dumps(data, indent=2).encode() + b"\n")
