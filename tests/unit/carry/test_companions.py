"""Companions: with a key, everything beside the images speaks of one person in the words of that key, and of nobody else."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from medveil.carry import companions
from medveil.carry.naming import OWN_NAMES, naming_of, places_of
from medveil.carry.protecting import Protected, protect_folder
from medveil.carry.talk import Silent
from medveil.core.cohort import Cohort
from medveil.core.errors import Refusal, UsageError
from medveil.core.image import Image
from medveil.core.secrets import Key
from medveil.io import nifti
from medveil.io.bids import Inventory, inspect_folder
from medveil.io.folder import Staging
from medveil.protect.header.dates import shift_da
from medveil.protect.header.pseudonyms import Pseudonyms

ONE, TWO = Key(bytes(range(32))), Key(bytes(range(1, 33)))
TOKEN = re.compile(rb"[A-Z2-7]{16}")
MORNING, LATER, NEXT = "2024-02-29T10:20:30.500", "2024-02-29T10:31:00", "2024-03-17T09:00:00"
SECRETS = (b"2024", b"Canary", b"Jane", b'10:20:30.500"', b"IntendedFor", b"ses-20240229")


def _key(path: Path, key: Key) -> Path:
    path.write_bytes(b"medveil-key 1\n" + base64.b64encode(key.expose()) + f"\nlabel {key.label}\n".encode())
    path.chmod(0o600)
    return path


def _image(path: Path) -> None:
    nifti.write(Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([2.0, 2.0, 2.0, 1.0])), path)


def _damaged(path: Path) -> None:
    _image(path)
    path.write_bytes(path.read_bytes()[:-20])


def _table(path: Path, *rows: str) -> None:
    path.write_text("".join(row.replace(" ", "\t") + "\n" for row in rows))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two people: one of three sessions that are called by their days, the last damaged; one of none, one image damaged."""
    root = tmp_path / "in"
    first, second, third = (root / "sub-07" / f"ses-2024{day}" for day in ("0229", "0317", "0401"))
    for visit in (first, second):
        _image(visit / "anat" / f"sub-07_{visit.name}_T1w.nii.gz")
        said = {
            "EchoTime": 0.002,
            "AcquisitionDateTime": MORNING,
            "AcquisitionTime": "10:20:30.500",
            "PatientName": "Canary^Jane",
            "IntendedFor": "ses-20240229/func/x.nii.gz",
        }
        (visit / "anat" / f"sub-07_{visit.name}_T1w.json").write_text(json.dumps(said))
    _image(second / "anat" / "sub-07_ses-20240317_FLAIR.nii.gz")  # in no table
    _damaged(third / "anat" / "sub-07_ses-20240401_T1w.nii.gz")
    _image(first / "dwi" / "sub-07_ses-20240229_dwi.nii.gz")
    (first / "dwi" / "sub-07_ses-20240229_dwi.bval").write_text("0 1000\n")
    (first / "dwi" / "sub-07_ses-20240229_dwi.bvec").write_text("0 Canary\n0 0\n0 1\n")
    _table(
        first / "sub-07_ses-20240229_scans.tsv",
        "operator filename acq_time",
        f"Jane anat/sub-07_ses-20240229_T1w.nii.gz {MORNING}",
        f"Jane dwi/sub-07_ses-20240229_dwi.nii.gz {LATER}",
        f"Jane func/sub-07_ses-20240229_bold.nii.gz {LATER}",
    )
    _table(
        second / "sub-07_ses-20240317_scans.tsv",
        "filename acq_time",
        f"anat/sub-07_ses-20240317_T1w.nii.gz {NEXT}",
    )
    _table(
        root / "sub-07" / "sub-07_sessions.tsv",
        "session_id acq_time comment",
        f"ses-20240317 {NEXT} Jane",
        f"ses-20240229 {MORNING} Jane",
        f"ses-20240401 {NEXT} Jane",
    )
    _image(root / "sub-Canary8" / "anat" / "sub-Canary8_T1w.nii.gz")
    _damaged(root / "sub-Canary8" / "anat" / "sub-Canary8_T2w.nii.gz")
    _table(
        root / "sub-Canary8" / "sub-Canary8_scans.tsv",
        "filename acq_time",
        "anat/sub-Canary8_T1w.nii.gz spring",
        f"anat/sub-Canary8_T2w.nii.gz {MORNING}",
    )
    _table(root / "participants.tsv", "participant_id age", "sub-07 34", "sub-Canary8 92")
    return root


