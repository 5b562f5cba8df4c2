"""The simulated cohort: built lazily, stable in its indices, labelled alike on both sides."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import PurePosixPath

import numpy as np
import pytest

from medveil.core.errors import UsageError
from medveil.simulate import cohort as module
from medveil.simulate.cohort import simulate_cohort
from medveil.simulate.scan import Scanner


def test_nothing_is_built_before_a_record_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(module, "scan", lambda *_a, **_k: opened.append("scan"))
    monkeypatch.setattr(module, "sit", lambda *_a, **_k: opened.append("photo"))
    simulated = simulate_cohort(200)
    assert len(simulated.scans) == 200
    assert len(simulated.photographs) == 600
    assert opened == []


def test_both_sides_name_the_same_people_and_say_that_they_are_simulated() -> None:
    simulated = simulate_cohort(3, photos=2)
    assert simulated.scans.simulated
    assert simulated.photographs.simulated
    assert simulated.scans.subjects == simulated.photographs.subjects == ("sub-001", "sub-002", "sub-003")


def test_records_have_names_and_places_as_bids_writes_them() -> None:
    simulated = simulate_cohort(1, photos=1)
    (scan,), (photo,) = simulated.scans.records, simulated.photographs.records
    assert (scan.name, scan.contrast, scan.session) == ("T1w", "T1w", "")
    assert scan.place == PurePosixPath("sub-001/anat/sub-001_T1w.nii.gz")
    assert (photo.name, photo.contrast) == ("photo-1", "photo")
    assert photo.place == PurePosixPath("sub-001/photo-1.jpg")


def test_visits_are_sessions() -> None:
    records = simulate_cohort(1, visits=2, scanner=Scanner(contrast="T2w")).scans.records
    assert [r.session for r in records] == ["ses-1", "ses-2"]
    assert records[1].place == PurePosixPath("sub-001/ses-2/anat/sub-001_ses-2_T2w.nii.gz")
    assert len({r.name for r in records}) == 2


def test_participants_have_whole_years_and_a_sex() -> None:
    simulated = simulate_cohort(30)
    rows = simulated.scans.participants
    assert set(rows) == set(simulated.scans.subjects)
    assert all(set(row) == {"age", "sex"} and row["sex"] in ("M", "F") for row in rows.values())
    assert all(18 <= int(row["age"]) <= 90 for row in rows.values())
    assert {row["sex"] for row in rows.values()} == {"M", "F"}


def test_a_person_does_not_depend_on_how_many_are_asked_for() -> None:
    few = simulate_cohort(2, first=5, seed=3, photos=1)
    many = simulate_cohort(9, seed=3, photos=1)
    assert few.scans.subjects == ("sub-006", "sub-007")
    assert few.scans.participants["sub-007"] == many.scans.participants["sub-007"]
    one, other = few.photographs.records[1].open(), many.photographs.of("sub-007").records[0].open()
    assert np.array_equal(one.data, other.data)
    assert one.kind == "photo"
    assert 200 <= one.data.shape[0] <= 300  # large enough to find a face in


def test_opening_twice_gives_the_same_bytes_and_another_seed_other_people() -> None:
    coarse = Scanner(spacing_mm=4.0)
    record = simulate_cohort(1, photos=0, scanner=coarse).scans.records[0]
    one, two = record.open(), record.open()
    assert one.data.dtype == np.int16
    assert np.array_equal(one.data, two.data)
    other = simulate_cohort(1, photos=0, scanner=coarse, seed=1).scans.records[0].open()
    assert not np.array_equal(one.data, other.data)


def test_records_can_be_sent_to_another_process() -> None:
    record = simulate_cohort(1).photographs.records[2]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        copy = pool.submit(replace, record).result()
    assert copy.name == record.name
    assert copy.open == record.open


def test_nothing_printed_names_anybody() -> None:
    simulated = simulate_cohort(2)
    assert "sub-" not in repr(simulated)
    assert "1 subjects" not in repr(simulated.scans)


@pytest.mark.parametrize("wrong", [{"people": 0}, {"first": -1}, {"photos": -1}, {"visits": -1}])
def test_a_cohort_of_nobody_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="simulate"):
        simulate_cohort(**{"people": 2, **wrong})  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_recogniser_finds_one_persons_photographs_nearer_than_two_peoples() -> None:
    pytest.importorskip("dlib", reason="the face recogniser is not installed")
    from medveil.attack.reidentify.observe import Photograph

    people = 4
    records = simulate_cohort(people, photos=2, seed=11).photographs
    seen = np.stack([Photograph()(r.open()).embedding[0] for r in records])  # (people * 2, 128)
    apart = np.linalg.norm(seen[:, None] - seen[None], axis=2).reshape(people, 2, people, 2)
    same = np.array([apart[i, 0, i, 1] for i in range(people)])
    other = np.array([apart[i, :, j].min() for i in range(people) for j in range(people) if i != j])
    assert same.max() < other.min()
