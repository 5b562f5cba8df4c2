"""Write a simulated cohort to disk, as a BIDS folder and a folder of photographs: what a user would bring."""

from __future__ import annotations

import json
from pathlib import Path

from medveil import __version__
from medveil.carry.talk import Talk
from medveil.core.cohort import Cohort, Record
from medveil.io import nifti, pictures
from medveil.io.aside import write_aside
from medveil.io.tables import write_tsv
from medveil.simulate.cohort import simulate_cohort

SCANS, PHOTOGRAPHS = "cohort", "photographs"


def write_cohort(folder: Path, *, people: int, seed: int, jobs: int, talk: Talk) -> None:
    """Simulate people and write FOLDER/cohort (BIDS) and FOLDER/photographs (one folder a person)."""
    from joblib import Parallel, delayed

    simulated = simulate_cohort(people, seed=seed)
    with talk.stage(f"simulating {people} people, who do not exist") as progress:
        results = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
            delayed(_write_person)(simulated.scans.of(s), simulated.photographs.of(s), folder)
            for s in simulated.scans.subjects
        )
        for done, _ in enumerate(results, start=1):
            progress(done, people)
    rows = [
        {"participant_id": s, **simulated.scans.participants.get(s, {})} for s in simulated.scans.subjects
    ]
    write_tsv(rows, folder / SCANS / "participants.tsv", ["participant_id", "age", "sex"])
    description = {
        "Name": "Simulated people",
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "medveil demo", "Version": __version__}],
    }
    with write_aside(folder / SCANS / "dataset_description.json") as file:
        file.write(json.dumps(description, indent=2).encode() + b"\n")


def _write_person(scans: Cohort, photographs: Cohort, folder: Path) -> None:
    for record in scans:
        nifti.write(record.open(), _path(folder / SCANS, record))
    for record in photographs:
        pictures.write_photograph(record.open(), _path(folder / PHOTOGRAPHS, record))


def _path(root: Path, record: Record) -> Path:
    assert record.place is not None  # noqa: S101 - every simulated record has one
    return root / record.place