def _release(source: Path, to: Path, key: Path | None, stage: int = 1) -> Path:
    """A release without steps: images are copied through their header's list, companions are written."""
    inventory = inspect_folder(source)
    naming = naming_of(inventory, key, stage, target=to, talk=Silent())
    inside = to.with_name(to.name + "-internal")
    with Staging(to, inputs=[source]) as staging, Staging(inside, inputs=[source]) as internal:
        protected = protect_folder(
            inventory, (), staging, internal, naming=naming, given=None, jobs=1, talk=Silent()
        )
        staging.prune(keep=protected.kept)
        companions.write(inventory, protected, staging.folder, naming)
        internal.finish()
        staging.finish(keep=protected.places)
    return to


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines(), delimiter="\t"))


def _files(release: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(release)): gzip.decompress(p.read_bytes()) if p.suffix == ".gz" else p.read_bytes()
        for p in sorted(release.rglob("*"))
        if p.is_file()
    }


def _all(release: Path) -> bytes:
    return b"\n".join(name.encode() + b"\n" + data for name, data in _files(release).items())


def test_without_a_key_labels_stay_and_no_date_leaves(folder: Path, tmp_path: Path) -> None:
    files = _files(_release(folder, tmp_path / "out", None))
    assert not [name for name in files if name.endswith(("scans.tsv", "sessions.tsv"))]
    assert json.loads(files["sub-07/ses-20240229/anat/sub-07_ses-20240229_T1w.json"]) == {"EchoTime": 0.002}
    assert b"2024" not in b"".join(files.values())


def test_with_a_key_nothing_of_the_old_names_and_dates_is_left(folder: Path, tmp_path: Path) -> None:
    out = _all(_release(folder, tmp_path / "out", _key(tmp_path / "k", TWO)))
    assert not [secret for secret in SECRETS if secret in out]
    assert b"sub-07" not in out


def test_visits_are_listed_under_new_names_with_what_lies_between_them(folder: Path, tmp_path: Path) -> None:
    out, names = _release(folder, tmp_path / "out", _key(tmp_path / "k", ONE)), Pseudonyms(ONE)
    name, days = names.subject("sub-07"), timedelta(names.date_shift_days("sub-07"))
    first = _rows(out / name / "ses-1" / f"{name}_ses-1_scans.tsv")
    second = _rows(out / name / "ses-2" / f"{name}_ses-2_scans.tsv")
    assert [row["filename"] for row in first] == [
        f"anat/{name}_ses-1_T1w.nii.gz",
        f"dwi/{name}_ses-1_dwi.nii.gz",
    ]
    assert all((out / name / "ses-1" / row["filename"]).is_file() for row in first)
    assert [set(row) for row in first + second] == [{"filename", "acq_time"}] * 3
    before = [datetime.fromisoformat(text) for text in (MORNING, LATER, NEXT)]
    after = [datetime.fromisoformat(row["acq_time"]) for row in first + second]
    assert [a - b for a, b in zip(after, before, strict=True)] == [days] * 3
    sessions = _rows(out / name / f"{name}_sessions.tsv")
    assert [row["session_id"] for row in sessions] == ["ses-1", "ses-2"]
    assert [row["acq_time"] for row in sessions] == [first[0]["acq_time"], second[0]["acq_time"]]
    assert [set(row) for row in sessions] == [{"session_id", "acq_time"}] * 2


def test_a_refused_image_is_not_listed_and_what_is_no_date_is_missing(folder: Path, tmp_path: Path) -> None:
    out, names = _release(folder, tmp_path / "out", _key(tmp_path / "k", ONE)), Pseudonyms(ONE)
    name = names.subject("sub-Canary8")
    assert _rows(out / name / f"{name}_scans.tsv") == [
        {"filename": f"anat/{name}_T1w.nii.gz", "acq_time": "n/a"}
    ]


