"""Build simulated images once and keep them on disk, so that a benchmark can be stopped and taken up again."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from medveil.core.cohort import Cohort, Record
from medveil.core.image import Image


def stored(cohort: Cohort, folder: Path, jobs: int) -> Cohort:
    """The cohort with every image built and kept under `folder`, which must serve one cohort only."""
    folder.mkdir(parents=True, exist_ok=True)
    records = Parallel(n_jobs=jobs, batch_size=1)(delayed(keep)(r, folder) for r in cohort)
    return Cohort(tuple(records), cohort.participants, cohort.simulated)


def keep(record: Record, folder: Path) -> Record:
    """One image, built if it is not there yet, and read from disk from then on."""
    path = folder / f"{record.subject}-{record.name}.npz"
    if not path.exists():
        image = record.open()
        aside = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
        np.savez_compressed(aside, data=image.data, affine=image.affine, kind=image.kind)
        aside.rename(path)
    return replace(record, open=partial(load, path))


def load(path: Path) -> Image:
    with np.load(path) as file:
        return Image(file["data"], file["affine"], kind=str(file["kind"]))  # type: ignore[arg-type]
