"""Real BIDS folder: its table, and traces of its files against a copy that was cleaned by us."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medveil.attack.link.metadata import Metadata
from medveil.core.image import Image
from medveil.core.threat import Threat
from medveil.io import bids, nifti
from medveil.io.traces import with_traces
from medveil.measure.tables.assess import assess

pytestmark = pytest.mark.real
FOLDER = "bids/small_faces"


def test_a_table_of_four_singles_out_whoever_it_says_anything_of(real_data: Path) -> None:
    rows = list(bids.open_cohort(real_data / FOLDER).participants.values())
    risk = assess(rows)
    assert risk.estimates["sample_uniques"].value == 0.5
    assert risk.missing_cells == 4
    assert assess(rows, missing="any").estimates["k"].value == 3


def test_a_cleaned_and_cut_copy_is_linked_by_its_kept_voxels_and_a_run_of_the_same_person_is_not(
    tmp_path: Path, real_data: Path
) -> None:
    inventory = bids.inspect_folder(real_data / FOLDER)
    source = with_traces(inventory.cohort, inventory)
    for number, record in enumerate(inventory.cohort):
        image = record.open()
        data = image.data.copy()
        data[:, data.shape[1] // 2 :, : data.shape[2] // 2] = 0
        cut = Image(data, image.affine, slope=image.slope, intercept=image.intercept)
        nifti.write(cut, tmp_path / f"sub-{number:02d}" / "anat" / f"sub-{number:02d}_T1w.nii.gz")
    copy = bids.inspect_folder(tmp_path)
    claims = Metadata().run(
        with_traces(copy.cohort, copy), Threat(gallery=source), condition="release", observer=None
    )
    owner = [r.subject for r in inventory.cohort]
    people = list(source.subjects)
    score = claims.score.reshape(len(owner), len(people))
    mate = np.array([people.index(o) for o in owner])
    assert (score.argmax(axis=1) == mate).all()
    assert claims.notes["links_by_kept_voxels"] == len(owner)

    once = tuple(r for r in source if r.name != "ses-1_run-2_T1w")
    again = tuple(r for r in source if r.name == "ses-1_run-2_T1w")
    other = Metadata().run(
        type(source)(again), Threat(gallery=type(source)(once)), condition="rescan", observer=None
    )
    assert "kept_voxels" not in {k.removeprefix("links_by_") for k, v in other.notes.items() if v}
