"""Days that a key has moved onto other days of the source raise no alarm; days that nobody moved do."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from medveil.carry.leftover import leftover
from medveil.carry.naming import Naming
from medveil.core.image import Image
from medveil.core.secrets import Key
from medveil.io import nifti
from medveil.io.folders import inspect_folder
from medveil.protect.header.pseudonyms import Pseudonyms

PEOPLE = ("sub-QXALPHA", "sub-QXBRAVO")


class _Keyed(Naming):
    """A naming whose key is in memory."""

    def pseudonyms(self) -> Pseudonyms | None:
        return Pseudonyms(Key(bytes(range(32))))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Each person has a visit, and one more on the day onto which the other's visit, or the own one, moves."""
    names = Pseudonyms(Key(bytes(range(32))))
    first = date(2019, 4, 11)
    for person, other in (PEOPLE, PEOPLE[::-1]):
        folder = tmp_path / "in" / person
        nifti.write(Image(np.zeros((4, 4, 4), np.int16), np.eye(4)), folder / "anat" / f"{person}_T1w.nii.gz")
        days = [first, *(first + timedelta(names.date_shift_days(p)) for p in (person, other))]
        rows = "".join(f"anat/x{n}.nii.gz\t{day}T10:00:00\n" for n, day in enumerate(days))
        (folder / f"{person}_scans.tsv").write_text("filename\tacq_time\n" + rows)
    return tmp_path / "in"


def _release(source: Path, tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    """What a release by the key says: all days moved."""
    names, out = Pseudonyms(Key(bytes(range(32)))), {}
    for person in PEOPLE:
        folder = tmp_path / "out" / names.subject(person)
        folder.mkdir(parents=True)
        lines = (source / person / f"{person}_scans.tsv").read_text().splitlines()[1:]
        days = [date.fromisoformat(line.split("\t")[1][:10]) for line in lines]
        moved = [f"{day + timedelta(names.date_shift_days(person))}T10:00:00" for day in days]
        (folder / f"{folder.name}_scans.tsv").write_text("\n".join(moved))
        out[person] = folder / f"{folder.name}_scans.tsv"
    return tmp_path / "out", out


def _problems(source: Path, release: Path, naming: Naming) -> list[str]:
    return leftover(release, inspect_folder(source), [], naming, keyed=True).problems


def test_moved_days_that_equal_days_of_the_source_raise_no_alarm(source: Path, tmp_path: Path) -> None:
    release, _ = _release(source, tmp_path)
    assert _problems(source, release, _Keyed()) == []
    assert _problems(source, release, Naming()) == []


def test_a_day_that_was_not_moved_is_found_in_the_file_of_its_person(source: Path, tmp_path: Path) -> None:
    release, files = _release(source, tmp_path)
    files[PEOPLE[0]].write_text("2019-04-11T10:00:00")
    assert _problems(source, release, _Keyed()) == [
        "place 2 of 4: 1 date of the source left in its bytes"
    ] or (_problems(source, release, _Keyed()) == ["place 4 of 4: 1 date of the source left in its bytes"])


def test_options_say_what_is_kept_on_purpose(source: Path, tmp_path: Path) -> None:
    release, files = _release(source, tmp_path)
    files[PEOPLE[0]].write_text("2019-04-11 of QXALPHA")
    inventory = inspect_folder(source)
    assert len(leftover(release, inventory, [], _Keyed(), keyed=True).problems) == 2
    steps = [{"use": "header.dicom", "full_dates": True}]
    assert len(leftover(release, inventory, steps, _Keyed(), keyed=True).problems) == 1
    assert leftover(release, inventory, steps, Naming(), keyed=False).problems == []
