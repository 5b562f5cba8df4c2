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
from medveil.simulate.basis.model import FaceBasis
from medveil.simulate.cohort import simulate_cohort

SCANS, PHOTOGRAPHS, RESCANS = "cohort", "photographs", "rescans"


def write_cohort(
    folder: Path, *, people: int, seed: int, jobs: int, talk: Talk, face_basis: FaceBasis | None = None
) -> None:
    """Simulate people and write FOLDER/cohort (BIDS), and what an attacker may hold of them.

    That is FOLDER/photographs (one folder a person) and FOLDER/rescans (BIDS; another visit).
    """
    from joblib import Parallel, delayed

    here = simulate_cohort(people, seed=seed, face_basis=face_basis)
    again = simulate_cohort(people, seed=seed, visits=2, face_basis=face_basis)
    elsewhere = Cohort(tuple(r for r in again.scans if r.session == "ses-2"), again.scans.participants)
    with talk.stage(f"simulating {people} people, who do not exist") as progress:
        results = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(
            delayed(_write_person)(here.scans.of(s), elsewhere.of(s), here.photographs.of(s), folder)
            for s in here.scans.subjects
        )
        for done, _ in enumerate(results, start=1):
            progress(done, people)
    for place, cohort in ((SCANS, here.scans), (RESCANS, elsewhere)):
        rows = [{"participant_id": s, **cohort.participants.get(s, {})} for s in cohort.subjects]
        write_tsv(rows, folder / place / "participants.tsv", ["participant_id", "age", "sex"])
        with write_aside(folder / place / "dataset_description.json") as file:
            file.write(json.dumps(DESCRIPTION, indent=2).encode() + b"\n")


DESCRIPTION = {
    "Name": "Simulated people",
    "BIDSVersion": "1.10.0",
    "DatasetType": "raw",
    "GeneratedBy": [{"Name": "medveil demo", "Version": __version__}],
}


def _write_person(scans: Cohort, rescans: Cohort, photographs: Cohort, folder: Path) -> None:
    for place, cohort in ((SCANS, scans), (RESCANS, rescans)):
        for record in cohort:
            nifti.write(record.open(), _path(folder / place, record))
    for record in photographs:
        pictures.write_photograph(record.open(), _path(folder / PHOTOGRAPHS, record))


def _path(root: Path, record: Record) -> Path:
    assert record.place is not None  # noqa: S101 - every simulated record has one
    return root / record.place