def test_tables_and_sidecars_and_dicom_agree_on_who_and_when(folder: Path, tmp_path: Path) -> None:
    from pydicom.dataset import Dataset, FileMetaDataset

    from medveil.protect.header.dicom.clean import clean

    source = Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    source.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    source.PatientID, source.StudyDate = "07", "20240229"
    header = clean(source, Pseudonyms(ONE)).dataset

    out = _release(folder, tmp_path / "out", _key(tmp_path / "k", ONE))
    name = str(header.PatientID)
    assert {p.name for p in out.iterdir() if p.is_dir()} == {name, Pseudonyms(ONE).subject("Canary8")}
    listed = _rows(out / name / "ses-1" / f"{name}_ses-1_scans.tsv")[0]["acq_time"]
    sidecar = json.loads((out / name / "ses-1" / "anat" / f"{name}_ses-1_T1w.json").read_text())
    assert sidecar == {"EchoTime": 0.002, "AcquisitionDateTime": listed[:10]}
    assert listed[:10].replace("-", "") == header.StudyDate
    assert header.StudyDate == shift_da("20240229", Pseudonyms(ONE).date_shift_days("07"))
    people = _rows(out / "participants.tsv")
    assert {row["participant_id"]: row["age"] for row in people} == {
        name: "34",
        Pseudonyms(ONE).subject("Canary8"): "89+",
    }


def test_the_participants_do_not_keep_the_order_of_the_source(folder: Path, tmp_path: Path) -> None:
    for n, key in enumerate((ONE, TWO)):
        out = _release(folder, tmp_path / f"out{n}", _key(tmp_path / f"k{n}", key))
        listed = [row["participant_id"] for row in _rows(out / "participants.tsv")]
        assert listed == sorted(listed)


def test_one_key_gives_the_same_bytes_and_another_shares_no_token(folder: Path, tmp_path: Path) -> None:
    one, again, other = (
        _release(folder, tmp_path / name, _key(tmp_path / f"{name}.key", key))
        for name, key in (("a", ONE), ("b", ONE), ("c", TWO))
    )
    assert _files(one) == _files(again)
    tokens, others = set(TOKEN.findall(_all(one))), set(TOKEN.findall(_all(other)))
    assert len(tokens) == len(others) == 2
    assert not [token for token in tokens if token in _all(other)]


def test_gradients_travel_and_a_table_that_holds_a_name_does_not(folder: Path, tmp_path: Path) -> None:
    out = _release(folder, tmp_path / "out", None) / "sub-07" / "ses-20240229" / "dwi"
    assert (out / "sub-07_ses-20240229_dwi.bval").read_text() == "0 1000\n"
    assert not (out / "sub-07_ses-20240229_dwi.bvec").exists()


def test_stage_2_works_on_stage_1_and_takes_both_keys(folder: Path, tmp_path: Path) -> None:
    first = _release(folder, tmp_path / "first", _key(tmp_path / "k1", ONE))
    second = _release(first, tmp_path / "second", _key(tmp_path / "k2", TWO), stage=2)
    inner, outer = Pseudonyms(ONE), Pseudonyms(TWO, stage=2)
    person = inner.subject("07")
    name = outer.subject(person)
    days = timedelta(inner.date_shift_days("07") + outer.date_shift_days(person))
    rows = _rows(second / name / "ses-1" / f"{name}_ses-1_scans.tsv")
    assert datetime.fromisoformat(rows[0]["acq_time"]) - datetime.fromisoformat(MORNING) == days
    assert not set(TOKEN.findall(_all(first))) & set(TOKEN.findall(_all(second)))


def test_stage_2_refuses_originals_in_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="not a name of stage 1") as refused:
        _release(folder, tmp_path / "out", _key(tmp_path / "k", ONE), stage=2)
    assert "\n" not in str(refused.value)
    assert "Canary" not in str(refused.value)
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="--stage 2"):
        _release(folder, tmp_path / "out", None, stage=2)


def test_beside_dicom_nothing_is_written(tmp_path: Path) -> None:
    inventory = Inventory(tmp_path, "dicom", Cohort(()), {}, (), ())
    companions.write(inventory, Protected((), Cohort(()), {}, {}), tmp_path / "out", OWN_NAMES)
    assert not (tmp_path / "out").exists()


def test_two_people_never_share_a_place(folder: Path, tmp_path: Path) -> None:
    inventory = inspect_folder(folder)
    naming = naming_of(inventory, _key(tmp_path / "k", ONE), 1, target=tmp_path / "out", talk=Silent())
    places = places_of(inventory, naming)
    assert len(set(places)) == len(places) == 7
